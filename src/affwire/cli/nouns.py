"""The nouns of the registry as the command line knows them: one table; `registry.py` makes every command from it.

Rule: only what a person reads or types most is named here. Everything else goes through `--set`, and the server judges it.
"""

from dataclasses import dataclass
from typing import Final

CRUD: Final = ("list", "get", "create", "update", "delete")


@dataclass(frozen=True, slots=True)
class Field:
    """A field with an option of its own; `kind` is what the server wants in JSON."""

    name: str
    help: str
    kind: type = str


@dataclass(frozen=True, slots=True)
class Noun:
    """A kind of record under /v1/`name`. `actions` and `deletion`: a name, and what it does to the record."""

    name: str
    one: str
    columns: tuple[str, ...]
    fields: tuple[Field, ...] = ()
    filters: tuple[Field, ...] = ()
    verbs: tuple[str, ...] = CRUD
    actions: tuple[tuple[str, str], ...] = ()
    deletion: tuple[str, str] | None = None
    rendered: bool = False
    """Whether `--as DIALECT` shows a record as that dialect's object."""
    operator: bool = False
    """Whether it takes the operator's key."""
    sample: str = ""
    """What an example of `create` sets."""


_AFFILIATE: Final = Field("affiliate_id", "The affiliate: aff_...")
_PROGRAM: Final = Field("program_id", "The program: prg_...")
_MEMBERSHIP: Final = Field("membership_id", "The membership: mem_...")
_GROUP: Final = Field("group_id", "The group: grp_...")
_NAME: Final = Field("name", "Its name.")

