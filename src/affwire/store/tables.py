"""The schema, once, for SQLite and PostgreSQL. Times are integer ms UTC; `position` is a place in an append-only order.

A delivery is three rows at most: what never changes, where it stands while it waits, how it ended (decisions/0016).
"""

from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.ext.compiler import compiles

metadata: Final = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}
)

_POSITION: Final = BigInteger().with_variant(Integer, "sqlite")
"""SQLite's row id must be declared INTEGER to be the table's own key; it holds 64 bits all the same."""

PARTITIONED: Final = "partitioned"
"""Under this name a table knows the column by which PostgreSQL partitions it."""


@compiles(PrimaryKeyConstraint, "postgresql")
@compiles(UniqueConstraint, "postgresql")
def _with_time(constraint: Any, compiler: Any, **options: Any) -> str:
    """Unique is, in a partitioned table, what is unique within each partition: PostgreSQL wants its column in the key."""
    by = constraint.table.info.get(PARTITIONED)
    visit = (
        compiler.visit_primary_key_constraint
        if isinstance(constraint, PrimaryKeyConstraint)
        else compiler.visit_unique_constraint
    )
    made: str = visit(constraint, **options)
    return made if by is None else f"{made.removesuffix(')')}, {by})"


def _rest(table: Table, connection: Connection, **_: Any) -> None:
    """What fits into no partition goes here."""
    if connection.dialect.name == "postgresql" and PARTITIONED in table.info:
        connection.exec_driver_sql(f"CREATE TABLE {table.name}_rest PARTITION OF {table.name} DEFAULT")


event.listen(Table, "after_create", _rest)


def _id() -> Column[str]:
    return Column("id", Text, primary_key=True)


def _text(name: str, *, null: bool = True) -> Column[Any]:
    return Column(name, Text, nullable=null)


def _time(name: str, *, null: bool = True) -> Column[Any]:
    return Column(name, BigInteger, nullable=null)


def _flag(name: str) -> Column[Any]:
    return Column(name, Boolean, nullable=False)


def _json(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, JSON(none_as_null=True), nullable=null)


def _owned(*columns: Column[Any]) -> list[Column[Any]]:
    """Columns that every record of an organization has, around its own."""
    return [
        _id(),
        _text("organization_id", null=False),
        Column("number", BigInteger, nullable=False),
        *columns,
        _time("created_at", null=False),
        _time("updated_at", null=False),
    ]


