"""The mirror's affiliates: found by the platform's id, else by a membership or the address, and brought to what was told.

What several platforms tell of is ended by one of them only as far as nobody else holds it.
"""

from collections.abc import Collection
from typing import Any, Final

from affwire.model.reading import Told, ToldMembership
from affwire.model.registry import Affiliate, Membership
from affwire.rules import lifecycle
from affwire.rules.naming import address_of
from affwire.rules.reconciling import NOTHING, telling, telling_of_membership
from affwire.services import affiliates, memberships, mirror_memberships, mirror_perks, mirror_programs
from affwire.services.mirroring import NOBODY, UNKNOWN_END, Found, Intake
from affwire.store.registry import email_key

_SOMEBODY: Final = Told(kind="affiliate")
"""Who is told of by a membership alone."""


def bring_message(intake: Intake) -> None:
    """Carry out a message about an affiliate or one of its memberships."""
    told = intake.reading.affiliate or _SOMEBODY
    found = _find(intake, told)
    deed = intake.deed(found, telling(intake.reading, "affiliate"))
    affiliate: Affiliate | None = found.record
    intake.affiliate_id = affiliate.id if affiliate else None
    if deed in {"end", "bury"}:
        _end(intake, told, affiliate)
    elif found.state == "ended" and deed in NOTHING:
        return
    elif affiliate is None:
        _begin(intake, told)
    elif deed == "late" and intake.reading.whole:
        return
    else:
        _go_on(intake, told, affiliate, late=deed in NOTHING)


def _find(intake: Intake, told: Told) -> Found:
    registry, owner = intake.tx.registry, intake.organization_id
    known = intake.known("affiliate", told.id)
    record = registry.get(Affiliate, owner, known.record_id) if known else None
    if record is not None:
        return Found(known, record)
    named = registry.external_ids.find(Affiliate, owner, intake.namespace, told.id) if told.id else None
    record_id = named or _by_membership(intake, told) or _by_address(intake, told)
    if record_id is None:
        return Found(known, gone_at=intake.gone_at(Affiliate, known))
    return Found(known, registry.get(Affiliate, owner, record_id), intake.heard_at(record_id))


def _by_membership(intake: Intake, told: Told) -> str | None:
    """Who has no id on the platform is known by the membership that the message is about."""
    member = intake.reading.membership
    if told.id or member is None:
        return None
    record: Membership | None = mirror_memberships.find(intake, member, None).record
    return record.affiliate_id if record else None


def _by_address(intake: Intake, told: Told) -> str | None:
    address = address_of(told)
    return _holder_of(intake, address) if address and intake.source.match == "email" else None


def _holder_of(intake: Intake, address: str) -> str | None:
    found = intake.tx.registry.find(Affiliate, intake.organization_id, email_key=email_key(address))
    return found[0].id if found else None


def _begin(intake: Intake, told: Told) -> None:
    """Create an affiliate with the first membership, unless all that is told of is the end of what was never here."""
    reading = intake.reading
    tellings = [telling_of_membership(reading, index) for index in range(len(reading.memberships))]
    of_person = any(one.startswith("affiliate.") for one in reading.events)
    if not of_person and all(one == "ends" for one in tellings):
        intake.note(UNKNOWN_END)
        for index, member in enumerate(reading.memberships):
            mirror_memberships.bury(intake, index, member)
        return
    joins = (member for index, member in enumerate(reading.memberships) if mirror_memberships.joins(intake, index))
    affiliate = _create(intake, told, next(joins, None))
    _go_on(intake, told, affiliate, late=False)


def _create(intake: Intake, told: Told, member: ToldMembership | None) -> Affiliate:
    fields = _fields(intake, told)
    address = fields["email"]
    holder = _holder_of(intake, address) if address else None
    if holder is not None:
        intake.note(f"the e-mail address belongs to {holder}")
        fields["email"] = None
    fields["external_ids"] = intake.first_names(Affiliate, told)
    program = mirror_programs.bring(intake, member.program) if member and member.program else None
    wish = mirror_memberships.first_wish(intake, member) if member and program else None
    affiliate, joined = intake.act(
        told, affiliates.create, fields, program_id=program.id if program else None, membership=wish
    )
    if joined is not None and member is not None:
        intake.remember("membership", mirror_memberships.key(intake, member), joined.id, status=joined.status)
    intake.affiliate_id = affiliate.id
    intake.remember("affiliate", told.id, affiliate.id)
    return affiliate


def _go_on(intake: Intake, told: Told, affiliate: Affiliate, *, late: bool) -> None:
    """Bring an affiliate who is there to what was told, unless that is old news; the memberships have times of their own."""
    if not late:
        affiliate = _apply(intake, told, affiliate)
    for index in range(len(intake.reading.memberships)):
        mirror_memberships.bring(intake, affiliate, index)
    if intake.reading.whole:
        _end_untold(intake, affiliate)
    mirror_perks.bring_links(intake, affiliate, intake.reading.links)