ORGANIZATIONS: Final = Noun(
    "organizations",
    "organization",
    ("id", "slug", "name", "timezone"),
    fields=(
        Field("slug", "A short name, unique: a-z, 0-9, - and _."),
        _NAME,
        Field("timezone", "An IANA time zone: Europe/Berlin."),
        Field("unlimited_endpoints", "Lift the platforms' own limits on endpoints.", bool),
    ),
    verbs=("list", "get", "create", "update"),
    operator=True,
    sample="--slug acme",
)
KEYS: Final = Noun(
    "keys",
    "API key",
    ("id", "scope", "name", "last4", "expires_at", "last_used_at"),
    fields=(
        Field("scope", "admin (all), registry (all but endpoints and keys) or read."),
        _NAME,
        Field("expires_at", "When it ends, RFC 3339."),
    ),
    verbs=("list", "create", "revoke"),
    sample="--scope read --name dashboard",
)
PROGRAMS: Final = Noun(
    "programs",
    "program",
    ("id", "name", "currency", "commission_percent"),
    fields=(
        _NAME,
        Field("description", "What it is about."),
        Field("currency", "ISO 4217: EUR."),
        Field("commission_percent", "20 = 20 %.", float),
        Field("auto_approve", "Whether whoever asks is in.", bool),
    ),
    filters=(Field("q", "A part of its name, or an id."),),
    deletion=("force", "Remove its live members first."),
    rendered=True,
    sample="--name Spring --currency EUR",
)
AFFILIATES: Final = Noun(
    "affiliates",
    "affiliate",
    ("id", "email", "name", "status", "country"),
    fields=(
        Field("email", "The e-mail address, unique in the organization."),
        Field("first_name", "First name."),
        Field("last_name", "Last name."),
        Field("country", "ISO 3166-1 alpha-2: DE."),
        Field("status", "The account's status."),
        Field("program_id", "At creation: join this program at once."),
    ),
    filters=(
        Field("q", "A part of the name or address, or an id."),
        Field("email", "With this address."),
        Field("status", "With this status."),
    ),
    actions=(("confirm", "Note that an affiliate confirmed the e-mail address."),),
    deletion=("erase", "Take the personal data away, too."),
    rendered=True,
    sample="--email ada@example.com --first-name Ada",
)
MEMBERSHIPS: Final = Noun(
    "memberships",
    "membership",
    ("id", "status", "affiliate_id", "program_id", "tag"),
    fields=(
        _AFFILIATE,
        _PROGRAM,
        Field("status", "pending asks to join, active joins."),
        Field("tag", "A mark of your own."),
        Field("source", "Where it came from."),
        _GROUP,
        Field("deep_link", "Where the affiliate's links lead."),
    ),
    filters=(
        Field("q", "A part of its tag, or an id."),
        _AFFILIATE,
        _PROGRAM,
        _GROUP,
        Field("status", "With this status."),
    ),
    verbs=("list", "get", "create", "update"),
    actions=(
        ("approve", "Let in an affiliate who asks to join."),
        ("reject", "Decline an affiliate who asks to join."),
        ("remove", "Remove a member from the program."),
        ("leave", "Let a member leave the program."),
        ("reactivate", "Take a former member in again."),
    ),
    rendered=True,
    sample="--affiliate-id aff_... --program-id prg_...",
)
GROUPS: Final = Noun("groups", "group", ("id", "name"), fields=(_NAME,), sample="--name VIP")
LINKS: Final = Noun(
    "links",
    "link",
    ("id", "token", "url", "membership_id"),
    fields=(_MEMBERSHIP, Field("url", "Where it leads."), Field("token", "What tells it from others.")),
    filters=(_MEMBERSHIP, _AFFILIATE),
    sample="--membership-id mem_... --url https://shop.example.com/?via=ada --token ada",
)
PROMO_CODES: Final = Noun(
    "promo-codes",
    "promo code",
    ("id", "code", "discount_type", "discount_value", "membership_id"),
    fields=(
        _MEMBERSHIP,
        Field("code", "What a customer types."),
        Field("discount_type", "What kind of discount."),
        Field("discount_value", "A decimal: 10.00."),
        Field("duration", "For how long."),
        Field("coupon_id", "The coupon behind it."),
    ),
    filters=(_MEMBERSHIP, _AFFILIATE, Field("code", "This code.")),
    sample="--membership-id mem_... --code ADA10",
)
EVENTS: Final = Noun(
    "events",
    "event",
    ("id", "type", "occurred_at", "subject_id"),
    filters=(
        Field("type", "Of this type; * at the end stands for several."),
        _AFFILIATE,
        Field("subject_id", "About this affiliate, or this program itself."),
        Field("after", "What came after this event: evt_..."),
    ),
    verbs=("list", "get"),
)
ENDPOINTS: Final = Noun(
    "endpoints",
    "endpoint",
    ("id", "dialect", "url"),
    fields=(
        Field("url", "Where deliveries go."),
        Field("description", "A note of your own."),
        Field("secret", "Another signing secret, at once; `rotate` lets both sign for a while."),
        Field("bearer_token", "The token of a dialect that sends one."),
        Field("enabled", "Whether it gets anything.", bool),
    ),
    verbs=("get", "update", "delete"),
)
JOBS: Final = Noun(
    "jobs",
    "job",
    ("id", "kind", "status", "done", "skipped", "total", "created_at"),
    verbs=("list", "get"),
    actions=(("cancel", "Stop a job; what it has made due stays so."),),
)
MAILS: Final = Noun(
    "mails",
    "mail",
    ("id", "kind", "status", "address", "attempts_made", "reason"),
    filters=(
        Field("status", "unsent, leased, sent or failed."),
        Field("kind", "confirm, join, member or left."),
        _AFFILIATE,
        _PROGRAM,
    ),
    verbs=("list", "get"),
    actions=(("resend", "Send a mail once more, with links that run from now."),),
)
NOUNS: Final = (
    ORGANIZATIONS,
    KEYS,
    PROGRAMS,
    AFFILIATES,
    MEMBERSHIPS,
    GROUPS,
    LINKS,
    PROMO_CODES,
    EVENTS,
    JOBS,
    MAILS,
)
"""In the order of the help. Endpoints and deliveries have commands of their own and borrow from here."""
