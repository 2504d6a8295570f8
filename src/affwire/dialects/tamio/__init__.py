"""Tamio's affiliate program and affiliate events, version 2. An affiliate of Tamio's is our membership in one program.

The signature's header and whether it covers the time are not published: both are options of the endpoint.
"""

from typing import Any, Final

from affwire.dialects.base import (
    JSON_HEADERS,
    NO_WORD,
    Attempt,
    Identity,
    Recipient,
    Saying,
    Trust,
    encode,
    load_card,
)
from affwire.dialects.tamio import objects, reads
from affwire.errors import Unencodable
from affwire.model import ids
from affwire.model.events import Event, Snapshot
from affwire.model.reading import Reading
from affwire.model.wire import Answer, Headers, Message, Request
from affwire.rules.signing import fingerprint, hexdigest

_WORDS: Final = {
    "program.created": ("affiliate-program-created",),
    "program.updated": ("affiliate-program-updated",),
    "program.deleted": ("affiliate-program-removed",),
    "membership.requested": ("affiliate-signup",),
    "membership.rejected": ("affiliate-declined",),
    "membership.removed": ("affiliate-removed",),
    "membership.left": ("affiliate-removed",),
}
_JOINED: Final = ("affiliate-signup", "affiliate-approved")
_ACTIVATED: Final[dict[str | None, tuple[str, ...]]] = {
    None: _JOINED,
    "removed": _JOINED,
    "left": _JOINED,
    "pending": ("affiliate-approved",),
    "rejected": ("affiliate-approved",),
}
"""What an activation is, by the status before. From any other status: nothing, it was approved long ago."""

_EVENT_ID_LENGTH: Final = 17
"""The page's ids have 16 or 17 characters after the prefix; 17 hold 85 bits."""


class Tamio:
    """Says programs' changes and the rounds of a membership: signup, approved or declined, removed."""

    card = load_card(__name__)

    def says(self, event: Event) -> tuple[Saying, ...]:
        return tuple(Saying(word, event.membership_id or event.subject_id) for word in _words(event))

    def silence(self, event: Event) -> str:
        if event.type == "program.updated":
            return "Tamio has none of the changed fields"
        return "approved before" if event.type == "membership.activated" else NO_WORD

    def request(
        self,
        event: Event,
        saying: Saying,
        recipient: Recipient,
        delivery_id: str,  # noqa: ARG002 -- Tamio tells endpoints apart, not deliveries
        attempt: Attempt,
    ) -> Request:
        body = encode(
            {
                "event_id": self.message_id(event.id, saying.word, saying.subject),
                "event_type": saying.word,
                "api_version": reads.VERSION,
                "object": "event",
                "data": _data(event, saying),
                "endpoint_id": ids.uuid_of(recipient.endpoint_id),
            }
        )
        return Request(recipient.url, self.sign(body, recipient, attempt), body)

    def message_id(self, event_id: str, word: str, subject: str) -> str:
        """Return the id a receiver dedupes on: one per event, word and subject, of which nothing can be told from it."""
        digest = fingerprint("tamio.event_id", event_id, word, subject)
        return "whev_" + ids.text(int.from_bytes(digest[:16]))[-_EVENT_ID_LENGTH:]

    def sign(self, body: bytes, recipient: Recipient, attempt: Attempt) -> Headers:
        return *JSON_HEADERS, self._signature(recipient, attempt.at // 1000, body)

    def object(self, kind: str, record_id: str, snapshot: Snapshot) -> dict[str, Any] | None:
        program, affiliate = snapshot.program, snapshot.affiliate
        if kind == "program" and program and program.id == record_id:
            return objects.program(program)
        views = (view for view in snapshot.memberships if kind == "membership" and view.membership.id == record_id)
        return next(
            (objects.affiliate(view, affiliate, view.membership.updated_at) for view in views if affiliate), None
        )

    def verify(self, message: Message, trust: Trust, now: int) -> None:
        reads.verify(self.card, message, trust, now)

    def identify(self, message: Message) -> Identity:
        return reads.identify(message)

    def decode(self, message: Message) -> Reading:
        return reads.decode(self.card, message)

    def answer(self) -> Answer:
        return Answer()

    def _signature(self, recipient: Recipient, seconds: int, body: bytes) -> tuple[str, str]:
        if not recipient.secrets:
            raise Unencodable("no_secret", f"endpoint {recipient.endpoint_id} has no secret to sign with; rotate it")
        options = {name: recipient.options.get(name, option.default) for name, option in self.card.options.items()}
        signed = b"%d.%b" % (seconds, body) if options["signed_text"] == "timestamp.body" else body
        return options["signature_header"], f"t={seconds},s={hexdigest(recipient.secrets[0].encode(), signed)}"


def _words(event: Event) -> tuple[str, ...]:
    if event.type == "membership.activated":
        return _ACTIVATED.get(event.own.status_before, ()) if event.own else ()
    program = event.snapshot.program
    if event.type == "program.updated" and not (program and objects.changes(program, event.previous)):
        return ()
    return _WORDS.get(event.type, ())


def _data(event: Event, saying: Saying) -> dict[str, Any]:
    if saying.word.startswith("affiliate-program-"):
        return _program_data(event, saying.word)
    view, affiliate = event.view(saying.subject), event.snapshot.affiliate
    if view is None or affiliate is None:
        raise Unencodable("no_membership", f"event {event.id} holds no membership {saying.subject}", event=event.id)
    if saying.word == "affiliate-removed":
        return {"affiliate": {"id": objects.uuid(view.membership)}}
    shown = objects.affiliate(view, affiliate, event.occurred_at)
    # Signup and approval may be one request: whoever only signs up is not approved yet.
    return {"affiliate": {**shown, "approved": shown["approved"] and saying.word != "affiliate-signup"}}


def _program_data(event: Event, word: str) -> dict[str, Any]:
    program = event.snapshot.program
    if program is None:
        raise Unencodable("no_program", f"event {event.id} holds no program", event=event.id)
    if word == "affiliate-program-removed":
        return {"affiliate_program": {"id": objects.uuid(program)}}
    shown = objects.program(program)
    if word == "affiliate-program-created":
        return {"affiliate_program": shown}
    counts = {"affiliates": event.snapshot.program_affiliates, "sales": event.snapshot.program_sales}
    return {"affiliate_program": shown | counts, "changes": objects.changes(program, event.previous)}


dialect = Tamio()
