"""The composition root: the only file that knows every room. It opens them in order and closes them in reverse.

settings -> data dir (locked) -> vault -> store -> guard, wire -> engine -> API and console, and the door for webhooks before them
"""

import asyncio
import gc
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog
from fastapi import FastAPI
from starlette.responses import Response

from affwire.api.app import create_app, create_lookout
from affwire.api.desk import Desk
from affwire.api.feeds import Feeds, Found, Stream
from affwire.api.pages import place_of
from affwire.console.app import Console
from affwire.console.desk import Desk as ConsoleDesk
from affwire.console.desk import Live, Look
from affwire.console.front import Front
from affwire.console.machine import Machine
from affwire.console.scratch import Scratch
from affwire.destinations import collector
from affwire.destinations.guard import Guard, Rules
from affwire.destinations.http import HttpWire
from affwire.destinations.mail import SmtpWire
from affwire.destinations.relay import Relay
from affwire.dialects.base import Dialect
from affwire.engine.dispatcher import Dispatcher, Told
from affwire.engine.janitor import Janitor
from affwire.engine.jobs import JobRunner
from affwire.engine.normaliser import Normaliser, Settled
from affwire.engine.postman import Postman
from affwire.errors import Refused
from affwire.ingest.app import Door
from affwire.model.users import Invitation
from affwire.plugins import load_dialects
from affwire.services import deliveries, organizations, sessions, users
from affwire.settings import Settings
from affwire.store.datadir import DataDir
from affwire.store.opening import open_engine
from affwire.store.store import Store
from affwire.store.tx import Tx
from affwire.store.vault import Vault
from affwire.world import World

if TYPE_CHECKING:
    from affwire.engine.tracing import Tracing

TRACING: Final = 'pip install "affwire[otel]", or unset OTEL_EXPORTER_OTLP_ENDPOINT.'
"""What to do about traces that were asked for and cannot be made."""
_ADMIN_KEY_BYTES: Final = 32
GARBAGE_MAX: Final = 50_000
"""Objects made before the collector looks for cycles. Values have none, and the usual 700 cost a tenth of all CPU time."""


class Engine(Protocol):
    """A loop of the engine: it ends after what it has begun."""

    async def run(self) -> None:
        """Work until stopped."""
        ...

    async def stop(self) -> None:
        """End."""
        ...


@dataclass(frozen=True, slots=True)
class House:
    """A running affwire. `door` is what a server serves: webhooks, and behind them the API (`app`).

    `admin_key_file`: where the operator's key was written, None if the settings gave it.
    """

    app: FastAPI
    store: Store
    dispatcher: Dispatcher
    dialects: Mapping[str, Dialect]
    admin_key_file: Path | None
    feeds: Feeds
    door: Door

    def lookout(self) -> FastAPI:
        """Return what a worker serves where it is asked to: health and metrics."""
        return create_lookout(self.app.state.desk)

    async def invite(self) -> Invitation:
        """Return a link that signs the operator in to the console, once; older ones end."""
        return await self.store.run(lambda tx: sessions.invite(tx, users.operator(tx)))


