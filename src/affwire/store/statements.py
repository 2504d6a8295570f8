"""The outbox's SQL, each statement under a name. What runs for every single delivery is Hot; the rest is SQLAlchemy's.

The conditions hold those of the partial indexes in tables.py, word for word, so that the planner uses them.
"""

from typing import Final

from sqlalchemy import TextClause, text

from affwire.model.deliveries import PRIORITIES, AttemptRecord, Delivery
from affwire.store.hot import Hot, HotRows, types_of
from affwire.store.tables import attempts, deliveries, endings, queue

DUE: Final = "NOT held AND due_at IS NOT NULL AND leased_by IS NULL"
BEHIND: Final = "lane IS NOT NULL AND NOT held AND due_at IS NULL"
MEMBERS_WAIT: Final = """EXISTS (
        SELECT 1 FROM queue AS member WHERE member.endpoint_id = queue.endpoint_id
        AND member.gate = queue.lane AND member.gate IS NOT NULL AND member.lane <> member.gate
        AND member.position < queue.position
    )"""
"""Of a program's deletion: whether something about its memberships is still unfinished."""
HELD_ANEW: Final = "SELECT endpoint_id FROM following WHERE target IN ('held', 'cancelled')"
"""Endpoints whose rows have yet to follow what was decided (store.following): all that waits is held, or is not any more."""
RELEASED: Final = "SELECT endpoint_id FROM following WHERE target = 'released'"
QUIET: Final = "SELECT endpoint_id FROM following WHERE target IN ('held', 'cancelled', 'lanes')"
"""To these nothing goes meanwhile."""
_EARLIER: Final = """EXISTS (
        SELECT 1 FROM queue AS earlier WHERE earlier.endpoint_id = :endpoint_id AND earlier.lane = queue.lane
        AND earlier.lane IS NOT NULL AND earlier.position < queue.position
    )"""

COLUMNS: Final = Delivery.__struct_fields__
FACTS: Final = tuple(column.name for column in deliveries.columns if column.name != "position")
PLACE: Final = tuple(column.name for column in queue.columns)
END: Final = tuple(column.name for column in endings.columns)
ATTEMPT: Final = tuple(
    name for name in AttemptRecord.__struct_fields__ if name not in {"position", "delivery_id", "timings"}
)

INSERT: Final = HotRows(
    f"INSERT INTO deliveries ({', '.join(FACTS)}) VALUES {{rows}} RETURNING position, id",
    types_of(deliveries, FACTS),
)
ENQUEUE: Final = HotRows(
    f"INSERT INTO queue ({', '.join(PLACE)}) VALUES {{rows}}",
    types_of(queue, PLACE),
)
INSERT_ENDINGS: Final = HotRows(
    f"INSERT INTO endings ({', '.join(END)}) VALUES {{rows}}",
    types_of(endings, END),
)
INSERT_ATTEMPTS: Final = HotRows(
    f"INSERT INTO attempts (organization_id, delivery_position, timings, {', '.join(ATTEMPT)}) VALUES {{rows}}",
    types_of(attempts, ("organization_id", "delivery_position", "timings", *ATTEMPT)),
)

_FIRST_DUE: Final = f"""
    SELECT due_at FROM queue WHERE {DUE} AND endpoint_id = waiting.endpoint_id AND priority = {{priority}}
    ORDER BY due_at LIMIT 1
"""
ENDPOINTS_WITH_WORK: Final = Hot(f"""
    WITH RECURSIVE waiting(endpoint_id) AS (
        SELECT MIN(endpoint_id) FROM queue WHERE {DUE}
        UNION ALL
        SELECT (SELECT MIN(endpoint_id) FROM queue WHERE {DUE} AND endpoint_id > waiting.endpoint_id)
        FROM waiting WHERE waiting.endpoint_id IS NOT NULL
    )
    SELECT endpoint_id, (SELECT organization_id FROM queue WHERE {DUE} AND endpoint_id = waiting.endpoint_id LIMIT 1),
           {", ".join(f"({_FIRST_DUE.format(priority=priority)})" for priority in PRIORITIES)}
    FROM waiting WHERE endpoint_id IS NOT NULL AND endpoint_id NOT IN ({QUIET})
""")  # A skip scan: a few look-ups per endpoint with work, however long its backlog.

