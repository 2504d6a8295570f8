"""How many events there have been, by the position of the log's last: a look at one row, however long the log is.

Rule: a restore leaves positions out; what it leaves out is on record, and is no event.
"""

from typing import Final

from sqlalchemy import Connection, text

_LAST: Final = text("SELECT COALESCE(MAX(position), 0) FROM events")
_GAP: Final = text("SELECT value FROM meta WHERE name = 'events_gap'")
_NOTE: Final = text("""
    INSERT INTO meta (name, value) VALUES ('events_gap', :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value
""")


def events(connection: Connection) -> int:
    """Return how many events were ever written."""
    last: int = connection.execute(_LAST).scalar_one()
    noted: str | None = connection.execute(_GAP).scalar()
    if noted is None:
        return last
    before, position = map(int, noted.split())
    return before + max(0, last - position)


def note_gap(connection: Connection, before: int, position: int) -> None:
    """Note that `before` events were written until now, and that the next has a position behind `position`."""
    connection.execute(_NOTE, {"value": f"{before} {position}"})