@asynccontextmanager
async def open_house(settings: Settings, world: World | None = None, *, engine: bool = True) -> AsyncIterator[House]:
    """Open everything, deliver until the block ends, then drain and close. Without `engine` others deliver (PostgreSQL).

    Raises Refused or Conflict with a sentence for the operator: locked directory, wrong key, newer schema, bad setting.
    """
    world = world or World()
    data_dir = DataDir(settings.data_dir)
    async with AsyncExitStack() as stack:
        stack.callback(gc.set_threshold, *gc.get_threshold())
        gc.set_threshold(GARBAGE_MAX)
        _take(stack, settings, data_dir)
        operator_key, key_file = _operator_key(settings, data_dir)
        store = open_store(settings, data_dir, world)
        stack.push_async_callback(store.close)
        tracing = _open_tracing()
        if tracing:
            stack.push_async_callback(tracing.close)
        dialects = load_dialects()
        if engine:
            await store.run(lambda tx: _resume(tx, dialects))
        guard = open_guard(settings)
        stack.callback(guard.close)
        wire = _open_wire(settings, data_dir, guard)
        stack.push_async_callback(wire.close)
        desk = Desk(
            store,
            dialects,
            guard,
            organizations.digest(operator_key),
            world,
            wire,
            backups=data_dir.backups,
            public_url=settings.public_url and settings.public_url.rstrip("/"),
        )
        worker, told, most = world.new_id("request"), _watching(desk, tracing), settings.in_flight_max
        dispatcher = Dispatcher(store, wire, dialects, world, worker, in_flight_max=most, told=told)
        desk.meters.watch(
            in_flight=lambda: dispatcher.in_flight,
            streams=lambda: desk.feeds.count,
            free_bytes=None if settings.postgres_url else lambda: shutil.disk_usage(data_dir.path).free,
            delivers=engine,
        )
        janitor = Janitor(store, world, dialects, retention_days=settings.retention_days)
        jobs = JobRunner(store, dialects)
        normaliser = Normaliser(store, dialects, told=_followed(tracing, world))
        postmen = _open_postmen(stack, settings, guard, store, world)
        engines: Sequence[Engine] = (dispatcher, janitor, jobs, normaliser, *postmen) if engine else ()
        loops = asyncio.gather(*(one.run() for one in engines))
        stack.push_async_callback(_drain, engines, loops)
        stack.callback(desk.feeds.close)
        app = create_app(desk)
        console_desk = _console_desk(desk, settings, data_dir)
        front = Front(tracing.around(app) if tracing else app, Console(console_desk), console_desk.scratch)
        door = Door(front, store, dialects, world, told=desk.meters.came_in)
        stack.push_async_callback(door.close)
        yield House(app, store, dispatcher, dialects, key_file, desk.feeds, door)


def _console_desk(desk: Desk, settings: Settings, data_dir: DataDir) -> ConsoleDesk:
    """Return the same as the API works with, for the door beside it."""
    scratch = Scratch(desk.world.now, desk.feeds.beat)
    own = (desk.store, desk.dialects, desk.guard, desk.world, _live(desk.feeds), scratch, Machine(data_dir))
    set_up = (desk.wire, desk.public_url)
    return ConsoleDesk(*own, *set_up, retention_days=settings.retention_days, mails=settings.smtp_url is not None)


def _live(feeds: Feeds) -> Live:
    """Return how the console follows a table: with the API's feeds, woken and ended as they are."""

    def live(start: int, look: Look, last: str | None) -> Response:
        async def found(position: int) -> Found:
            return Found(*await look(position))

        return Stream(feeds, start if last is None else place_of(last), found)

    return live


def _take(stack: AsyncExitStack, settings: Settings, data_dir: DataDir) -> None:
    """Lock what is one server's own: a file of SQLite. In front of PostgreSQL the directory holds but the keys."""
    if settings.postgres_url:
        data_dir.make()
        return
    stack.enter_context(data_dir.lock())
    if settings.database_path and settings.database_path.parent.resolve() != data_dir.path.resolve():
        stack.enter_context(DataDir(settings.database_path.parent).lock())


def open_store(settings: Settings, data_dir: DataDir, world: World) -> Store:
    """Open the database with the schema this code needs, under the right master key. The caller holds the lock."""
    master_key, following = settings.master_keys
    vault = Vault.from_settings(master_key, data_dir.master_key, following)
    return Store(open_engine(settings.postgres_url or settings.database_path or data_dir.database, vault, world))


def open_guard(settings: Settings) -> Guard:
    """Return the guard under the operator's rules. Raises Refused("invalid_settings") for a CIDR that is none."""
    try:
        rules = Rules.parse(settings.allow_networks, allow_http=settings.allow_http)
    except ValueError as error:
        raise Refused("invalid_settings", f"AFFWIRE_ALLOW_NETWORKS: {error}.") from error
    listening = settings.listening
    return Guard(rules, own_addresses=lambda: listening)


