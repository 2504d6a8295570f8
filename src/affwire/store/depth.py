"""How deep the queue is, from its partial indexes: what it costs grows with what waits, never with the history."""

from msgspec import Struct
from sqlalchemy import Connection, text

from affwire.store import counting
from affwire.store.outbox import Outbox
from affwire.store.statements import BEHIND, DUE, HELD_ANEW, RELEASED

_COUNTS = text(f"""
    SELECT (SELECT COUNT(*) FROM queue WHERE {DUE} AND endpoint_id NOT IN ({HELD_ANEW}))
               + (SELECT COUNT(*) FROM queue WHERE held AND due_at IS NOT NULL AND endpoint_id IN ({RELEASED})) AS pending,
           (SELECT COUNT(*) FROM queue WHERE {BEHIND} AND endpoint_id NOT IN ({HELD_ANEW}))
               + (SELECT COUNT(*) FROM queue WHERE held AND due_at IS NULL AND endpoint_id IN ({RELEASED})) AS behind,
           (SELECT COUNT(*) FROM queue WHERE held AND endpoint_id NOT IN ({RELEASED}))
               + (SELECT COUNT(*) FROM queue WHERE {DUE} AND endpoint_id IN ({HELD_ANEW}))
               + (SELECT COUNT(*) FROM queue WHERE {BEHIND} AND endpoint_id IN ({HELD_ANEW})) AS held,
           (SELECT COUNT(*) FROM messages WHERE status = 'received') AS messages
""")  # noqa: S608 -- put together from constants


class Depth(Struct, frozen=True):
    """What waits: for its time (`pending`), behind another of its lane (`behind`), `held`, and under way (`leased`).

    `oldest_due_at`: since when (ms) the longest due one waits, None if none is due. `events`: how many were ever written.
    `messages`: inbound ones that wait for their turn.
    """

    pending: int
    behind: int
    held: int
    leased: int
    events: int
    oldest_due_at: int | None
    messages: int


def depth(connection: Connection, now: int) -> Depth:
    """Return the depth of the whole queue at `now` (ms)."""
    row = connection.execute(_COUNTS).one()
    outbox = Outbox(connection)
    oldest = min(outbox.endpoints_with_work().values(), default=None)
    leased = sum(outbox.leased().values())
    due_at = oldest if oldest and oldest <= now else None
    return Depth(row.pending, row.behind, row.held, leased, counting.events(connection), due_at, row.messages)
