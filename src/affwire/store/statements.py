"""The outbox's SQL, each statement under a name. What runs for every single delivery is Hot; the rest is SQLAlchemy's.

The conditions are those of the partial indexes in tables.py, word for word, so that the planner uses them.
"""

from typing import Final

from sqlalchemy import text

from affwire.model.deliveries import AttemptRecord, Delivery
from affwire.store.hot import Hot, HotRows, types_of
from affwire.store.tables import attempts

DUE: Final = "status = 'pending' AND due_at IS NOT NULL"
MEMBERS_WAIT: Final = """EXISTS (
        SELECT 1 FROM deliveries AS member WHERE member.endpoint_id = deliveries.endpoint_id
        AND member.gate = deliveries.lane AND member.gate IS NOT NULL AND member.lane <> member.gate
        AND member.status IN ('pending', 'held', 'leased') AND member.position < deliveries.position
    )"""
"""Of a program's deletion: whether something about its memberships is still unfinished."""
IN_LANE: Final = "lane IS NOT NULL AND status IN ('pending', 'held', 'leased')"

COLUMNS: Final = Delivery.__struct_fields__
STORED: Final = tuple(name for name in COLUMNS if name != "position")
ATTEMPT: Final = tuple(name for name in AttemptRecord.__struct_fields__ if name != "position")

INSERT: Final = Hot(f"INSERT INTO deliveries ({', '.join(STORED)}) VALUES ({', '.join(f':{name}' for name in STORED)})")
INSERT_ATTEMPTS: Final = HotRows(
    f"INSERT INTO attempts (organization_id, {', '.join(ATTEMPT)}) VALUES {{rows}}",
    types_of(attempts, ("organization_id", *ATTEMPT)),
)

ENDPOINTS_WITH_WORK: Final = Hot(f"""
    WITH RECURSIVE waiting(endpoint_id) AS (
        SELECT MIN(endpoint_id) FROM deliveries WHERE {DUE}
        UNION ALL
        SELECT (SELECT MIN(endpoint_id) FROM deliveries WHERE {DUE} AND endpoint_id > waiting.endpoint_id)
        FROM waiting WHERE waiting.endpoint_id IS NOT NULL
    )
    SELECT endpoint_id,
           (SELECT MIN(due_at) FROM deliveries WHERE {DUE} AND endpoint_id = waiting.endpoint_id AND priority = 0) AS first,
           (SELECT MIN(due_at) FROM deliveries WHERE {DUE} AND endpoint_id = waiting.endpoint_id AND priority = 1) AS replay
    FROM waiting WHERE endpoint_id IS NOT NULL
""")  # A skip scan: a few look-ups per endpoint with work, however long its backlog.

LEASED: Final = Hot(
    "SELECT endpoint_id, COUNT(*) AS leased FROM deliveries WHERE status = 'leased' GROUP BY endpoint_id"
)

DUE_OF_ENDPOINT: Final = Hot(
    f"""
    SELECT {", ".join(COLUMNS)} FROM deliveries
    WHERE {DUE} AND endpoint_id = :endpoint_id AND priority = :priority AND due_at <= :now
    ORDER BY due_at, position LIMIT :limit
    """,
    shared="FOR NO KEY UPDATE SKIP LOCKED",
)

OURS_TO_CLAIM: Final = Hot("""
    SELECT id FROM unnest(CAST(:ids AS text[])) AS asked (id) WHERE pg_try_advisory_xact_lock(hashtextextended(id, 1))
""")
"""Of endpoints, those that no other process is claiming for just now, so that each is given no more than its window."""

LEASE: Final = HotRows(
    """
    WITH claimed (position, attempt_id, lease_until, now, worker) AS (VALUES {rows})
    UPDATE deliveries SET status = 'leased', fence = fence + 1, attempts = attempts + 1, reason = NULL,
        attempt_id = claimed.attempt_id, lease_until = claimed.lease_until, leased_at = claimed.now,
        leased_by = claimed.worker
    FROM claimed WHERE deliveries.position = claimed.position AND deliveries.status = 'pending'
    RETURNING deliveries.position
    """,
    ("bigint", "text", "bigint", "bigint", "text"),
)

SETTLE: Final = HotRows(
    """
    WITH settled (position, fence, status, reason, due_at, steps, settled_at) AS (VALUES {rows})
    UPDATE deliveries SET status = settled.status, reason = settled.reason, due_at = settled.due_at,
        steps = settled.steps, settled_at = settled.settled_at, lease_until = NULL, leased_by = NULL
    FROM settled
    WHERE deliveries.position = settled.position AND deliveries.status = 'leased' AND deliveries.fence = settled.fence
    RETURNING deliveries.position, deliveries.fence, lane, gate
    """,
    ("bigint", "bigint", "text", "text", "bigint", "integer", "bigint"),
)  # The lane as it is now: the endpoint may have become ordered since the claim.