def _partial(name: str, *columns: Any, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


def _partitioned(by: str) -> dict[str, Any]:
    """On PostgreSQL the rows of each span of time are a table of their own, which the retention drops."""
    return {"postgresql_partition_by": f"RANGE ({by})", "info": {PARTITIONED: by}}


meta = Table("meta", metadata, Column("name", Text, primary_key=True), _text("value", null=False))

counters = Table(
    "counters",
    metadata,
    Column("organization_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

organizations = Table(
    "organizations",
    metadata,
    _id(),
    Column("number", BigInteger, nullable=False),
    Column("slug", Text, nullable=False, unique=True),
    _text("name", null=False),
    _text("timezone", null=False),
    _flag("unlimited_endpoints"),
    _time("created_at", null=False),
    _time("updated_at", null=False),
)

keys = Table(
    "keys",
    metadata,
    _id(),
    _text("organization_id", null=False),
    _text("name", null=False),
    _text("scope", null=False),
    Column("digest", Text, nullable=False, unique=True),
    _text("last4", null=False),
    _time("created_at", null=False),
    _time("expires_at"),
    _time("revoked_at"),
    _time("last_used_at"),
    Index("ix_keys_organization_id", "organization_id"),
)

programs = Table(
    "programs",
    metadata,
    *_owned(
        _text("name", null=False),
        _text("description"),
        _text("currency", null=False),
        Column("commission_percent", Float),
        Column("commission_amount", BigInteger),
        _text("subscription_commission_type", null=False),
        Column("payment_count", BigInteger),
        Column("payout_delay", BigInteger, nullable=False),
        _json("products"),
        _text("domain"),
        _json("destinations"),
        _json("payments"),
        _text("signup_url"),
        _flag("is_public"),
        _flag("is_listed"),
        _flag("auto_approve"),
        _flag("affiliate_notifications"),
        _json("banners", null=True),
        _json("external_ids"),
        _json("metadata"),
        Column("sequence", BigInteger, nullable=False),
        _time("deleted_at"),
    ),
    Index("ix_programs_organization_id_number", "organization_id", "number", unique=True),
)

affiliates = Table(
    "affiliates",
    metadata,
    *_owned(
        _text("email"),
        _text("email_key"),
        *(_text(name) for name in ("first_name", "last_name", "company", "country", "address", "city", "state")),
        *(_text(name) for name in ("postcode", "telephone", "vat", "language", "timezone", "unconfirmed_email")),
        _text("paypal_email"),
        _time("paypal_email_confirmed_at"),
        _text("wise_email"),
        _time("wise_email_confirmed_at"),
        _text("stripe_customer_id"),
        _text("stripe_account_id"),
        _json("payments", null=True),
        _flag("receive_new_commission_notifications"),
        Column("sign_in_count", BigInteger, nullable=False),
        _text("status", null=False),
        _time("confirmed_at"),
        _flag("onboarding_completed"),
        _flag("standing"),
        _json("external_ids"),
        _json("metadata"),
        Column("sequence", BigInteger, nullable=False),
        _time("touched_at", null=False),
        _time("deleted_at"),
        _time("erased_at"),
    ),
    Index("ix_affiliates_organization_id_number", "organization_id", "number", unique=True),
    _partial(
        "uq_affiliates_email",
        "organization_id",
        "email_key",
        where="deleted_at IS NULL AND email_key IS NOT NULL",
        unique=True,
    ),
    _partial("ix_affiliates_erased", "erased_at", where="erased_at IS NOT NULL"),
)

memberships = Table(
    "memberships",
    metadata,
    *_owned(
        _text("affiliate_id", null=False),
        _text("program_id", null=False),
        _text("status", null=False),
        *(_text(name) for name in ("tag", "source", "group_id", "deep_link")),
        _json("external_ids"),
        _json("metadata"),
    ),
    UniqueConstraint("affiliate_id", "program_id"),
    Index("ix_memberships_organization_id_number", "organization_id", "number", unique=True),
    Index("ix_memberships_of_affiliate", "organization_id", "affiliate_id", "number"),
    Index("ix_memberships_of_program", "organization_id", "program_id", "number"),
    _partial("ix_memberships_of_group", "organization_id", "group_id", "number", where="group_id IS NOT NULL"),
    # Most are active: who is not is found here, and counted, too.
    _partial(
        "ix_memberships_not_active",
        "organization_id",
        "status",
        "program_id",
        "affiliate_id",
        where="status <> 'active'",
    ),
)

external_ids = Table(
    "external_ids",
    metadata,
    Column("organization_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("namespace", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    _text("record_id", null=False),
    Index("ix_external_ids_record_id", "record_id"),
    Index("ix_external_ids_value", "organization_id", "value"),
)

groups = Table(
    "groups",
    metadata,
    *_owned(_text("name", null=False)),
    Index("ix_groups_organization_id_number", "organization_id", "number", unique=True),
)

links = Table(
    "links",
    metadata,
    *_owned(
        _text("membership_id", null=False),
        _text("affiliate_id", null=False),
        _text("url", null=False),
        _text("token", null=False),
    ),
    Index("ix_links_organization_id_number", "organization_id", "number", unique=True),
    Index("ix_links_of_affiliate", "organization_id", "affiliate_id", "number"),
    Index("ix_links_token", "organization_id", "token"),
)

promo_codes = Table(
    "promo_codes",
    metadata,
    *_owned(
        _text("membership_id", null=False),
        _text("affiliate_id", null=False),
        _text("code", null=False),
        *(_text(name) for name in ("coupon_id", "discount_type", "duration", "discount_value")),
    ),
    UniqueConstraint("membership_id", "code"),
    Index("ix_promo_codes_organization_id_number", "organization_id", "number", unique=True),
    Index("ix_promo_codes_of_affiliate", "organization_id", "affiliate_id", "number"),
    Index("ix_promo_codes_of_membership", "organization_id", "membership_id", "number"),
    Index("ix_promo_codes_code", "organization_id", "code"),
)

events = Table(
    "events",
    metadata,
    Column("position", _POSITION, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    _text("organization_id", null=False),
    _text("type", null=False),
    _text("subject_id", null=False),
    _text("affiliate_id"),
    _text("program_id"),
    Column("sequence", BigInteger, nullable=False),
    _time("occurred_at", null=False),
    Column("document", LargeBinary, nullable=False),
    _json("silences"),
    UniqueConstraint("subject_id", "sequence"),
    Index("ix_events_organization_id_position", "organization_id", "position"),
    Index("ix_events_of_affiliate", "organization_id", "affiliate_id", "position"),
    sqlite_autoincrement=True,
)

endpoints = Table(
    "endpoints",
    metadata,
    *_owned(
        _text("url", null=False),
        _text("dialect", null=False),
        _json("event_types"),
        _text("description"),
        _json("secrets"),
        _json("bearer_token", null=True),
        _text("headers"),
        _json("options"),
        _flag("enabled"),
        _text("disabled_reason"),
        _time("disabled_at"),
        _flag("paused"),
        _json("policy"),
        _text("source_id"),
        _time("deleted_at"),
    ),
    Index("ix_endpoints_organization_id_number", "organization_id", "number", unique=True),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("position", _POSITION, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False),
    _text("organization_id", null=False),
    _text("endpoint_id", null=False),
    _text("event_id", null=False),
    _text("word", null=False),
    _text("subject_id", null=False),
    _time("created_at", null=False),
    UniqueConstraint("id"),
    UniqueConstraint("event_id", "endpoint_id", "word", "subject_id"),
    Index("ix_deliveries_organization_id_position", "organization_id", "position"),
    Index("ix_deliveries_of_endpoint", "organization_id", "endpoint_id", "position"),
    sqlite_autoincrement=True,
    **_partitioned("created_at"),
)
"""What never changes about a delivery. It has a row in `queue` until it ends, then one in `endings`; with neither, it is
forgotten."""

queue = Table(
    "queue",
    metadata,
    Column("position", _POSITION, primary_key=True, autoincrement=False),
    _text("organization_id", null=False),
    _text("endpoint_id", null=False),
    _time("created_at", null=False),
    _flag("held"),
    _text("reason"),
    _text("lane"),
    _text("gate"),
    _time("due_at"),
    _time("not_before"),
    Column("priority", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("fence", BigInteger, nullable=False),
    _time("lease_until"),
    _time("leased_at"),
    _text("attempt_id"),
    _text("leased_by"),
    # On PostgreSQL no index and no condition of one names a column that a claim changes, so that its new version of the
    # row is a heap-only one: there the index of what is due holds what is leased, too, and whoever claims passes it.
    Index(
        "ix_queue_due",
        "endpoint_id",
        "priority",
        "due_at",
        "position",
        sqlite_where=text("NOT held AND due_at IS NOT NULL AND leased_by IS NULL"),
        postgresql_where=text("NOT held AND due_at IS NOT NULL"),
    ),
    Index("ix_queue_leased", "endpoint_id", "lease_until", sqlite_where=text("leased_by IS NOT NULL")).ddl_if("sqlite"),
    _partial("ix_queue_held", "endpoint_id", "position", where="held"),
    _partial("ix_queue_lane", "endpoint_id", "lane", "position", where="lane IS NOT NULL"),
    _partial("ix_queue_gate", "endpoint_id", "gate", "position", where="gate IS NOT NULL"),
)
"""Where an unfinished delivery stands: narrow, for it is written at every claim and settlement."""

under_way = Table(
    "under_way",
    metadata,
    Column("endpoint_id", Text, primary_key=True),
    Column("leased_by", Text, primary_key=True),
    Column("priority", Integer, primary_key=True, autoincrement=False),
    Column("leases", Integer, nullable=False),
)
"""How many deliveries each process has under way to each endpoint, on PostgreSQL; SQLite counts in its index of them."""

following = Table(
    "following",
    metadata,
    Column("endpoint_id", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    _text("target", null=False),
    _text("reason"),
    _text("lane"),
    Column("after", BigInteger, nullable=False),
)
"""Endpoints whose rows in `queue` do not yet stand as was decided: `part` is their standing or their order (decisions/0019)."""

endings = Table(
    "endings",
    metadata,
    Column("position", _POSITION, primary_key=True, autoincrement=False),
    _text("organization_id", null=False),
    _text("endpoint_id", null=False),
    _time("created_at", null=False),
    _text("status", null=False),
    _text("reason"),
    _text("lane"),
    _text("gate"),
    Column("attempts", Integer, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("fence", BigInteger, nullable=False),
    _time("settled_at", null=False),
    Index("ix_endings_organization_id_status", "organization_id", "status", "position"),
    Index("ix_endings_settled_at", "settled_at").ddl_if("sqlite"),
    **_partitioned("settled_at"),
)
"""How a delivery ended: written once, taken away by a replay or by the retention."""

attempts = Table(
    "attempts",
    metadata,
    Column("position", _POSITION, primary_key=True, autoincrement=True),
    Column("delivery_position", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    _text("id", null=False),
    _text("organization_id", null=False),
    _time("started_at", null=False),
    _time("ended_at", null=False),
    _text("outcome", null=False),
    Column("status_code", Integer),
    _text("error"),
    _text("detail"),
    Column("timings", LargeBinary),
    Column("request", LargeBinary),
    Column("response", LargeBinary),
    UniqueConstraint("delivery_position", "number"),
    Index("ix_attempts_organization_id_position", "organization_id", "position"),
    sqlite_autoincrement=True,
    **_partitioned("ended_at"),
)

sources = Table(
    "sources",
    metadata,
    *_owned(
        _text("name"),
        _text("dialect", null=False),
        _text("mode", null=False),
        _text("match", null=False),
        _flag("unverified"),
        _flag("enabled"),
        _json("secrets"),
        _json("options"),
        Column("token_digest", Text, nullable=False, unique=True),
        _text("token_sealed", null=False),
        Column("seen", BigInteger, nullable=False),
        _time("last_message_at"),
        Column("gap_ms", BigInteger),
        _time("silent_since"),
        _time("deleted_at"),
    ),
    Index("ix_sources_organization_id_number", "organization_id", "number", unique=True),
)

messages = Table(
    "messages",
    metadata,
    Column("position", _POSITION, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    _text("organization_id", null=False),
    _text("source_id", null=False),
    _text("dialect", null=False),
    _text("word"),
    _text("dedupe_key"),
    _text("status", null=False),
    _text("reason"),
    _json("headers"),
    Column("body", LargeBinary),
    Column("size", Integer, nullable=False),
    _time("received_at", null=False),
    _time("occurred_at"),
    _time("settled_at"),
    _text("affiliate_id"),
    _json("events"),
    Column("hops", Integer, nullable=False),
    UniqueConstraint("source_id", "dedupe_key"),
    Index("ix_messages_organization_id_position", "organization_id", "position"),
    Index("ix_messages_of_source", "organization_id", "source_id", "position"),
    _partial("ix_messages_waiting", "position", where="status = 'received'"),
    _partial("ix_messages_rejected", "source_id", "position", "size", where="status = 'rejected'"),
    _partial("ix_messages_parked", "source_id", "position", "size", where="status = 'parked'"),
    _partial("ix_messages_settled", "settled_at", where="settled_at IS NOT NULL"),
    _partial("ix_messages_of_affiliate", "affiliate_id", where="affiliate_id IS NOT NULL"),
    sqlite_autoincrement=True,
)

identities = Table(
    "identities",
    metadata,
    Column("organization_id", Text, primary_key=True),
    Column("namespace", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    _text("record_id", null=False),
    _time("told_at"),
    _flag("ended"),
    _text("status"),
    Index("ix_identities_record_id", "record_id"),
)

endpoint_health = Table(
    "endpoint_health",
    metadata,
    Column("endpoint_id", Text, primary_key=True),
    Column("failures_in_row", Integer, nullable=False),
    _time("failing_since"),
    _time("last_success_at"),
    _time("last_failure_at"),
    _text("last_error"),
    Column("warned_percent", Integer, nullable=False),
    _time("tripped_until"),
    Column("trips", Integer, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    _id(),
    _text("organization_id", null=False),
    _text("kind", null=False),
    _text("status", null=False),
    _json("request"),
    Column("cursor", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("skipped", BigInteger, nullable=False),
    _text("reason"),
    _time("due_at"),
    _time("created_at", null=False),
    _time("updated_at", null=False),
    _time("finished_at"),
    Index("ix_jobs_organization_id_id", "organization_id", "id"),
    _partial("ix_jobs_running", "id", where="status = 'running'"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("organization_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    _text("fingerprint", null=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _time("created_at", null=False),
    Index("ix_idempotency_created_at", "created_at"),
)

users = Table(
    "users",
    metadata,
    _id(),
    _text("organization_id"),
    _text("email", null=False),
    Column("email_key", Text, nullable=False, unique=True),
    _text("name", null=False),
    _text("role", null=False),
    _text("password_hash"),
    _time("created_at", null=False),
    _time("last_seen_at"),
    _time("disabled_at"),
    Index("ix_users_organization_id", "organization_id"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", Text, primary_key=True),
    _text("user_id", null=False),
    _time("created_at", null=False),
    _time("last_used_at", null=False),
    _time("expires_at", null=False),
    Index("ix_sessions_user_id", "user_id"),
    Index("ix_sessions_expires_at", "expires_at"),
)

sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("digest", Text, primary_key=True),
    _text("user_id", null=False),
    _time("expires_at", null=False),
    Index("ix_sign_in_links_user_id", "user_id"),
    Index("ix_sign_in_links_expires_at", "expires_at"),
)

mails = Table(
    "mails",
    metadata,
    _id(),
    _text("organization_id", null=False),
    _text("kind", null=False),
    _text("affiliate_id", null=False),
    _text("program_id", null=False),
    _text("address", null=False),
    _text("status", null=False),
    _text("reason"),
    _time("due_at", null=False),
    Column("attempts", Integer, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("fence", BigInteger, nullable=False),
    _time("leased_at"),
    _time("written_at", null=False),
    _time("created_at", null=False),
    _time("settled_at"),
    Index("ix_mails_organization_id_id", "organization_id", "id"),
    Index("ix_mails_affiliate_id", "affiliate_id"),
    _partial("ix_mails_due", "due_at", where="status IN ('unsent', 'leased')"),
    Index("ix_mails_written_at", "written_at"),
)

mail_attempts = Table(
    "mail_attempts",
    metadata,
    Column("mail_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    _time("started_at", null=False),
    _time("ended_at", null=False),
    _text("outcome", null=False),
    Column("status_code", Integer),
    _text("error"),
    _text("detail"),
)

applications = Table(
    "applications",
    metadata,
    _id(),
    _text("organization_id", null=False),
    _text("program_id", null=False),
    _text("affiliate_id", null=False),
    _text("person", null=False),
    _text("origin", null=False),
    _text("outcome", null=False),
    _time("created_at", null=False),
    Index("ix_applications_of_program", "organization_id", "program_id", "created_at"),
    Index("ix_applications_of_person", "organization_id", "person", "created_at"),
    Index("ix_applications_of_origin", "origin", "created_at"),
    Index("ix_applications_affiliate_id", "affiliate_id"),
    Index("ix_applications_created_at", "created_at"),
)

used_passes = Table(
    "used_passes",
    metadata,
    Column("digest", Text, primary_key=True),
    _text("affiliate_id", null=False),
    _time("expires_at", null=False),
    Index("ix_used_passes_affiliate_id", "affiliate_id"),
    Index("ix_used_passes_expires_at", "expires_at"),
)
