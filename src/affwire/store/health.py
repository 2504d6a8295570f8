"""The health of endpoints: one small row each, and what their last deliveries tell. Every look-up is bounded."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct, structs
from sqlalchemy import Connection, text

from affwire.model.health import EndpointHealth
from affwire.store.following import Following
from affwire.store.hot import Hot
from affwire.store.statements import BEHIND, DUE, LEASED

SAMPLE_MAX: Final = 1_000
"""An endpoint's last deliveries whose attempts are counted: enough for a 95th percentile, a few milliseconds to read."""
BACKLOG_MAX: Final = 100_000
"""Waiting deliveries are counted up to here; beyond it, more is just more."""

_COLUMNS: Final = EndpointHealth.__struct_fields__
_NAMES: Final = ", ".join(_COLUMNS)
_GET: Final = Hot(f"SELECT {_NAMES} FROM endpoint_health WHERE endpoint_id = :endpoint_id")  # noqa: S608 -- our own names
_GET_OURS: Final = Hot(_GET.text, shared="FOR UPDATE")
_PUT: Final = Hot(
    f"INSERT INTO endpoint_health ({_NAMES}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)}) "  # noqa: S608 -- as above
    "ON CONFLICT (endpoint_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "endpoint_id")
)
_TRIPPED: Final = Hot("SELECT endpoint_id, tripped_until FROM endpoint_health WHERE tripped_until IS NOT NULL")
_FORGIVE: Final = text("""
    UPDATE endpoint_health SET failures_in_row = 0, tripped_until = NULL, trips = 0,
        failing_since = CASE WHEN :anew THEN NULL ELSE failing_since END,
        warned_percent = CASE WHEN :anew AND warned_percent > 0 THEN 1 ELSE warned_percent END
    WHERE endpoint_id = :endpoint_id
""")
_RELEASE_ONE: Final = text(f"""
    UPDATE queue SET held = FALSE, reason = NULL WHERE position = (
        SELECT position FROM queue WHERE endpoint_id = :endpoint_id AND held AND due_at <= :now
        ORDER BY position LIMIT 1
    ) AND NOT EXISTS (SELECT 1 FROM queue WHERE endpoint_id = :endpoint_id AND {DUE} AND due_at <= :now)
""")  # noqa: S608 -- a constant
_BACKLOG: Final = text(f"""
    SELECT (SELECT COUNT(*) FROM (
        SELECT 1 FROM queue WHERE endpoint_id = :endpoint_id AND {DUE} LIMIT :most
    ) AS due) + (SELECT COUNT(*) FROM (
        SELECT 1 FROM queue WHERE endpoint_id = :endpoint_id AND {BEHIND} LIMIT :most
    ) AS behind) AS pending, (SELECT COUNT(*) FROM (
        SELECT 1 FROM queue WHERE endpoint_id = :endpoint_id AND held LIMIT :most
    ) AS holding) AS held, (
        SELECT MIN(due_at) FROM queue WHERE endpoint_id = :endpoint_id AND {DUE} AND priority IN (0, 1, 2)
    ) AS oldest_due_at
""")  # noqa: S608 -- constants
_SAMPLE: Final = text("""
    SELECT attempts.outcome, attempts.ended_at - attempts.started_at AS ms FROM (
        SELECT deliveries.position FROM deliveries LEFT JOIN queue ON queue.position = deliveries.position
        WHERE deliveries.organization_id = :organization_id AND deliveries.endpoint_id = :endpoint_id
        AND COALESCE(queue.attempts, 1) > 0 ORDER BY deliveries.position DESC LIMIT :most
    ) AS latest JOIN attempts ON attempts.delivery_position = latest.position WHERE attempts.started_at >= :since
""")


class Backlog(Struct, frozen=True):
    """What waits for an endpoint, each counted up to BACKLOG_MAX, and since when the first of it has been due (ms)."""

    pending: int
    held: int
    leased: int
    oldest_due_at: int | None


class HealthBook:
    """Keeps endpoints' health."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, endpoint_id: str, *, lock: bool = False) -> EndpointHealth:
        """Return an endpoint's health; a fresh one if nothing is known. `lock` keeps it ours until the commit."""
        row = (_GET_OURS if lock else _GET).run(self._connection, {"endpoint_id": endpoint_id}).fetchone()
        if row is None:
            return EndpointHealth(endpoint_id=endpoint_id)
        return EndpointHealth(**dict(zip(_COLUMNS, row, strict=True)))

    def put(self, health: EndpointHealth) -> None:
        """Store it."""
        _PUT.run(self._connection, structs.asdict(health))

    def tripped(self) -> dict[str, int]:
        """Return the endpoints whose breaker is not closed, and when each lets a probe through (ms)."""
        rows: Sequence[Any] = _TRIPPED.run(self._connection, {}).fetchall()
        return dict(rows)

    def forgive(self, endpoint_id: str, *, anew: bool) -> None:
        """Close the breaker; `anew`: the way to auto-disable begins from the start, too."""
        self._connection.execute(_FORGIVE, {"endpoint_id": endpoint_id, "anew": anew})

    def release_probe(self, endpoint_id: str, now: int) -> bool:
        """Let one held delivery that is due go, if nothing else is due or under way; return whether one does."""
        if self._leased(endpoint_id):
            return False
        return self._connection.execute(_RELEASE_ONE, {"endpoint_id": endpoint_id, "now": now}).rowcount > 0

    def backlog(self, endpoint_id: str) -> Backlog:
        """Return what waits for an endpoint."""
        row = self._connection.execute(_BACKLOG, {"endpoint_id": endpoint_id, "most": BACKLOG_MAX}).one()
        mark, leased = Following(self._connection).standing(endpoint_id), self._leased(endpoint_id)
        if mark is None:
            return Backlog(row.pending, row.held, leased, row.oldest_due_at)
        if mark.target == "released":
            return Backlog(row.pending + row.held, 0, leased, row.oldest_due_at)
        return Backlog(0, row.pending + row.held, leased, None)

    def _leased(self, endpoint_id: str) -> int:
        return int(dict(LEASED.run(self._connection, {}).fetchall()).get(endpoint_id, 0))

    def sample(self, organization_id: str, endpoint_id: str, since: int) -> list[tuple[str, int]]:
        """Return outcome and duration (ms) of the attempts since a time of the last SAMPLE_MAX deliveries that were tried."""
        values = {"organization_id": organization_id, "endpoint_id": endpoint_id, "since": since, "most": SAMPLE_MAX}
        return [(row.outcome, row.ms) for row in self._connection.execute(_SAMPLE, values)]
