"""Search: whatever the API, a dialect, another system or a person shows, pasted as it is, finds its record.

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
from affwire.model.inbound import EMAIL, Source
from affwire.model.registry import Affiliate, Organization
from affwire.services import relay
from affwire.services.actions import EXTERNAL, resolved
from affwire.services.organizations import digest
from affwire.store import finding
from affwire.store.externals import KINDS
from affwire.store.finding import Named
from affwire.store.registry import email_key
from affwire.store.tx import Tx

SCANNED_MAX: Final = 20_000
"""Affiliates that are asked for a derived id, the oldest first: about a second of one reader's time."""
DERIVED_MAX: Final = 4_000
"""Of them, those that are asked where somebody waits for a page."""
_SCANNED_AT_ONCE: Final = 1_000
NUMBER_MAX: Final = 18
"""Digits of a number of ours."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TEXT: Final = re.compile(r"[a-z]+_([0-7][0-9a-hjkmnp-tv-z]{25})")
_DERIVED: Final = re.compile(r"ia_[0-9a-f]{8}")
_DERIVING: Final = "insert_affiliate"
_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*:\s+")
"""A header pasted with its name."""
_SIGNATURE: Final = re.compile(
    r"(v1a?,[A-Za-z0-9+/=]{16,}.*|t=\d+,\s*v\d=.*|sha(256|512|1)=[0-9a-fA-F]{32,}|[0-9a-fA-F]{64}|[A-Za-z0-9+/]{43}=)"
)
_INGEST: Final = re.compile(r"/in/([^/?#\s]+)")
_PARTS: Final = re.compile(r"[/?&=#]+")
PARTS_MAX: Final = 20
"""Parts of a URL that are tried as a link's token."""


def pasted(text: str) -> str:
    """Return what was meant by what was pasted: without quotes, brackets, and a header's name."""
    text = text.strip().strip("\"'<>`").removeprefix("mailto:")
    return _HEADER.sub("", text, count=1).strip() if _HEADER.match(text) else text


def is_signature(text: str) -> bool:
    """Whether a text looks like the value of a header that signs: it finds nothing, and says who may have sent it."""
    return _SIGNATURE.fullmatch(text) is not None


def opens_source(tx: Tx, text: str) -> bool:
    """Whether a text is a source's ingest URL or its token, of whichever organization: it is to be shown nowhere."""
    return _opened(tx, text) is not None


def found(tx: Tx, organization: Organization, text: str, dialects: Mapping[str, Dialect], *, limit: int) -> list[Named]:
    """Return the records that a text names, and what matched: the one whose id or address it is, else all that fit it.

    Some may be there no more: whoever shows them looks. `limit`: of each kind, those that are found by a name.
    """
    own = tx.connection, organization.id
    exact = _by_id(tx, organization.id, text) or finding.by_address(*own, email_key(text) or "")
    if exact:
        return exact
    source = _opened(tx, text)
    if source is not None:
        return [Named(source.id, "ingest URL")] if source.organization_id == organization.id else []
    other = _by_other_id(tx, organization, text, dialects)
    if other is not None:
        return other
    named = _by_value(tx, organization.id, text, dialects)
    if text.isascii() and text.isdigit() and len(text) <= NUMBER_MAX:
        named += finding.by_number(*own, int(text))
    if "://" in text:
        return [*named, *_by_url(tx, organization.id, text), *finding.endpoints_at(*own, text, limit)]
    if is_signature(text) or (named and any(char.isdigit() for char in text)):
        return named  # nobody is called so
    return [*named, *finding.by_name(*own, text, limit)]


def _by_value(tx: Tx, organization_id: str, text: str, dialects: Mapping[str, Dialect]) -> list[Named]:
    """Return what others call so: records, and messages by the id that their platform gave them."""
    namespaces = [EMAIL, *dialects, *(relay.PREFIX + name for name in dialects)]
    sources = [one.id for one in tx.registry.find(Source, organization_id)]
    records = finding.by_value(tx.connection, organization_id, text, namespaces)
    return [*records, *finding.by_dedupe_key(tx.connection, sources, text)]


def _opened(tx: Tx, text: str) -> Source | None:
    named = _INGEST.search(text)
    return tx.sources.by_token(digest(named[1] if named else text))


def _by_id(tx: Tx, organization_id: str, text: str) -> list[Named]:
    """Return the record that has this id of ours; of an attempt, the delivery that it belongs to."""
    kind = ids.kind_of(text.lower())
    if kind == "attempt":
        made_at = ids.number_of(text.lower()) >> 80
        its = finding.of_attempt(tx.connection, organization_id, text.lower(), made_at)
        return [its] if its else []
    return [Named(text.lower(), "id")] if kind else []


def _by_other_id(tx: Tx, organization: Organization, text: str, dialects: Mapping[str, Dialect]) -> list[Named] | None:
    """Return what a dialect's spelling of our id, or `ext:<namespace>:<id>`, may stand for; None for any other text."""
    body = _body(text.lower())
    if body is not None:
        spelled = [Named(f"{one}_{body}", "id, as a dialect writes it") for one in ids.PREFIXES.values()]
        return [*spelled, *_by_value(tx, organization.id, text, dialects)]
    if text.startswith(EXTERNAL):
        known = (resolved(tx, kind, organization.id, text) for kind in KINDS)
        return [Named(one, "external id") for one in known if one != text]
    if _DERIVED.fullmatch(text.lower()) and _DERIVING in dialects:
        dialect = dialects[_DERIVING]
        found = _deriving(tx, organization, text.lower(), dialect, most=DERIVED_MAX)
        return [Named(one, f"{_DERIVING} id") for one in found]
    return None


def _by_url(tx: Tx, organization_id: str, text: str) -> list[Named]:
    """Return the links that lead to a URL, or whose token is a part of it."""
    parts = dict.fromkeys(part for part in _PARTS.split(text.partition("://")[2])[1:] if part)
    tokens = [one for part in list(parts)[:PARTS_MAX] for one in finding.by_token(tx.connection, organization_id, part)]
    return tokens or finding.by_link(tx.connection, organization_id, text)


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
        found += _deriving(tx, organization, text.lower(), dialects[_DERIVING], most=SCANNED_MAX)
    return found


def _body(text: str) -> str | None:
    """Return our 26 characters of a UUID or of an id with any prefix (Affonso's `prog_`), None if it is neither."""
    if _UUID.fullmatch(text):
        return ids.text(UUID(text).int)
    named = _TEXT.fullmatch(text)
    return named[1] if named else None


def _deriving(tx: Tx, organization: Organization, text: str, dialect: Dialect, *, most: int) -> list[str]:
    found: list[str] = []
    after: int | None = None
    for _ in range(most // _SCANNED_AT_ONCE):
        page = tx.registry.page(Affiliate, organization.id, after=after, limit=_SCANNED_AT_ONCE)
        for affiliate in page:
            shown = dialect.object("affiliate", affiliate.id, Snapshot(organization=organization, affiliate=affiliate))
            if shown is not None and shown.get("affiliate_id") == text:
                found.append(affiliate.id)
        if found or len(page) < _SCANNED_AT_ONCE:
            break
        after = page[-1].number
    return found
