"""What an operator watches besides the queue: endpoints and sources by state, what is set aside, the database's size.

Rule: what it costs grows with the number of endpoints and sources, never with the history.
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct, convert
from sqlalchemy import Connection, text

from affwire.model.stats import EndpointStates, SourceStates

_ENDPOINTS: Final = text("""
    SELECT CASE WHEN NOT enabled THEN 'disabled' WHEN paused THEN 'paused' WHEN tripped_until IS NOT NULL THEN 'tripped'
                WHEN failures_in_row > 0 THEN 'failing' ELSE 'healthy' END AS state, COUNT(*) AS endpoints
    FROM endpoints LEFT JOIN endpoint_health ON endpoint_health.endpoint_id = endpoints.id
    WHERE deleted_at IS NULL GROUP BY 1
""")
_SOURCES: Final = text("""
    SELECT CASE WHEN NOT enabled THEN 'disabled' WHEN silent_since IS NOT NULL THEN 'silent' ELSE 'heard' END AS state,
           COUNT(*) AS sources
    FROM sources WHERE deleted_at IS NULL GROUP BY 1
""")
_PARKED: Final = text("SELECT COUNT(*) FROM messages WHERE status = 'parked'")
_JOBS: Final = text("SELECT COUNT(*) FROM jobs WHERE status = 'running'")
_BYTES: Final = {
    "sqlite": text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"),
    "postgresql": text("SELECT pg_database_size(current_database())"),
}
_FAILING: Final = text("""
    SELECT endpoint_id FROM endpoint_health JOIN endpoints ON endpoints.id = endpoint_health.endpoint_id
    WHERE failures_in_row > 0 AND deleted_at IS NULL AND enabled
    ORDER BY tripped_until IS NULL, failures_in_row DESC, endpoint_id LIMIT :limit
""")


class Vitals(Struct, frozen=True):
    """How many endpoints and sources are in each state; parked messages; running jobs; the database's size in bytes."""

    endpoints: EndpointStates
    sources: SourceStates
    parked: int
    jobs: int
    database_bytes: int


NONE: Final = Vitals(
    {"healthy": 0, "failing": 0, "tripped": 0, "paused": 0, "disabled": 0},
    {"heard": 0, "silent": 0, "disabled": 0},
    0,
    0,
    0,
)
"""Of an empty database."""


def vitals(connection: Connection) -> Vitals:
    """Return the vitals of the whole database."""
    return Vitals(
        endpoints=convert({**NONE.endpoints, **_by_state(connection.execute(_ENDPOINTS).all())}, EndpointStates),
        sources=convert({**NONE.sources, **_by_state(connection.execute(_SOURCES).all())}, SourceStates),
        parked=connection.execute(_PARKED).scalar_one(),
        jobs=connection.execute(_JOBS).scalar_one(),
        database_bytes=connection.execute(_BYTES[connection.dialect.name]).scalar_one(),
    )


def failing(connection: Connection, *, limit: int) -> list[str]:
    """Return the enabled endpoints with failures in a row, the tripped ones and those with the most failures first."""
    return [row.endpoint_id for row in connection.execute(_FAILING, {"limit": limit})]


def _by_state(rows: Sequence[Any]) -> dict[str, int]:
    return dict(rows)
