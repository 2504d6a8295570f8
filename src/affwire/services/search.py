"""Search: any id that the API, a dialect or another system shows, pasted as it is, finds its record.

Ids that hold our 128 bits are turned back; what a dialect derives from an address is found by asking it for each affiliate.
"""

import re
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from msgspec import Struct

from affwire.dialects.base import Dialect
from affwire.model import ids
from affwire.model.events import Snapshot
from affwire.model.registry import Affiliate, Organization
from affwire.services.actions import EXTERNAL, resolved
from affwire.store.externals import KINDS
from affwire.store.tx import Tx

SCANNED_MAX: Final = 20_000
"""Affiliates that are asked for a derived id, the oldest first: about a second of one reader's time."""
_SCANNED_AT_ONCE: Final = 1_000

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TEXT: Final = re.compile(r"[a-z]+_([0-7][0-9a-hjkmnp-tv-z]{25})")
_DERIVED: Final = re.compile(r"ia_[0-9a-f]{8}")
_DERIVING: Final = "insert_affiliate"


def among(
    tx: Tx, organization: Organization, kind: type[Struct], text: str, dialects: Mapping[str, Dialect]
) -> list[str]:
    """Return the ids of the records of that kind which `text`, as a whole, names."""
    if kind not in KINDS:
        return []
    text = text.strip()
    found = tx.registry.external_ids.named(kind, organization.id, text)
    if text.startswith(EXTERNAL):
        found.append(resolved(tx, kind, organization.id, text))
    body = _body(text.lower())
    if body is not None:
        found.append(f"{ids.PREFIXES[KINDS[kind]]}_{body}")
    if kind is Affiliate and _DERIVED.fullmatch(text.lower()) and _DERIVING in dialects:
        found += _deriving(tx, organization, text.lower(), dialects[_DERIVING])
    return found


def _body(text: str) -> str | None:
    """Return our 26 characters of a UUID or of an id with any prefix (Affonso's `prog_`), None if it is neither."""
    if _UUID.fullmatch(text):
        return ids.text(UUID(text).int)
    named = _TEXT.fullmatch(text)
    return named[1] if named else None


def _deriving(tx: Tx, organization: Organization, text: str, dialect: Dialect) -> list[str]:
    found: list[str] = []
    after: int | None = None
    for _ in range(SCANNED_MAX // _SCANNED_AT_ONCE):
        page = tx.registry.page(Affiliate, organization.id, after=after, limit=_SCANNED_AT_ONCE)
        for affiliate in page:
            shown = dialect.object("affiliate", affiliate.id, Snapshot(organization=organization, affiliate=affiliate))
            if shown is not None and shown.get("affiliate_id") == text:
                found.append(affiliate.id)
        if found or len(page) < _SCANNED_AT_ONCE:
            break
        after = page[-1].number
    return found