LEASED: Final = Hot(
    "SELECT endpoint_id, COUNT(*) AS leases FROM queue WHERE leased_by IS NOT NULL GROUP BY endpoint_id",
    postgres="SELECT endpoint_id, SUM(leases)::bigint AS leases FROM under_way WHERE leases > 0 GROUP BY endpoint_id",
)

COUNT_UNDER_WAY: Final = HotRows(
    """
    INSERT INTO under_way (endpoint_id, leased_by, priority, leases)
    VALUES {rows} ON CONFLICT (endpoint_id, leased_by, priority)
    DO UPDATE SET leases = under_way.leases + excluded.leases
    """,
    ("text", "text", "integer", "integer"),
)
FORGET_IDLE: Final = text("""
    DELETE FROM under_way WHERE (endpoint_id, leased_by, priority) IN (
        SELECT endpoint_id, leased_by, priority FROM under_way WHERE leases = 0 FOR UPDATE SKIP LOCKED
    )
""")

LEASES: Final = text("""
    SELECT position FROM queue WHERE leased_by IS NOT NULL AND (:expired_at IS NULL OR lease_until < :expired_at)
""")
LEASES_POSTGRES: Final = text("""
    SELECT held.position FROM (
        SELECT endpoint_id, priority, SUM(leases) AS leases FROM under_way WHERE leases > 0 GROUP BY endpoint_id, priority
    ) AS busy CROSS JOIN LATERAL (
        SELECT position, lease_until FROM queue WHERE endpoint_id = busy.endpoint_id AND priority = busy.priority
        AND NOT held AND due_at IS NOT NULL AND leased_by IS NOT NULL ORDER BY due_at, position LIMIT busy.leases
    ) AS held WHERE CAST(:expired_at AS bigint) IS NULL OR held.lease_until < :expired_at
""")
"""Whoever is under way was due first: the look goes not much farther than what it finds."""
OWN: Final = text("SELECT position FROM queue WHERE position = :position FOR NO KEY UPDATE")
OWN_MANY: Final = text("""
    SELECT position FROM queue WHERE position = ANY(:positions) AND leased_by IS NOT NULL
    ORDER BY position FOR NO KEY UPDATE SKIP LOCKED
""")

DUE_COLUMNS: Final = (
    *(f"deliveries.{name}" for name in ("id", "event_id", "word", "subject_id")),
    *(
        f"queue.{name}"
        for name in ("position", "organization_id", "endpoint_id", "created_at", "lane", "gate", "due_at")
    ),
    *(f"queue.{name}" for name in ("priority", "attempts", "steps", "fence")),
)
"""As queued.due_of reads them. What else there is of a place a claim sets anew."""
_DUE_OF: Final = f"""
    SELECT {", ".join(DUE_COLUMNS)}
    FROM queue JOIN deliveries ON deliveries.position = queue.position AND deliveries.created_at = queue.created_at
    WHERE {DUE} AND queue.endpoint_id = {{endpoint_id}} AND priority = {{priority}} AND due_at <= {{now}} {{unless}}
    ORDER BY due_at, queue.position LIMIT {{places}}
"""
_ASKED: Final = ("endpoint_id", "priority", "now", "places")
_ANOTHERS: Final = {name: f"asked.{name}" for name in _ASKED} | {"unless": f"AND queue.endpoint_id NOT IN ({QUIET})"}
"""Where others write, it may have been decided since the endpoints with work were looked for."""
DUE_OF_ENDPOINTS: Final = HotRows.of_each(
    _DUE_OF.format(**dict.fromkeys(_ASKED, "?"), unless=""),
    ("text", "integer", "bigint", "bigint"),
    postgres=f"""
    SELECT due.* FROM (VALUES {{rows}}) AS asked ({", ".join(_ASKED)}) CROSS JOIN LATERAL (
        {_DUE_OF.format(**_ANOTHERS)} FOR NO KEY UPDATE OF queue SKIP LOCKED
    ) AS due
    """,
)
"""What is due to many endpoints at once: one by one, to ask was a sixth of what a claim took the writer."""

OURS_TO_CLAIM: Final = Hot("""
    SELECT id FROM unnest(CAST(:ids AS text[])) AS asked (id) WHERE pg_try_advisory_xact_lock(hashtextextended(id, 1))
""")
"""Of endpoints, those that no other process is claiming for just now, so that each is given no more than its window."""