def _apply(intake: Intake, told: Told, affiliate: Affiliate) -> Affiliate:
    fields = intake.differing("affiliate", affiliate, _fields(intake, told))
    confirmed_at = fields.pop("confirmed_at", None)
    _spare_address(intake, affiliate, fields)
    _spare_name(affiliate, fields)
    fields |= intake.adopted(affiliate, told)
    if fields:
        affiliate = intake.act(told, affiliates.update, affiliate.id, fields)
    confirms = confirmed_at is not None or _confirms(intake, told, fields)
    if confirms and affiliate.confirmed_at is None:
        affiliate = intake.act(told, affiliates.confirm, affiliate.id, confirmed_at=confirmed_at)
    intake.remember("affiliate", told.id, affiliate.id)
    return affiliate


def _fields(intake: Intake, told: Told) -> dict[str, Any]:
    fields = intake.fields(Affiliate, told)
    return {**fields, "email": address_of(told)} if "email" in fields else {"email": None, **fields}


def _spare_address(intake: Intake, affiliate: Affiliate, fields: dict[str, Any]) -> None:
    """An address is never taken away, and none is taken from another affiliate."""
    address = fields.get("email")
    if address is None or email_key(address) == email_key(affiliate.email):
        fields.pop("email", None)
        return
    holder = _holder_of(intake, address)
    if holder is not None:
        intake.note(f"the e-mail address belongs to {holder}")
        del fields["email"]


def _spare_name(affiliate: Affiliate, fields: dict[str, Any]) -> None:
    """A name that was told as a whole is cut at its first blank: where that makes the name that is there, it stays."""
    first, last = (fields.get(part, getattr(affiliate, part)) for part in ("first_name", "last_name"))
    if " ".join(part for part in (first, last) if part) == (affiliate.name or ""):
        fields.pop("first_name", None)
        fields.pop("last_name", None)


def _confirms(intake: Intake, told: Told, changed: dict[str, Any]) -> bool:
    """Whether it is the address that is confirmed. Affonso says the same word when onboarding is completed."""
    told_of = "affiliate.confirmed" in intake.reading.events and "confirmed_at" not in told.fields
    return told_of and "onboarding_completed" not in changed


def _end_untold(intake: Intake, affiliate: Affiliate) -> None:
    """End the memberships that the platform told of before and, telling all it has, tells of no more."""
    told = {mirror_memberships.key(intake, member) for member in intake.reading.memberships}
    _end_memberships(intake, affiliate, besides=told)


def _end(intake: Intake, told: Told, affiliate: Affiliate | None) -> None:
    """Delete an affiliate; of one whom others hold too, only the memberships end that this platform told of."""
    held = affiliate is not None and _held_by_others(intake, affiliate)
    if affiliate is not None:
        _end_memberships(intake, affiliate, silently=not held)
    for index, member in enumerate(intake.reading.memberships):
        mirror_memberships.bury(intake, index, member)
    if held:
        intake.note("the affiliate stays: others hold them too")
    elif affiliate is not None:
        intake.act(told, affiliates.delete, affiliate.id)
    intake.remember("affiliate", told.id, affiliate.id if affiliate else NOBODY, ended=True)


def _end_memberships(
    intake: Intake, affiliate: Affiliate, *, besides: Collection[str | None] = (), silently: bool = False
) -> None:
    """End the memberships this platform told of; `silently` where the affiliate's own end will say it."""
    for membership in _memberships(intake, affiliate):
        for known in intake.tx.identities.of_record(intake.organization_id, membership.id):
            if known.namespace != intake.namespace or known.ended or known.value in besides:
                continue
            if not silently and lifecycle.is_live(membership.status):
                intake.act(None, memberships.command, membership.id, "remove")
            intake.remember("membership", known.value, membership.id, ended=True, status="removed")


def _held_by_others(intake: Intake, affiliate: Affiliate) -> bool:
    """Whether another platform tells of an affiliate, or a live membership is there that this one never told of."""
    identities, owner = intake.tx.identities, intake.organization_id
    told = intake.reading.affiliate
    ending = (intake.namespace, told.id if told else None)
    if any((one.namespace, one.value) != ending and not one.ended for one in identities.of_record(owner, affiliate.id)):
        return True
    return any(
        lifecycle.is_live(membership.status)
        and not any(one.namespace == intake.namespace for one in identities.of_record(owner, membership.id))
        for membership in _memberships(intake, affiliate)
    )


def _memberships(intake: Intake, affiliate: Affiliate) -> list[Membership]:
    return intake.tx.registry.find(Membership, intake.organization_id, affiliate_id=affiliate.id)
