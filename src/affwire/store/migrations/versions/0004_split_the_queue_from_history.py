"""Split the queue from the history: what never changes about a delivery, where it stands, how it ended.

Everything is copied into new tables within the caller's transaction, so a crash leaves the former ones whole.
Code of schema 0003 knows nothing of `queue`: it must be stopped first, and is refused afterwards.
"""

import sqlalchemy as sa
from alembic import op

from affwire.store.partitions import cover

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FORMER = ("deliveries", "attempts", "jobs")
_COUNTED = ("deliveries", "attempts")
_UNFINISHED = "status IN ('pending', 'held', 'leased')"
_COPIES = (
    """
    INSERT INTO deliveries (position, id, organization_id, endpoint_id, event_id, word, subject_id, created_at)
    SELECT position, id, organization_id, endpoint_id, event_id, word, subject_id, created_at FROM former_deliveries
    """,
    f"""
    INSERT INTO queue (position, organization_id, endpoint_id, created_at, held, reason, lane, gate, due_at, not_before,
        priority, attempts, steps, fence, lease_until, leased_at, attempt_id, leased_by)
    SELECT position, organization_id, endpoint_id, created_at, status = 'held', reason, lane, gate, due_at, not_before,
        CASE WHEN priority > 0 THEN 2 WHEN steps > 0 THEN 1 ELSE 0 END, attempts, steps, fence, lease_until, leased_at,
        attempt_id, CASE WHEN status = 'leased' THEN COALESCE(leased_by, '') END
    FROM former_deliveries WHERE {_UNFINISHED}
    """,  # noqa: S608 -- a constant
    f"""
    INSERT INTO endings (position, organization_id, endpoint_id, created_at, status, reason, lane, gate, attempts, steps,
        fence, settled_at)
    SELECT position, organization_id, endpoint_id, created_at, status, reason, lane, gate, attempts, steps, fence,
        COALESCE(settled_at, created_at)
    FROM former_deliveries WHERE NOT {_UNFINISHED}
    """,  # noqa: S608 -- a constant
    """
    INSERT INTO attempts (position, delivery_position, number, id, organization_id, started_at, ended_at, outcome,
        status_code, error, detail, timings, request, response)
    SELECT tried.position, former_deliveries.position, tried.number, tried.id, tried.organization_id, tried.started_at,
        tried.ended_at, tried.outcome, tried.status_code, tried.error, tried.detail, tried.timings, tried.request,
        tried.response
    FROM former_attempts AS tried JOIN former_deliveries ON former_deliveries.id = tried.delivery_id
    ORDER BY tried.position
    """,
    """
    INSERT INTO jobs (id, organization_id, kind, status, request, cursor, total, done, skipped, reason, created_at,
        updated_at, finished_at)
    SELECT id, organization_id, kind, status, request, cursor, total, done, skipped, reason, created_at, updated_at,
        finished_at FROM former_jobs
    """,
)
_COUNT_UNDER_WAY = """
    INSERT INTO under_way (endpoint_id, leased_by, priority, leases) SELECT endpoint_id, leased_by, priority, COUNT(*)
    FROM queue WHERE leased_by IS NOT NULL GROUP BY endpoint_id, leased_by, priority
"""
_SETTINGS = {
    "queue": "fillfactor = 40, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000, "
    "autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0",
    "under_way": "fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000",
}
"""Room in every page for the next version of each of its rows, which a lease makes half as long again and which a batch
changes all at once; and vacuum by the thousand rows."""


def upgrade() -> None:
    """Bring schema 0003 to 0004."""
    shared = op.get_bind().dialect.name == "postgresql"
    for table in _FORMER:
        _set_aside(table)
    for create in (_create_deliveries, _create_queue, _create_endings, _create_attempts, _create_jobs):
        create()
    if shared:
        _make_partitions()
    for copy in (*_COPIES, _COUNT_UNDER_WAY) if shared else _COPIES:
        op.execute(copy)
    for table in _COUNTED:
        _go_on_counting(table)
    for table, settings in _SETTINGS.items() if shared else ():
        op.execute(f"ALTER TABLE {table} SET ({settings})")
    for table in _FORMER:
        op.drop_table(f"former_{table}")


def _make_partitions() -> None:
    for table, by, former in (
        ("deliveries", "created_at", "deliveries"),
        ("endings", "settled_at", "deliveries"),
        ("attempts", "ended_at", "attempts"),
    ):
        earliest = op.get_bind().execute(sa.text(f"SELECT MIN({by}) FROM former_{former}")).scalar()  # noqa: S608 -- ours
        cover(op.get_bind(), table, by, earliest)