LEASE: Final = HotRows(
    """
    WITH claimed (position, attempt_id, lease_until, now, worker) AS (VALUES {rows})
    UPDATE queue SET fence = fence + 1, attempts = attempts + 1, reason = NULL, attempt_id = claimed.attempt_id,
        lease_until = claimed.lease_until, leased_at = claimed.now, leased_by = claimed.worker
    FROM claimed WHERE queue.position = claimed.position AND NOT held AND leased_by IS NULL
    RETURNING queue.position
    """,
    ("bigint", "text", "bigint", "bigint", "text"),
)

GO_ON: Final = HotRows(
    """
    WITH settled (position, fence, held, reason, due_at, steps) AS (VALUES {rows})
    UPDATE queue SET held = settled.held, reason = settled.reason, due_at = settled.due_at, steps = settled.steps,
        priority = CASE WHEN settled.steps > 0 AND priority = 0 THEN 1 ELSE priority END, lease_until = NULL, leased_by = NULL
    FROM settled WHERE queue.position = settled.position AND queue.fence = settled.fence AND leased_by IS NOT NULL
    RETURNING queue.position, queue.fence, lane, gate
    """,
    ("bigint", "bigint", "boolean", "text", "bigint", "integer"),
)  # The lane as it is now: the endpoint may have become ordered since the claim.

FINISH: Final = HotRows(
    """
    DELETE FROM queue WHERE position IN (
        WITH ended (position, fence) AS (VALUES {rows})
        SELECT queue.position FROM ended CROSS JOIN queue
        WHERE queue.position = ended.position AND queue.fence = ended.fence AND leased_by IS NOT NULL
    ) RETURNING position, fence, lane, gate
    """,
    ("bigint", "bigint"),
    postgres="""
    DELETE FROM queue USING (VALUES {rows}) AS ended (position, fence)
    WHERE queue.position = ended.position AND queue.fence = ended.fence AND leased_by IS NOT NULL
    RETURNING queue.position, queue.fence, lane, gate
    """,
)  # SQLite knows no USING, PostgreSQL looks again at the row it deletes only: each has its own way to say the same.

CANCEL: Final = tuple(
    text(f"""
        DELETE FROM queue WHERE position IN (
            SELECT position FROM queue WHERE endpoint_id = :endpoint_id AND {waiting} LIMIT :limit
        ) AND leased_by IS NULL RETURNING position, organization_id, created_at, lane, gate, attempts, steps, fence
    """)
    for waiting in ("held", DUE, BEHIND)
)
"""In this order: with the others gone, all that the index of lanes has left is what waits behind another."""

RELEASE_LANE: Final = Hot(f"""
    UPDATE queue SET due_at = CASE WHEN not_before > :now THEN not_before ELSE :now END, not_before = NULL
    WHERE due_at IS NULL AND position = (
        SELECT MIN(position) FROM queue WHERE endpoint_id = :endpoint_id AND lane = :lane AND lane IS NOT NULL
    ) AND NOT (gate IS NOT NULL AND gate = lane AND {MEMBERS_WAIT})
""")

LANE_END: Final = Hot("""
    SELECT position FROM queue WHERE endpoint_id = :endpoint_id AND lane = :lane AND lane IS NOT NULL
    AND position <> :position ORDER BY position DESC LIMIT 1 FOR SHARE
""")
"""Nothing ends the last of a lane until we have committed what comes behind it; whoever ends it then sees that."""

LANE_BUSY: Final = Hot("""
    SELECT 1 FROM queue WHERE endpoint_id = :endpoint_id AND lane = :lane AND lane IS NOT NULL
    AND position <> :position LIMIT 1
""")

GATE_SHUT: Final = Hot(
    """
    SELECT 1 FROM queue WHERE endpoint_id = :endpoint_id AND gate = :gate AND gate IS NOT NULL AND lane <> gate
    AND (:position = 0 OR position < :position)
    """,
    shared="FOR SHARE",
)

_SOME: Final = "SELECT position FROM queue WHERE endpoint_id = :endpoint_id AND {waiting} LIMIT :limit"
_SPAN: Final = "position > :after AND position <= :to"
_BY_POSITION: Final = f"{_SPAN} AND endpoint_id || '' = :endpoint_id"
"""So that no planner takes all rows of the endpoint for fewer than those of the span."""


