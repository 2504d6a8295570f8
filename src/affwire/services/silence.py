"""Silence: a source that was heard often, and for long not at all, is said to be silent, once; the next message heals it."""

from collections.abc import Mapping
from typing import Final

from msgspec import structs

from affwire.dialects.base import Dialect
from affwire.model.inbound import Source
from affwire.services import notices
from affwire.store.tx import Tx

SEEN_MIN: Final = 10
"""Messages before a source has a rhythm to speak of."""
GAPS: Final = 10
"""So many of its own mean gaps are a silence ..."""
SHORTEST_MS: Final = 3_600_000
"""... but never less than an hour: bursts are no rhythm."""


def notice(tx: Tx, dialects: Mapping[str, Dialect], *, limit: int) -> int:
    """Say `source.silent` of up to `limit` sources that fell silent; return of how many."""
    bounds = {"seen_min": SEEN_MIN, "times": GAPS, "shortest": SHORTEST_MS, "limit": limit}
    found = tx.sources.falling_silent(tx.now, **bounds)
    for source_id, organization_id in found:
        source = tx.registry.get(Source, organization_id, source_id, lock=True)
        if source is not None:
            after = structs.replace(source, silent_since=source.last_message_at)
            tx.registry.update(after)
            tx.tell("source.silent", warns=True, id=source.id, gap_ms=source.gap_ms)
            notices.source_silent(tx, dialects, after)
    return len(found)
