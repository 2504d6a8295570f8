"""The postman: takes mails that are due, hands each to the relay, and records what became of it.

Only one with a relay runs; without, mails wait and their links are shown. A crash leaves leases, which end by themselves.
"""

import asyncio
from typing import Final

import structlog

from affwire.destinations.mail import MailWire
from affwire.engine.pulse import Pulse
from affwire.errors import AffwireError
from affwire.rules.mailing import LIMITS
from affwire.services import mail
from affwire.store.store import Store
from affwire.world import World

POLL_MS: Final = 1_000
"""The longest sleep, and so the longest wait for a mail's first try: every commit's wake would be a look for nothing."""

_log = structlog.get_logger("affwire.engine")


class Postman:
    """Sends mail until it is stopped. `public_url`: how the outside reaches this server, without a slash at its end."""

    def __init__(self, store: Store, wire: MailWire, world: World, *, public_url: str, poll_ms: int = POLL_MS) -> None:
        self._store = store
        self._wire = wire
        self._world = world
        self._public_url = public_url
        self._poll_ms = poll_ms
        self._stopped = False
        self._pulse = Pulse()

    async def run(self) -> None:
        """Send what is due, sleep, again."""
        while not self._stopped:
            sent = 0
            try:
                sent = await self.round()
            except AffwireError as error:
                _log.error("postman.round_failed", code=error.code, sentence=error.sentence)
            except Exception:  # noqa: BLE001 -- the loop goes on, whatever one round trips over
                _log.exception("postman.round_failed")
            if not self._stopped and not sent:
                await self._pulse.wait(self._poll_ms)

    async def stop(self) -> None:
        """End after what is under way: no longer than a session may take."""
        self._stopped = True
        self._pulse.beat()

    async def round(self) -> int:
        """Send one batch; return how many mails were tried."""
        if not await self._store.read(lambda tx: tx.mails.any_due(tx.now)):
            return 0
        claims = await self._store.run(lambda tx: mail.claim(tx, self._public_url))
        await asyncio.gather(*(self._send(claim) for claim in claims))
        return len(claims)

    async def _send(self, claim: mail.Claim) -> None:
        started_at = self._world.now()
        outcome = await self._wire.send(claim.letter, LIMITS)
        ended_at = self._world.now()
        settled = await self._store.run(
            lambda tx: mail.settle(tx, claim, outcome, started_at=started_at, ended_at=ended_at)
        )
        if not settled:
            _log.warning("mail.stale", id=claim.mail.id)