def _some(changes: str, waiting: str) -> TextClause:
    """Change some of an endpoint's deliveries of one kind, of which they are no more then."""
    found = _SOME.format(waiting=waiting)
    return text(f"UPDATE queue SET {changes} WHERE position IN ({found}) AND {waiting}")


HOLD_DUE: Final = _some("held = TRUE, reason = :reason", DUE)
RELEASE_HELD: Final = _some("held = FALSE, reason = NULL", "held")
LEAVE_LANES: Final = _some(
    "due_at = COALESCE(due_at, not_before, :now), not_before = NULL, lane = NULL, gate = NULL", "lane IS NOT NULL"
)

LANES_AFTER: Final = text("""
    SELECT lane, position AS after FROM (
        SELECT lane, position FROM queue
        WHERE endpoint_id = :endpoint_id AND lane IS NOT NULL AND (lane, position) > (:lane, :after)
        ORDER BY lane, position LIMIT :limit
    ) AS piece ORDER BY lane DESC, position DESC LIMIT 1
""")
HOLD_BEHIND: Final = text(f"""
    UPDATE queue SET held = TRUE, reason = :reason WHERE endpoint_id = :endpoint_id AND {BEHIND}
    AND (lane, position) > (:lane, :after) AND (lane, position) <= (:to_lane, :to)
""")
HELD_AFTER: Final = text("""
    SELECT NULL AS lane, MAX(position) AS after FROM (
        SELECT position FROM queue WHERE endpoint_id = :endpoint_id AND held AND position > :after
        ORDER BY position LIMIT :limit
    ) AS piece
""")
REASON_OF_HELD: Final = text(
    f"UPDATE queue SET reason = :reason WHERE endpoint_id = :endpoint_id AND {_SPAN} AND held AND reason <> :reason"
)

QUEUE_AFTER: Final = text("""
    SELECT NULL AS lane, MAX(position) AS after FROM (
        SELECT position FROM queue WHERE position > :after ORDER BY position LIMIT :limit
    ) AS piece
""")  # Of all endpoints: no index has one endpoint's in the order of their positions.
ENTER_LANES: Final = (
    text(f"""
        UPDATE queue SET lane = (SELECT events.subject_id FROM events JOIN deliveries ON deliveries.event_id = events.id
            WHERE deliveries.position = queue.position AND deliveries.created_at = queue.created_at
        ), gate = (SELECT events.program_id FROM events JOIN deliveries ON deliveries.event_id = events.id
            WHERE deliveries.position = queue.position AND deliveries.created_at = queue.created_at
            AND (events.type LIKE 'membership.%' OR events.type = 'program.deleted')
        ) WHERE {_BY_POSITION} AND lane IS NULL
    """),
    text(f"""
        UPDATE queue SET not_before = COALESCE(due_at, not_before), due_at = NULL
        WHERE {_BY_POSITION} AND lane IS NOT NULL AND leased_by IS NULL
        AND ({_EARLIER} OR (gate IS NOT NULL AND gate = lane AND {MEMBERS_WAIT}))
    """),
    text(f"""
        UPDATE queue SET due_at = COALESCE(not_before, created_at), not_before = NULL
        WHERE {_BY_POSITION} AND lane IS NOT NULL AND leased_by IS NULL AND due_at IS NULL AND NOT {_EARLIER}
        AND NOT (gate IS NOT NULL AND gate = lane AND {MEMBERS_WAIT})
    """),  # A replayed delivery may have waited behind a later one of its lane; now it is the head.
)
"""Lanes for a piece of the queue, whose earlier ones have theirs; those behind another, and deletions, wait; heads are due."""

FORGET_BODIES: Final = tuple(
    text(f"""
        UPDATE attempts SET request = NULL, response = NULL WHERE (delivery_position, number) IN (
            SELECT delivery_position, number FROM queue JOIN attempts ON attempts.delivery_position = queue.position
            WHERE {waiting} AND attempts.ended_at < :before AND attempts.request IS NOT NULL LIMIT :limit
        )
    """)
    for waiting in (DUE, "held")
)  # One for each partial index: together they would be a scan of the whole queue.
