"""Growi's campaign creator webhook: one flat object for every change of a membership's status, unsigned.

A campaign affiliate is our membership. Ids are integers: Growi's own where the record came from there, else our
numbers.
"""

import re
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
from affwire.dialects.growi import reads
from affwire.errors import Unencodable
from affwire.model.events import Event, MembershipView, Snapshot
from affwire.model.reading import Reading
from affwire.model.registry import Affiliate, Membership, Program
from affwire.model.times import local_seconds
from affwire.model.wire import Answer, Headers, Message, Request

_FAMILY: Final = "campaign_affiliate."
_SUFFIXES: Final = {"active": "activated"}
"""The one status with another word; the others fall back, in the page's words, "to campaign_affiliate.<status>"."""

_GROWI_ID: Final = re.compile(r"[1-9][0-9]{0,14}")
"""An integer that every JSON reader keeps exactly; an external id of another shape is not Growi's."""


class Growi:
    """Says each change of a membership's status once; the body is the same on every try."""

    card = load_card(__name__)

    def says(self, event: Event) -> tuple[Saying, ...]:
        own = event.own
        if own is None or event.type == "membership.updated":
            return ()
        status = own.membership.status
        return (Saying(_FAMILY + _SUFFIXES.get(status, status), own.membership.id),)

    def silence(self, event: Event) -> str:
        return "the status did not change" if event.type == "membership.updated" else NO_WORD

    def request(
        self,
        event: Event,
        saying: Saying,
        recipient: Recipient,
        delivery_id: str,  # noqa: ARG002 -- Growi tells neither deliveries nor tries apart
        attempt: Attempt,
    ) -> Request:
        view = event.view(saying.subject)
        shown = self.object("membership", saying.subject, event.snapshot)
        if view is None or shown is None:
            raise Unencodable("no_membership", f"event {event.id} holds no membership {saying.subject}", event=event.id)
        occurred_at = local_seconds(view.membership.updated_at, event.snapshot.organization.timezone)
        body = encode({"event": saying.word, "occurred_at": occurred_at, **shown})
        return Request(recipient.url, self.sign(body, recipient, attempt), body)

    def sign(self, body: bytes, recipient: Recipient, attempt: Attempt) -> Headers:  # noqa: ARG002 -- nothing is signed
        return JSON_HEADERS

    def object(self, kind: str, record_id: str, snapshot: Snapshot) -> dict[str, Any] | None:
        views = (view for view in snapshot.memberships if kind == "membership" and view.membership.id == record_id)
        affiliate = snapshot.affiliate
        return next((_campaign_affiliate(view, affiliate, snapshot) for view in views if affiliate), None)

    def verify(self, message: Message, trust: Trust, now: int) -> None:
        """Growi signs nothing, so there is nothing to doubt."""

    def identify(self, message: Message) -> Identity:
        return reads.identify(message)

    def decode(self, message: Message) -> Reading:
        return reads.decode(self.card, message)

    def answer(self) -> Answer:
        return Answer()


def _campaign_affiliate(view: MembershipView, affiliate: Affiliate, snapshot: Snapshot) -> dict[str, Any]:
    """Everything but the word and its time. "Optional fields are omitted when values are not present", never null."""
    optional = {
        "campaign_name": view.program.name,
        "organization_slug": snapshot.organization.slug,
        "user_email": affiliate.email,
        "user_name": affiliate.name,
        "tag": view.membership.tag,
    }
    return {
        "campaign_affiliate_id": _integer(view.membership),
        "campaign_id": _integer(view.program),
        "organization_id": snapshot.organization.number,
        "user_id": _integer(affiliate),
        "status": view.membership.status,
        **{name: value for name, value in optional.items() if value},
    }


def _integer(record: Affiliate | Membership | Program) -> int:
    external = record.external_ids.get("growi", "")
    return int(external) if _GROWI_ID.fullmatch(external) else record.number


dialect = Growi()
