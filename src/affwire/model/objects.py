"""The JSON objects that the API answers with, beyond records and what is sent (`model.sent`): what builds one is typed by it.

The one rule: a name here is the name of a schema in the OpenAPI description.
"""

from typing import Literal, TypedDict

from affwire.model.inbound import Match, MessageStatus, Mode
from affwire.model.jobs import JobKind, JobStatus
from affwire.model.sent import HeaderList, Time

EndpointState = Literal["healthy", "failing", "tripped", "paused", "disabled"]


class Key(TypedDict):
    """An API key of an organization, without the key itself."""

    id: str
    organization_id: str
    name: str
    scope: str
    last4: str
    created_at: Time
    expires_at: Time | None
    last_used_at: Time | None


class Secret(TypedDict):
    """A secret that signs: its last characters, and until when."""

    last4: str
    created_at: Time
    expires_at: Time | None


class EndpointSecrets(TypedDict):
    """What an endpoint's owner is shown of its secrets. `headers`: their names, the values masked."""

    secret_last4: str | None
    secrets: list[Secret]
    bearer_token_last4: str | None
    headers: dict[str, str]


class JobRequest(TypedDict, total=False):
    """What a job was asked for."""

    status: str
    endpoint_id: str
    event_id: str
    source_id: str
    word: str
    affiliate_id: str
    dialect: str
    type: str
    outcome: str
    since: Time
    until: Time
    rate_per_second: float


class Job(TypedDict):
    """A job and how far it is: each of `total` deliveries or messages ends as `done` or `skipped`."""

    id: str
    kind: JobKind
    status: JobStatus
    request: JobRequest
    total: int
    done: int
    skipped: int
    reason: str | None
    created_at: Time
    updated_at: Time
    finished_at: Time | None


class MessageCount(TypedDict):
    """How many messages would be processed once more."""

    dry_run: bool
    total: int


class ReplayCount(MessageCount):
    """How many deliveries a replay would send. `arrived`: how many of them had arrived already.

    Those keep their ids, so that a receiver that deduplicates ignores them; until they arrive again they are no longer
    delivered, but pending.
    """

    arrived: int


class RecoveryCount(MessageCount):
    """How many deliveries a recovery would send again, and how many it would make."""

    endpoint_id: str
    replayed: int
    created: int


class Counts(TypedDict):
    """Attempts by outcome."""

    ok: int
    failed: int
    unknown: int


class Backlog(TypedDict):
    """What waits for an endpoint, each counted up to a limit."""

    pending: int
    held: int
    leased: int


class Measured(TypedDict):
    """Attempts in figures; a rate and times are null without an attempt."""

    attempts: Counts
    success_rate: float | None
    p50_ms: int | None
    p95_ms: int | None


class EndpointHealth(Measured):
    """How an endpoint does."""

    endpoint_id: str
    state: EndpointState
    hours: int
    sampled_deliveries_max: int
    backlog: Backlog
    oldest_due_at: Time | None
    failures_in_row: int
    failing_since: Time | None
    disables_at: Time | None
    warned_percent: int
    tripped_until: Time | None
    last_success_at: Time | None
    last_failure_at: Time | None
    last_error: str | None


class NoticeEndpoint(TypedDict):
    """What others are told of an endpoint: never its URL, which may hold a credential."""

    id: str
    number: int
    dialect: str
    description: str | None
    enabled: bool
    disabled_reason: str | None


class NoticeHealth(TypedDict):
    """How an endpoint did when it was told of."""

    percent: int
    failing_since: Time | None
    disables_at: Time | None
    failures_in_row: int
    last_error: str | None


class NoticeDelivery(TypedDict):
    """A delivery that ended without having arrived."""

    id: str
    event_id: str
    event_type: str
    word: str
    attempts: int
    reason: str


class Notice(TypedDict):
    """What an operational event tells."""

    endpoint: NoticeEndpoint
    health: NoticeHealth | None
    delivery: NoticeDelivery | None


class Badge(TypedDict):
    """How well a source's messages can be authenticated and told apart; `warning`: what that means where it is not good."""

    authenticity: Literal["signed+time", "signed", "bearer", "none"]
    dedupe: Literal["id", "derived", "none"]
    colour: Literal["green", "yellow", "red"]
    warning: str | None


class Source(TypedDict):
    """Where a platform's webhooks come in. `paste`: where in its settings the URL goes; `ingest_url`: for admin keys only.

    `seen`: genuine messages so far; `gap_ms`: the mean time between them, of late.
    """

    id: str
    organization_id: str
    number: int
    name: str | None
    dialect: str
    mode: Mode
    match: Match
    unverified: bool
    enabled: bool
    options: dict[str, str]
    secret_last4: str | None
    secrets: list[Secret]
    ingest_url: str | None
    paste: str | None
    badge: Badge
    seen: int
    last_message_at: Time | None
    gap_ms: int | None
    silent_since: Time | None
    created_at: Time
    updated_at: Time


class Message(TypedDict):
    """An inbound request and what became of it, without what it says. `size`: bytes of its body."""

    id: str
    organization_id: str
    source_id: str
    dialect: str
    word: str | None
    dedupe_key: str | None
    status: MessageStatus
    reason: str | None
    size: int
    received_at: Time
    occurred_at: Time | None
    settled_at: Time | None
    affiliate_id: str | None
    events: list[str]
    hops: int


class MessageInFull(Message):
    """A message with its headers, credentials masked, and its body as text or in base64; null once that is erased."""

    headers: HeaderList
    body: str | None
    body_base64: bool


class Verification(MessageInFull):
    """A message and whether it is genuine; `doubt`: why it is not."""

    genuine: bool
    doubt: str | None


class NoticeSource(TypedDict):
    """What others are told of a source: never its URL, which lets in whoever knows it."""

    id: str
    number: int
    name: str | None
    dialect: str
    mode: str
    enabled: bool


class NoticeSilence(TypedDict):
    """Since when a source is silent, and how often it was heard before."""

    last_message_at: Time | None
    usual_gap_ms: int | None


class SourceNotice(TypedDict):
    """What `source.silent` tells."""

    source: NoticeSource
    silence: NoticeSilence