def _set_aside(table: str) -> None:
    """Give a table and all that is its own another name, so that the new one can have its."""
    bind = op.get_bind()
    indexes = sa.inspect(bind).get_indexes(table)
    op.rename_table(table, f"former_{table}")
    if bind.dialect.name != "postgresql":
        for index in indexes:
            if not str(index["name"]).startswith("uq_"):
                op.drop_index(str(index["name"]))
        return
    owned = "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND tablename = :table"
    for name in bind.execute(sa.text(owned), {"table": f"former_{table}"}).scalars().all():
        op.execute(f"ALTER INDEX {name} RENAME TO former_{name[:50]}")
    if table in _COUNTED:
        op.execute(f"ALTER SEQUENCE {table}_position_seq RENAME TO former_{table}_position_seq")


def _go_on_counting(table: str) -> None:
    """A position that was ever given is never given again."""
    if op.get_bind().dialect.name == "postgresql":
        former = f"former_{table}_position_seq"
        op.execute(f"SELECT setval('{table}_position_seq', last_value, is_called) FROM {former}")  # noqa: S608 -- our own names
        return
    op.execute(f"DELETE FROM sqlite_sequence WHERE name = '{table}'")  # noqa: S608 -- our own names
    former = f"SELECT '{table}', seq FROM sqlite_sequence WHERE name = 'former_{table}'"  # noqa: S608 -- as above
    op.execute(f"INSERT INTO sqlite_sequence (name, seq) {former}")


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("position", _POSITION, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("id", name=op.f("uq_deliveries_id")),
        sa.UniqueConstraint(
            "event_id",
            "endpoint_id",
            "word",
            "subject_id",
            name=op.f("uq_deliveries_event_id_endpoint_id_word_subject_id"),
        ),
        sqlite_autoincrement=True,
        postgresql_partition_by="RANGE (created_at)",
        info={"partitioned": "created_at"},
    )
    op.create_index("ix_deliveries_organization_id_position", "deliveries", ["organization_id", "position"])
    op.create_index("ix_deliveries_of_endpoint", "deliveries", ["organization_id", "endpoint_id", "position"])


def _create_queue() -> None:
    op.create_table(
        "queue",
        sa.Column("position", _POSITION, autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("lane", sa.Text(), nullable=True),
        sa.Column("gate", sa.Text(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("not_before", sa.BigInteger(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("leased_at", sa.BigInteger(), nullable=True),
        sa.Column("attempt_id", sa.Text(), nullable=True),
        sa.Column("leased_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_index(
        "ix_queue_due",
        "queue",
        ["endpoint_id", "priority", "due_at", "position"],
        sqlite_where=sa.text("NOT held AND due_at IS NOT NULL AND leased_by IS NULL"),
        postgresql_where=sa.text("NOT held AND due_at IS NOT NULL"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.create_index(
            "ix_queue_leased", "queue", ["endpoint_id", "lease_until"], sqlite_where=sa.text("leased_by IS NOT NULL")
        )
    for name, columns, where in (
        ("held", ["endpoint_id", "position"], "held"),
        ("lane", ["endpoint_id", "lane", "position"], "lane IS NOT NULL"),
        ("gate", ["endpoint_id", "gate", "position"], "gate IS NOT NULL"),
    ):
        op.create_index(
            f"ix_queue_{name}", "queue", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )
    op.create_table(
        "under_way",
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("leased_by", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("leases", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint_id", "leased_by", "priority"),
    )


def _create_endings() -> None:
    op.create_table(
        "endings",
        sa.Column("position", _POSITION, autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("lane", sa.Text(), nullable=True),
        sa.Column("gate", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
        postgresql_partition_by="RANGE (settled_at)",
        info={"partitioned": "settled_at"},
    )
    op.create_index("ix_endings_organization_id_status", "endings", ["organization_id", "status", "position"])
    if op.get_bind().dialect.name == "sqlite":
        op.create_index("ix_endings_settled_at", "endings", ["settled_at"])


def _create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("position", _POSITION, autoincrement=True, nullable=False),
        sa.Column("delivery_position", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("timings", sa.LargeBinary(), nullable=True),
        sa.Column("request", sa.LargeBinary(), nullable=True),
        sa.Column("response", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("delivery_position", "number", name=op.f("uq_attempts_delivery_position_number")),
        sqlite_autoincrement=True,
        postgresql_partition_by="RANGE (ended_at)",
        info={"partitioned": "ended_at"},
    )
    op.create_index("ix_attempts_organization_id_position", "attempts", ["organization_id", "position"])


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("request", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("skipped", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_jobs_organization_id_id", "jobs", ["organization_id", "id"])
    running = sa.text("status = 'running'")
    op.create_index("ix_jobs_running", "jobs", ["id"], sqlite_where=running, postgresql_where=running)
