"""The contract of a dialect, and the card that describes it as data.

    event --says--> sayings --request--> Request (url, headers, body)
    Message --verify, identify, decode--> Reading; --answer--> Answer

A dialect decides from its arguments alone: the same arguments, the same bytes.
"""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final, Literal, Protocol

import msgspec
from msgspec import Struct

from affwire.errors import Unencodable
from affwire.model.events import Event, Snapshot
from affwire.model.reading import Reading
from affwire.model.wire import Answer, Headers, Message, Request
from affwire.rules.retry import Policy

NO_WORD: Final = "no word in this dialect"
NO_EMAIL: Final = "no e-mail"


class Saying(Struct, frozen=True):
    """One thing a dialect says for an event: the word on the wire, and the id of the record it is about."""

    word: str
    subject: str


class Recipient(Struct, frozen=True, kw_only=True):
    """The endpoint as a dialect sees it while it writes: secrets are in clear, the newest first.

    During a rotation there are several; a dialect whose form carries one signature uses the first.
    `options` are the dialect's own settings, named on its card.
    """

    endpoint_id: str
    url: str
    secrets: tuple[str, ...] = ()
    bearer_token: str | None = None
    options: dict[str, str] = {}

    @property
    def secret(self) -> bytes:
        """The key of a dialect whose form carries one signature: the newest secret as text; Unencodable without one."""
        if not self.secrets:
            raise Unencodable("no_secret", f"Endpoint {self.endpoint_id} has no secret to sign with; give it one.")
        return self.secrets[0].encode()


class Attempt(Struct, frozen=True):
    """One try: its id, its number (from 1, going on through replays) and when it began (ms)."""

    id: str
    number: int
    at: int