def _open_wire(settings: Settings, data_dir: DataDir, guard: Guard) -> HttpWire:
    try:
        return HttpWire(guard, settings.ca_file, connections_max=settings.in_flight_max, folder=data_dir.path)
    except ValueError as error:
        raise Refused("invalid_settings", f"AFFWIRE_CA_FILE: {error}.") from error
    except OSError as error:
        raise Refused(
            "data_dir_unusable",
            f"Cannot write into the data directory {data_dir.path}: {error.strerror}.",
            path=str(data_dir.path),
        ) from error


def _open_postmen(
    stack: AsyncExitStack, settings: Settings, guard: Guard, store: Store, world: World
) -> tuple[Postman, ...]:
    """Return who sends mail: nobody where no relay is set. Raises Refused("invalid_settings")."""
    if settings.smtp_url is None:
        return ()
    if not settings.mail_from or not settings.public_url:
        raise Refused(
            "invalid_settings",
            "AFFWIRE_SMTP_URL needs AFFWIRE_MAIL_FROM, and AFFWIRE_PUBLIC_URL for the links in mails.",
        )
    try:
        relay = Relay.parse(settings.smtp_url.get_secret_value(), settings.mail_from)
    except ValueError as error:
        raise Refused("invalid_settings", f"AFFWIRE_SMTP_URL and AFFWIRE_MAIL_FROM: {error}.") from None
    wire = SmtpWire(guard, relay, settings.ca_file)
    stack.push_async_callback(wire.close)
    return (Postman(store, wire, world, public_url=settings.public_url.rstrip("/")),)


def _open_tracing() -> "Tracing | None":
    """Return what makes traces, where the environment (OTEL_*) names a collector; without one nothing of it is imported."""
    if not collector.wanted(os.environ):
        return None
    try:
        from affwire.engine.tracing import Tracing  # noqa: PLC0415 -- the extra `otel` need not be installed

        return Tracing.open()
    except ImportError as error:
        structlog.get_logger("affwire.server").warning("tracing.off", missing=error.name, do=TRACING)
        return None


def _followed(tracing: "Tracing | None", world: World) -> Settled | None:
    """Have traces hear of messages."""
    return None if tracing is None else lambda message, fault: tracing.processed(message, world.now(), fault)


def _watching(desk: Desk, tracing: "Tracing | None") -> Told:
    """Have feeds and meters hear of what is committed: of changes from the store, of attempts from the dispatcher."""
    desk.store.on_wake(desk.feeds.beat_from_thread)
    desk.store.on_durable(desk.meters.durable)

    def told(results: Sequence[tuple[deliveries.Result, bool]]) -> None:
        for result, fits in results:
            desk.meters.settled(result, fits=fits)
            if tracing:
                tracing.attempted(result, fits)
        desk.feeds.beat()

    return told


def _resume(tx: Tx, dialects: Mapping[str, Dialect]) -> None:
    """Take up what an earlier instance left: its leases, and deliveries parked for a dialect that is back.

    Where others may be at work, only leases that have ended are anybody's to take.
    """
    taken = deliveries.take_back(tx, dialects, expired_only=not tx.alone)
    if taken:
        structlog.get_logger("affwire.engine").warning("leases.taken_back", deliveries=taken)
    deliveries.return_parked(tx, dialects, [organization.id for organization in tx.registry.organizations()])


async def _drain(engines: Sequence[Engine], loops: "asyncio.Future[Any]") -> None:
    await asyncio.gather(*(engine.stop() for engine in engines))
    await loops


def _operator_key(settings: Settings, data_dir: DataDir) -> tuple[str, Path | None]:
    """Return the operator's key: from the settings, else from its file, which is made with mode 0600."""
    if settings.admin_key:
        return settings.admin_key.get_secret_value(), None
    path = data_dir.admin_key
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(_ADMIN_KEY_BYTES) + "\n")
    return path.read_text("utf-8").strip(), path