RELEASE_LANE: Final = Hot(f"""
    UPDATE deliveries SET due_at = CASE WHEN not_before > :now THEN not_before ELSE :now END, not_before = NULL
    WHERE due_at IS NULL AND position = (
        SELECT MIN(position) FROM deliveries WHERE endpoint_id = :endpoint_id AND lane = :lane AND {IN_LANE}
    ) AND NOT (gate IS NOT NULL AND gate = lane AND {MEMBERS_WAIT})
""")

LANE_END: Final = Hot(f"""
    SELECT position FROM deliveries WHERE endpoint_id = :endpoint_id AND lane = :lane AND {IN_LANE} AND id <> :id
    ORDER BY position DESC LIMIT 1 FOR SHARE
""")
"""Nothing ends the last of a lane until we have committed what comes behind it; whoever ends it then sees that."""

LANE_BUSY: Final = Hot(
    f"SELECT 1 FROM deliveries WHERE endpoint_id = :endpoint_id AND lane = :lane AND {IN_LANE} AND id <> :id LIMIT 1"
)

GATE_SHUT: Final = Hot(
    """
    SELECT 1 FROM deliveries WHERE endpoint_id = :endpoint_id AND gate = :gate AND gate IS NOT NULL AND lane <> gate
    AND status IN ('pending', 'held', 'leased') AND (:position = 0 OR position < :position)
    """,
    shared="FOR SHARE",
)

ENTER_LANES: Final = text("""
    UPDATE deliveries SET lane = (SELECT subject_id FROM events WHERE events.id = deliveries.event_id), gate = (
        SELECT program_id FROM events WHERE events.id = deliveries.event_id
        AND (events.type LIKE 'membership.%' OR events.type = 'program.deleted')
    )
    WHERE endpoint_id = :endpoint_id AND status IN ('pending', 'held', 'leased')
""")

ONE_HEAD_PER_LANE: Final = text("""
    UPDATE deliveries SET not_before = COALESCE(due_at, not_before), due_at = NULL
    WHERE endpoint_id = :endpoint_id AND lane IS NOT NULL AND status IN ('pending', 'held') AND EXISTS (
        SELECT 1 FROM deliveries AS earlier WHERE earlier.endpoint_id = :endpoint_id AND earlier.lane = deliveries.lane
        AND earlier.lane IS NOT NULL AND earlier.status IN ('pending', 'held', 'leased')
        AND earlier.position < deliveries.position
    )
""")

DELETIONS_AFTER_MEMBERS: Final = text(f"""
    UPDATE deliveries SET not_before = COALESCE(due_at, not_before), due_at = NULL
    WHERE endpoint_id = :endpoint_id AND gate IS NOT NULL AND gate = lane AND status IN ('pending', 'held') AND {MEMBERS_WAIT}
""")

HEADS_ARE_DUE: Final = text(f"""
    UPDATE deliveries SET due_at = COALESCE(not_before, created_at), not_before = NULL
    WHERE endpoint_id = :endpoint_id AND lane IS NOT NULL AND status IN ('pending', 'held') AND due_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM deliveries AS earlier WHERE earlier.endpoint_id = :endpoint_id AND earlier.lane = deliveries.lane
        AND earlier.lane IS NOT NULL AND earlier.status IN ('pending', 'held', 'leased')
        AND earlier.position < deliveries.position
    ) AND NOT (gate IS NOT NULL AND gate = lane AND {MEMBERS_WAIT})
""")  # A replayed delivery may have waited behind a later one of its lane; now it is the head.

REASON_OF_HELD: Final = text("""
    UPDATE deliveries SET reason = :reason WHERE endpoint_id = :endpoint_id AND status = 'held' AND reason <> :reason
""")

FORGET_BODIES: Final = tuple(
    text(f"""
        UPDATE attempts SET request = NULL, response = NULL WHERE (delivery_id, number) IN (
            SELECT delivery_id, number FROM deliveries JOIN attempts ON attempts.delivery_id = deliveries.id
            WHERE {waiting} AND attempts.ended_at < :before AND attempts.request IS NOT NULL LIMIT :limit
        )
    """)
    for waiting in (DUE, "status = 'held'")
)  # One for each partial index: together they would be a scan of the whole history.