class Word(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing the dialect can say. `explicit`: only to endpoints whose filter names its family.

    `open`: the name is a family with an open end, written `campaign_affiliate.*`.
    """

    name: str
    meaning: str
    canonical: tuple[str, ...]
    explicit: bool = False
    open: bool = False


class Promise(Struct, frozen=True, forbid_unknown_fields=True):
    """The platform's delivery promise, in seconds (contracts A3). `sources` says where each part comes from."""

    success: Literal["2xx", "200"]
    total_timeout: float
    retry_schedule: tuple[float, ...]
    connect_timeout: float | None = None
    read_timeout: float | None = None
    gone_disables: bool = False
    sources: str = ""


class Authentication(Struct, frozen=True, forbid_unknown_fields=True):
    """How a receiver knows the sender. `secret`: the form of the endpoint's secret, or that there is none."""

    kind: Literal["none", "bearer", "hmac", "hmac+time"]
    summary: str
    secret: Literal["none", "text", "standard"] = "none"  # noqa: S105 -- the name of a form, not a password
    secret_prefix: str = ""
    header: str | None = None
    headers: tuple[str, ...] = ()
    """Every header that authenticates, `header` among them: an endpoint's own may not double any."""
    rotation: Literal["none", "newest", "all"] = "none"
    """Which secrets sign during a rotation: `all` where the form has room for several signatures."""


class Inbound(Struct, frozen=True, forbid_unknown_fields=True):
    """How the platform's own webhooks are taken in. `paste`: where in its settings the ingest URL goes.

    `dedupe`: whether a message carries an id, one can be derived from it, or there is none. `tolerance`: seconds that a
    signed time may differ from ours, both ways; 0 where no time is signed.
    """

    paste: str
    dedupe: Literal["id", "derived", "none"]
    tolerance: int = 0


class Option(Struct, frozen=True, forbid_unknown_fields=True):
    """A setting of the dialect that an endpoint may choose, with its default."""

    default: str
    meaning: str
    choices: tuple[str, ...] = ()


class Card(Struct, frozen=True, forbid_unknown_fields=True):
    """A dialect described as data: docs, command line, API and defaults are made from it."""

    name: str
    title: str
    summary: str
    source: str
    """The platform's page this dialect follows, with the date it was read."""
    words: tuple[Word, ...]
    promise: Promise
    authentication: Authentication
    dedupe: tuple[str, ...]
    """The fields (or the header) a receiver may dedupe on."""
    endpoints_max: int | None = None
    """Endpoints per organization that the platform allows; None: many."""
    options: dict[str, Option] = {}
    objects: tuple[str, ...] = ()
    """Kinds of records that `?as=` renders in this dialect."""
    cannot: tuple[str, ...] = ()
    """What this dialect has no word or field for."""
    notes: tuple[str, ...] = ()
    varies: tuple[str, ...] = ()
    """Paths of the body that differ from try to try ("request.id"); everything else stays as it is."""
    shared_body: bool = False
    """Whether a body is the same for all endpoints (with the same options), deliveries and tries: it is rendered once."""
    nullable: tuple[str, ...] = ()
    """Paths that may be null although the samples show a value; `[]` stands for a list's items, `*` at the end for
    all that follows ("data.promoCodes[].couponId", "data.*")."""
    inbound: Inbound | None = None
    """None: the dialect is only written, and no source can speak it."""
    reads: dict[str, str] = {}
    """Path of the body -> the canonical field it is ("object.email" -> "affiliate.email"): what the dialect carries, both
    ways. "-": a part of the envelope that means nothing beyond its request. Lists are written `links[]`; `object.*` is all
    fields of a record (`affiliate.*`); `event.occurred_at`, `event.previous` are the event's, `other.*` nobody's of ours."""
    aside: tuple[str, ...] = ()
    """Paths that `reads` marks "-" although they tell something: no canonical field stands for it, so `convert` names it."""
    coarse: dict[str, dict[str, str]] = {}
    """Canonical field -> value -> the value it comes back as, where the dialect cannot tell the two apart."""
    addressed: dict[str, str] = {}
    """Path of the body -> what stands there for this endpoint, delivery or try, when a message is passed on as it came
    (see dialects/passing.py)."""
    optional: tuple[str, ...] = ()
    """Paths that may be missing although the samples show them; with `*` ("data.previous.*") the keys are free."""

    def carries(self, field: str) -> bool:
        """Whether a canonical field ("affiliate.email") has a place in this dialect's bodies."""
        return field in self.reads.values() or f"{field.partition('.')[0]}.*" in self.reads.values()

    def policy(self) -> Policy:
        """Return the delivery policy that an endpoint of this dialect starts from."""
        promise = self.promise
        return Policy(
            retry_schedule=promise.retry_schedule,
            success=promise.success,
            connect_timeout=promise.connect_timeout or promise.total_timeout,
            read_timeout=promise.read_timeout or promise.total_timeout,
            total_timeout=promise.total_timeout,
            gone_disables=promise.gone_disables,
        )

    def written(self, options: Mapping[str, str | None]) -> tuple[str, ...]:
        """Return the headers the dialect writes besides Content-Type, for an endpoint with these options.

        An option whose name ends in `_header` names one of them.
        """
        form = self.authentication
        chosen = [options.get(name) or option.default for name, option in self.options.items() if names_header(name)]
        main = [form.header] if form.header else []
        return tuple(dict.fromkeys((*main, *form.headers, *chosen)))

    def word(self, name: str) -> Word | None:
        """Return the word of that name; an open word stands for its whole family."""
        exact = next((word for word in self.words if word.name == name), None)
        return exact or next((word for word in self.words if word.open and name.startswith(word.name[:-1])), None)


def names_header(option: str) -> bool:
    """Whether an option of this name holds the name of a header the dialect writes (`signature_header`)."""
    return option.endswith("_header")


class Trust(Struct, frozen=True, kw_only=True):
    """What a source knows its sender by: every secret that counts just now, in clear, and the dialect's options."""

    secrets: tuple[str, ...] = ()
    options: dict[str, str] = {}


class Identity(Struct, frozen=True):
    """What a message is called before anybody understands it: its word, and the key that a repeat of it has too."""

    word: str
    dedupe_key: str | None


class Dialect(Protocol):
    """What a dialect's folder offers as `dialect`. Every method is pure: no clock, no dice, no I/O."""

    card: Card

    def says(self, event: Event) -> tuple[Saying, ...]:
        """Return everything said for an event, in order. Empty: nothing; then `silence` tells why."""
        ...

    def silence(self, event: Event) -> str:
        """Return why nothing is said for an event (asked only then): NO_WORD, NO_EMAIL or another short reason."""
        ...

    def request(
        self, event: Event, saying: Saying, recipient: Recipient, delivery_id: str, attempt: Attempt
    ) -> Request:
        """Return the POST that says it, without the endpoint's own extra headers.

        Headers carry Content-Type and the authentication; raises Unencodable if it cannot be put into words.
        """
        ...

    def sign(self, body: bytes, recipient: Recipient, attempt: Attempt) -> Headers:
        """Return the headers of a POST of this body: Content-Type and the authentication, as `request` writes them.

        So a sample is signed like the real thing. Raises Unencodable where there is nothing to sign with.
        """
        ...

    def object(self, kind: str, record_id: str, snapshot: Snapshot) -> dict[str, Any] | None:
        """Return a record of the snapshot as this dialect's JSON object; None if the dialect has none for it."""
        ...

    def verify(self, message: Message, trust: Trust, now: int) -> None:
        """Return if the message is what its sender would have signed with one of the secrets, at about `now` (ms).

        Raises NotGenuine with the reason, and nothing else, whatever the bytes are. A dialect that authenticates and a
        trust without secrets never agree. Where the platform signs nothing, there is nothing to doubt.
        """
        ...

    def identify(self, message: Message) -> Identity:
        """Return the message's word and dedupe key, reading as little as possible. Raises Undecodable."""
        ...

    def decode(self, message: Message) -> Reading:
        """Return what a genuine message says. Unknown keys are listed as unread; an unknown word has no events.

        Raises Undecodable if it is no message of this dialect at all.
        """
        ...

    def answer(self) -> Answer:
        """Return what the platform counts as received (contracts A3), for the first of a message and for every repeat."""
        ...


JSON_HEADERS: Final[Headers] = (("Content-Type", "application/json"),)


def encode(body: dict[str, Any]) -> bytes:
    """Return compact JSON in UTF-8, keys in the order given."""
    return msgspec.json.encode(body)


def load_card(package: str) -> Card:
    """Return the card of a dialect's package; msgspec.ValidationError names a field that is missing or wrong."""
    return msgspec.convert(tomllib.loads(files(package).joinpath("card.toml").read_text("utf-8")), Card, strict=False)


def load_samples(package: str) -> dict[str, bytes]:
    """Return the dialect's samples: word -> body, from `samples/<word>.json` (read at call, never at import)."""
    folder = files(package).joinpath("samples")
    return {
        entry.name.removesuffix(".json"): entry.read_bytes()
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".json")
    }
