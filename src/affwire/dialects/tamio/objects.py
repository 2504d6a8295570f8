"""Tamio's two objects, affiliate_program and affiliate, with the keys and types of its pages; what is missing is null.

Ids are UUIDs: Tamio's own where the record came from there (external id `tamio`), else our 128 bits.
"""

import re
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import structs

from affwire.model import ids
from affwire.model.events import MembershipView
from affwire.model.registry import Affiliate, Membership, Program
from affwire.model.times import moment

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UNAPPROVED: Final = frozenset({"pending", "rejected"})


def program(record: Program) -> dict[str, Any]:
    """Return an affiliate_program, keys in the page's order; a commission that is not set is 0, as on the page."""
    return {
        "object": "affiliate_program",
        "products": record.products,
        "domain": record.domain,
        "label": record.name,
        "created_at": record.created_at // 1000,
        "signup_url": record.signup_url,
        "id": uuid(record),
        "currency": record.currency,
        "commission_amount": record.commission_amount or 0,
        "commission_percent": _number(record.commission_percent or 0),
        "description": record.description,
        "payout_delay": record.payout_delay,
        "subscription_commission_type": record.subscription_commission_type,
        "destinations": record.destinations,
        "payments": record.payments,
        "is_public": record.is_public,
        "auto_approve": record.auto_approve,
        "is_listed": record.is_listed,
        "payment_count": record.payment_count,
        "affiliate_notifications": record.affiliate_notifications,
        "banners": record.banners,
    }


def changes(record: Program, previous: dict[str, Any]) -> list[str]:
    """Return which fields of Tamio's object changed, by its names and in its order: what it shows alike did not."""
    known = {name: value for name, value in previous.items() if name in record.__struct_fields__}
    before, after = program(structs.replace(record, **known)), program(record)
    return [name for name in after if after[name] != before[name]]


def affiliate(view: MembershipView, record: Affiliate, at: int) -> dict[str, Any]:
    """Return an affiliate of one program; `at` (ms) decides the zone's offset. Counts and sums are not kept yet."""
    return {
        "object": "affiliate",
        "id": uuid(view.membership),
        "email": record.email,
        "name": record.first_name,
        "surname": record.last_name,
        "address": record.address,
        "city": record.city,
        "state": record.state,
        "country": record.country.lower() if record.country else None,
        "postcode": record.postcode,
        "vat": record.vat,
        "telephone": record.telephone,
        "affiliate_program_id": uuid(view.program),
        "affiliate_program_label": view.program.name,
        "currency": view.program.currency,
        "sales": 0,
        "referrals": 0,
        "balance": 0,
        "bonus": 0,
        "approved": view.membership.status not in _UNAPPROVED,
        "payments": record.payments,
        "language": record.language,
        "timezone": record.timezone,
        "timezone_offset": _offset_seconds(record.timezone, at),
    }


def uuid(record: Membership | Program) -> str:
    """Return the id that Tamio's receivers know the record by."""
    external = record.external_ids.get("tamio", "")
    return external if _UUID.fullmatch(external) else ids.uuid_of(record.id)


def _number(percent: float) -> float:
    """20, not 20.0: JSON as the page writes it."""
    return int(percent) if percent == int(percent) else percent


def _offset_seconds(timezone: str | None, at: int) -> int | None:
    """None if there is no time zone, or this machine does not know it: an odd text must not stop a delivery."""
    try:
        offset = moment(at).astimezone(ZoneInfo(timezone)).utcoffset() if timezone else None
    except (KeyError, ValueError, OSError):
        return None
    return None if offset is None else int(offset.total_seconds())
