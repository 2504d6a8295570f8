"""How many messages that are not genuine a source may have kept: a flood costs its senders, not the disk and the writer."""

from typing import Final

from affwire.services.inbox import REJECTED_MAX
from affwire.world import World

BURST: Final = 2 * REJECTED_MAX
"""As many at once as are ever looked at, and as many again, which replace them."""
PER_SECOND: Final = 50
"""A platform with a wrong secret stays below it; what is above is answered alike, and not kept."""
SOURCES_MAX: Final = 10_000


class Budget:
    """A bucket of tokens for each source."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._left: dict[str, tuple[float, int]] = {}

    def spend(self, source_id: str) -> bool:
        """Return whether one more may be kept just now, and count it."""
        now = self._world.now()
        left, at = self._left.get(source_id, (float(BURST), now))
        left = min(BURST, left + max(0, now - at) * PER_SECOND / 1000)
        if len(self._left) >= SOURCES_MAX:
            self._left.clear()
        self._left[source_id] = (left - 1 if left >= 1 else left, now)
        return left >= 1
