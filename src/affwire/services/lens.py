"""The lens: what a dialect says for an event, as the requests that would leave. Nothing is sent and nothing is kept.

Rule: no endpoint's secret is opened here; what depends on a secret is masked, or made with one that the caller brings.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, structs

from affwire.dialects import passing
from affwire.dialects.base import Attempt, Dialect, Recipient, Saying
from affwire.errors import Refused, Unencodable
from affwire.model import ids, sent
from affwire.model.events import Event
from affwire.model.wire import Headers, Request
from affwire.rules import signing
from affwire.services import journal
from affwire.services.erasure import PERSONAL
from affwire.services.journal import MASK, kept_body
from affwire.store.tx import Tx

NOWHERE: Final = "https://receiver.example/"
"""No dialect writes the URL into its request."""
_GUESSES: Final = (bytes(32), bytes([1]) * 32)
"""Two keys that are nobody's: a header that differs between them depends on the secret."""
NOBODY: Final = "nobody@example.invalid"
ERASED: Final = "the person it is about was erased, and what this dialect would say needs to know who it was"
"""Why nothing can be said any more of an event whose affiliate was erased, whatever was said then."""


class Trial(Struct, frozen=True):
    """A request wanted for real: signed with the caller's own secret, as this try, as if it left now."""

    secret: str | None = None
    number: int = 1


def seen(
    tx: Tx, organization_id: str, event_id: str, dialects: Mapping[str, Dialect], trial: Trial | None = None
) -> sent.Rendering:
    """Return an event as each of these dialects would send it, or why one says nothing.

    Without a trial every view of an event is the same, byte for byte. Raises NotFound, and Refused("invalid_secret")
    for a trial's secret that does not fit.
    """
    entry = journal.entry(tx, organization_id, event_id)
    views = [_view(entry.event, dialect, trial, tx.now) for dialect in dialects.values()]
    return {"event_id": event_id, "type": entry.event.type, "dialects": views}


def erased_at(event: Event) -> int | None:
    """Return when (ms) the person whom an event is about was erased, None if nobody was, or who it was is still known."""
    affiliate = event.snapshot.affiliate
    if affiliate is None or any(getattr(affiliate, name) is not None for name in PERSONAL):
        return None
    return affiliate.erased_at


def _silence(event: Event, dialect: Dialect) -> str:
    """Return why a dialect says nothing: what it lacks, unless it lacks that only since somebody was erased."""
    affiliate = event.snapshot.affiliate
    if affiliate is None or erased_at(event) is None:
        return passing.silence(dialect, event)
    known = structs.replace(affiliate, email=NOBODY)
    event = structs.replace(event, snapshot=structs.replace(event.snapshot, affiliate=known))
    return ERASED if passing.said(dialect, event) else passing.silence(dialect, event)


def _view(event: Event, dialect: Dialect, trial: Trial | None, now: int) -> sent.DialectView:
    sayings = tuple(dict.fromkeys(passing.said(dialect, event)))
    return {
        "dialect": dialect.card.name,
        "reason": None if sayings else _silence(event, dialect),
        "requests": [_request(event, dialect, saying, trial, now) for saying in sayings],
    }


def _request(event: Event, dialect: Dialect, saying: Saying, trial: Trial | None, now: int) -> sent.RenderedRequest:
    headers: Headers = ()
    body, reason = b"", None
    try:
        request = _masked(event, dialect, saying) if trial is None else _signed(event, dialect, saying, trial, now)
        headers, body = request.headers, request.body
    except Unencodable as error:
        reason = error.sentence if erased_at(event) is None else f"{ERASED}."
    return {
        "word": saying.word,
        "subject_id": saying.subject,
        "method": "POST",
        "reason": reason,
        "headers": list(headers),
        **kept_body(body),
    }


def _signed(event: Event, dialect: Dialect, saying: Saying, trial: Trial, now: int) -> Request:
    form = dialect.card.authentication.secret
    wrong = signing.problem(form, trial.secret) if trial.secret is not None and form != "none" else None
    if wrong:
        raise Refused("invalid_secret", f"The secret does not fit: {wrong}.", field="secret")
    return _said(event, dialect, saying, trial.secret, Attempt(_likewise("attempt", event), trial.number, now))


def _masked(event: Event, dialect: Dialect, saying: Saying) -> Request:
    form = dialect.card.authentication
    attempt = Attempt(_likewise("attempt", event), 1, event.occurred_at)
    one, other = (
        _said(event, dialect, saying, signing.minted(form.secret, form.secret_prefix, guess), attempt)
        for guess in _GUESSES
    )
    pairs = zip(one.headers, other.headers, strict=True)
    return Request(
        one.url, tuple((name, MASK if value != second else value) for (name, value), (_, second) in pairs), one.body
    )


def _said(event: Event, dialect: Dialect, saying: Saying, secret: str | None, attempt: Attempt) -> Request:
    recipient = Recipient(
        endpoint_id=_likewise("endpoint", event),
        url=NOWHERE,
        secrets=() if secret is None else (secret,),
        bearer_token=secret,
    )
    return passing.written(dialect, event, saying, recipient, delivery_id=_likewise("delivery", event), attempt=attempt)


def _likewise(kind: str, event: Event) -> str:
    """Return an id of another kind with the event's own digits: of the right form, and always the same."""
    return f"{ids.PREFIXES[kind]}_{ids.body_of(event.id)}"
