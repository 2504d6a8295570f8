"""The mirror's perks: groups, links and promo codes, known by the platform's id, else by what they are.

A list that was told is whole: what the platform told of before and tells no more goes. What it never told of stays.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from affwire.model.reading import Told
from affwire.model.registry import Affiliate, Group, Link, Membership, PromoCode
from affwire.rules.lifecycle import is_live
from affwire.services import perks
from affwire.services.mirroring import Intake

Perk = TypeVar("Perk", Link, PromoCode)


def group(intake: Intake, told: Told) -> str | None:
    """Return our id of a group, which is made if it is new; None if nothing says which one it is."""
    name = told.fields.get("name") or ""
    known = intake.known("group", told.id)
    record = intake.tx.registry.get(Group, intake.organization_id, known.record_id) if known else None
    if record is None and name:
        namesakes = intake.tx.registry.find(Group, intake.organization_id, name=name)
        record = namesakes[0] if namesakes else None
    if record is None and not (told.id or name):
        return None
    if record is None:
        record = intake.act(told, perks.create_group, {"name": name})
    elif name and record.name != name:
        record = intake.act(told, perks.update_group, record.id, {"name": name})
    intake.remember("group", told.id, record.id)
    return record.id


def bring_codes(intake: Intake, membership_id: str, told: Sequence[Told] | None) -> None:
    """Bring a membership's promo codes to what was told; None: nothing was told of them."""
    if told is None:
        return
    owned = intake.tx.registry.find(PromoCode, intake.organization_id, membership_id=membership_id)
    stay: set[str] = set()
    for one in told:
        fields = intake.fields(PromoCode, one)
        if not fields.get("code"):
            continue
        code = _known(intake, "promo_code", one, owned)
        code = code or next((mine for mine in owned if mine.code == fields["code"]), None)
        if code is None:
            code = intake.act(one, perks.create_promo_code, membership_id, _plain(fields))
            owned.append(code)
        elif changed := intake.differing("promo_code", code, fields):
            code = intake.act(one, perks.update_promo_code, code.id, changed)
        intake.remember("promo_code", one.id or f"{membership_id}:{code.code}", code.id)
        stay.add(code.id)
    for code in owned:
        if code.id not in stay and _is_theirs(intake, code.id):
            intake.act(None, perks.delete_promo_code, code.id)
            intake.tx.identities.forget(code.id)


def bring_links(intake: Intake, affiliate: Affiliate, told: Sequence[Told] | None) -> None:
    """Bring an affiliate's links to what was told; None: nothing was told of them."""
    if told is None:
        return
    owned = intake.tx.registry.find(Link, intake.organization_id, affiliate_id=affiliate.id)
    stay: set[str] = set()
    for one in told:
        fields = intake.fields(Link, one)
        if not fields.get("url"):
            continue
        link = _known(intake, "link", one, owned)
        link = link or next((mine for mine in owned if mine.url == fields["url"]), None)
        if link is None:
            link = _new_link(intake, affiliate, one, fields)
            if link is None:
                continue
            owned.append(link)
        elif changed := intake.differing("link", link, fields):
            link = intake.act(one, perks.update_link, link.id, changed)
        intake.remember("link", one.id or link.url, link.id)
        stay.add(link.id)
    for link in owned:
        if link.id not in stay and _is_theirs(intake, link.id):
            intake.act(None, perks.delete_link, link.id)
            intake.tx.identities.forget(link.id)


def _new_link(intake: Intake, affiliate: Affiliate, told: Told, fields: dict[str, Any]) -> Link | None:
    membership_id = _holder(intake, affiliate, told)
    if membership_id is None:
        intake.note("a link waits for a membership to hang on")
        return None
    return intake.act(told, perks.create_link, membership_id, {"token": "", **_plain(fields)})


def _holder(intake: Intake, affiliate: Affiliate, told: Told) -> str | None:
    """Return the membership that a new link hangs on: the told one, else that of the message, else the first live one."""
    named = intake.known("membership", told.fields.get("membership_id"))
    theirs = intake.tx.registry.find(Membership, intake.organization_id, affiliate_id=affiliate.id)
    live = [one.id for one in theirs if is_live(one.status)]
    if named is not None and any(one.id == named.record_id for one in theirs):
        return named.record_id
    return live[0] if live else None


def _known(intake: Intake, kind: str, told: Told, owned: Sequence[Perk]) -> Perk | None:
    known = intake.known(kind, told.id)
    return next((one for one in owned if known and one.id == known.record_id), None)


def _is_theirs(intake: Intake, record_id: str) -> bool:
    known = intake.tx.identities.of_record(intake.organization_id, record_id)
    return any(one.namespace == intake.namespace for one in known)


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields without times: a perk's are ours."""
    return {name: value for name, value in fields.items() if name not in {"created_at", "updated_at"}}
