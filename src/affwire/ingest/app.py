"""POST /in/<token>: a message is judged, kept and then answered, in the order of design.md, flow B.

bytes -> source by its token -> verify (401) -> identify (the dedupe key) -> kept and committed -> the dialect's answer
"""

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Final

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as Sent

from affwire.dialects.base import Dialect, Identity
from affwire.errors import AffwireError, Busy, NotGenuine
from affwire.ingest import answers, bodies
from affwire.ingest.budget import Budget
from affwire.ingest.keeper import Keeper
from affwire.ingest.known import KnownSources, Opened
from affwire.model.inbound import Kept, Source
from affwire.model.wire import Headers, Message
from affwire.services import inbox
from affwire.services.inbox import Arrival, Fate
from affwire.services.sources import PATH
from affwire.store.store import Store
from affwire.world import World

TRIES: Final = 3
"""Looks at a source that is changed again and again while a message comes in."""
HEADERS_BYTES_MAX: Final = 16_384
"""Of a message's headers, which are kept with it: no platform sends a tenth of it, and the server itself has no limit."""
_NAMELESS: Final = Identity("", None)
_NOT_KEPT: Final = "The message could not be kept; send it again later."


class Door:
    """ASGI: takes everything under /in/, hands the rest on. Used from one event loop."""

    def __init__(
        self,
        behind: ASGIApp,
        store: Store,
        dialects: Mapping[str, Dialect],
        world: World,
        *,
        told: Callable[[str, str], None] = lambda _dialect, _fate: None,
    ) -> None:
        """`told` hears of every message of a known source: its dialect, and kept, repeated, rejected or full."""
        self._behind = behind
        self._world = world
        self._told = told
        self._room = bodies.Room()
        self._known = KnownSources(store, dialects)
        self._keeper = Keeper(store)
        self._budget = Budget(world)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not scope["path"].startswith(PATH):
            await self._behind(scope, receive, send)
            return
        try:
            answer = await self._taken(scope, receive)
        except bodies.Gone:
            return
        except AffwireError as error:
            answer = answers.of_refusal(error, self._world.new_id("request"))
        except Exception:  # noqa: BLE001 -- never a 500: the sender keeps its message and comes again
            structlog.get_logger("affwire.ingest").exception("message.failed")
            answer = answers.of_refusal(Busy("message_not_kept", _NOT_KEPT), self._world.new_id("request"))
        await answers.send_all(answer, send)

    async def close(self) -> None:
        """Finish what is in line to be kept."""
        await self._keeper.close()

    async def _taken(self, scope: Scope, receive: Receive) -> tuple[Sent, Sent]:
        if scope["method"] != "POST":
            raise answers.WrongMethod("method_not_allowed")
        token = scope["path"][len(PATH) :]
        headers = _headers(scope)
        opened = await self._opened(token)  # before the body: nobody waits for a stranger's
        message = Message(headers=headers, body=await bodies.read(scope, receive, self._room, opened.source.id))
        for _ in range(TRIES):
            fate = await self._kept(opened, message)
            if fate != "stale":
                self._told(opened.source.dialect, fate)
                return _answer(opened, fate)
            self._known.forget(token)
            opened = await self._opened(token)
        raise Busy("source_changing", "This source is being changed; send it again.")

    async def _opened(self, token: str) -> Opened:
        """Return the source of a token; raises NoSource, Disabled, and Busy where its dialect is not installed."""
        opened = self._known.remembered(token) or await self._known.look_up(token)
        if opened is None:
            raise answers.NoSource("address_not_found")
        if not opened.source.enabled:
            raise answers.Disabled("source_disabled")
        if opened.dialect is None:
            name = opened.source.dialect
            raise Busy("dialect_missing", f"The dialect {name!r} is not installed here; send it again later.")
        return opened

    async def _kept(self, opened: Opened, message: Message) -> Fate:
        """Judge a message and have it kept; raises NotGenuine once that is on record."""
        source, dialect, now = opened.source, opened.dialect, self._world.now()
        assert dialect is not None  # noqa: S101 -- else `_opened` has raised
        doubt = None if source.unverified else inbox.doubt(dialect, message, opened.trust(now), now)
        if doubt is None:
            return await self._keeper.keep(Arrival(source, self._genuine(source, dialect, message, now)))
        if await self._rejected(source, message, doubt, now):
            self._told(source.dialect, "rejected")
            raise doubt
        return "stale"

    async def _rejected(self, source: Source, message: Message, doubt: NotGenuine, now: int) -> bool:
        """Have a message kept that is not genuine, within bounds; False if the source is not as it was judged by."""
        if self._keeper.is_crowded or not self._budget.spend(source.id):
            return await self._known.is_current(source)
        kept = Kept(
            id=self._world.new_id("message"),
            organization_id=source.organization_id,
            source_id=source.id,
            dialect=source.dialect,
            status="rejected",
            reason=f"{doubt.sentence} [{doubt.code}]",
            headers=message.headers,
            body=message.body,
            size=len(message.body),
            received_at=now,
            settled_at=now,
        )
        return await self._keeper.keep(Arrival(source, kept)) != "stale"

    def _genuine(self, source: Source, dialect: Dialect, message: Message, now: int) -> Kept:
        named = inbox.identified(dialect, message)
        headers, is_plain = message.headers, inbox.is_plain(message.headers)
        name, unread = (named, None) if isinstance(named, Identity) else (_NAMELESS, named)
        return Kept(
            id=self._world.new_id("message"),
            organization_id=source.organization_id,
            source_id=source.id,
            dialect=source.dialect,
            word=name.word or None,
            dedupe_key=name.dedupe_key,
            status="parked" if unread else "received",
            reason=unread,
            headers=headers if is_plain else inbox.without_credentials(headers),
            body=message.body,
            size=len(message.body),
            received_at=now,
            settled_at=now if unread else None,
            hops=0 if is_plain else inbox.hops_of(message),
        )


def _headers(scope: Scope) -> Headers:
    """Return the headers; raises HeadersTooLarge."""
    pairs = scope["headers"]
    if sum(map(len, chain.from_iterable(pairs))) > HEADERS_BYTES_MAX:
        raise answers.HeadersTooLarge("headers_too_large", f"The headers are larger than {HEADERS_BYTES_MAX} bytes.")
    return tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs])


def _answer(opened: Opened, fate: Fate) -> tuple[Sent, Sent]:
    if fate == "full" or opened.answer is None:
        raise answers.Full("too_many_unreadable")
    return opened.answer
