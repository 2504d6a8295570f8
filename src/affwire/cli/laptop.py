"""`affwire listen` from its start to its end: the laptop's secret, the keys of the keyboard, the way out.

Rule: the secret of a dialect is made once, kept for this user alone, and the same in every run.
"""

import asyncio
import os
import secrets
import sys
import termios
import tty
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from affwire.cli.client import open_client
from affwire.cli.listen import Listener, Wish, open_guard
from affwire.cli.spelling import hint, installed
from affwire.cli.terminal import say
from affwire.destinations.guard import Guard
from affwire.destinations.http import HttpWire
from affwire.dialects.base import Card
from affwire.errors import Refused
from affwire.model.events import EVENT_TYPES, OPERATIONAL
from affwire.rules import signing
from affwire.rules.matching import covers

SECRET_BYTES: Final = 32
KEYS: Final = "r: replay the last, d: detail, q: quit"


def listen(dialect: str, forward_to: str | None, patterns: tuple[str, ...], *, as_json: bool) -> None:
    """Listen until q or Ctrl-C. Raises Refused, NotFound, Unanswered."""
    speaker = installed(dialect)
    check_patterns(speaker.card, patterns)
    secret = kept_secret(speaker.card, config_dir())
    url = None if forward_to is None else address(forward_to)
    say(f"Listening in the words of {dialect}" + (f", forwarding to {url}." if url else "."))
    if speaker.card.authentication.kind != "none":
        say(f"This laptop's secret, the same in every run: {secret}")
    with suppress(KeyboardInterrupt):
        asyncio.run(_listen(Wish(speaker, secret, url, patterns, as_json)))


def check_patterns(card: Card, patterns: Iterable[str]) -> None:
    """Refuse what covers no event type and no word of the dialect: nothing would ever be heard."""
    known = [*EVENT_TYPES, *OPERATIONAL, *(word.name for word in card.words)]
    for pattern in patterns:
        if not any(covers(pattern, name) for name in known) and not (pattern and card.word(pattern)):
            raise Refused("unknown_event_type", f"There is no event type or word {pattern!r}; {hint(pattern, known)}")


def address(typed: str) -> str:
    """Return where to forward to: `localhost:3000/hooks` means http there."""
    return typed if "://" in typed else f"http://{typed}"


def config_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """Return this user's directory for what affwire keeps between runs (XDG Base Directory)."""
    base = environment.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "affwire"


def kept_secret(card: Card, folder: Path) -> str:
    """Return the laptop's secret for a dialect, made (0600) if there is none. Raises Refused("secret_unusable")."""
    path = folder / f"listen-{card.name}"
    form = card.authentication
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (
            suppress(FileExistsError),
            os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file,
        ):
            file.write(signing.minted(form.secret, form.secret_prefix, secrets.token_bytes(SECRET_BYTES)))
        return path.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise Refused("secret_unusable", f"The laptop's secret {path} cannot be kept: {error}.") from error


async def _listen(wish: Wish) -> None:
    guard = open_guard()
    wire = _open_wire(guard)
    try:
        if wish.url:
            await guard.judge(wish.url)
        with open_client() as client:
            await _serve(Listener(client, wire, wish))
    finally:
        await wire.close()
        guard.close()


def _open_wire(guard: Guard) -> HttpWire:
    ca_file = os.environ.get("AFFWIRE_CA_FILE")
    try:
        return HttpWire(guard, Path(ca_file) if ca_file else None)
    except ValueError as error:
        raise Refused("invalid_settings", f"AFFWIRE_CA_FILE: {error}.") from error


async def _serve(listener: Listener) -> None:
    listening = asyncio.create_task(listener.run())
    replays: set[asyncio.Task[None]] = set()

    def pressed(key: str) -> None:
        if key == "q":
            listening.cancel()
        elif key == "d":
            listener.detail()
        elif key == "r":
            task = asyncio.create_task(listener.replay())
            replays.add(task)
            task.add_done_callback(replays.discard)

    with keyboard(pressed), suppress(asyncio.CancelledError):
        await listening


@contextmanager
def keyboard(pressed: Callable[[str], None]) -> Iterator[None]:
    """Call `pressed` with every key, on the running loop, until the block ends; nothing where no keyboard is."""
    if not sys.stdin.isatty():
        yield
        return
    say(KEYS)
    loop, place = asyncio.get_running_loop(), sys.stdin.fileno()
    before = termios.tcgetattr(place)
    tty.setcbreak(place)
    loop.add_reader(place, lambda: pressed(os.read(place, 1).decode("ascii", "ignore")))
    try:
        yield
    finally:
        loop.remove_reader(place)
        termios.tcsetattr(place, termios.TCSADRAIN, before)
