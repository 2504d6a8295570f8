"""Search: whatever the API, a dialect, another system or a person shows, pasted as it is, finds its record.

Ids that hold our 128 bits are turned back; those that are digests are looked for in digests.py.
"""

import re
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from msgspec import Struct

from affwire.dialects.base import Dialect
from affwire.model import ids
from affwire.model.inbound import EMAIL, Source
from affwire.model.registry import Affiliate, Organization
from affwire.rules.forms import one_line
from affwire.services import digests, relay
from affwire.services.actions import EXTERNAL, resolved
from affwire.services.organizations import digest
from affwire.store import finding
from affwire.store.externals import KINDS
from affwire.store.finding import Named
from affwire.store.registry import email_key
from affwire.store.tx import Tx

NUMBER_MAX: Final = 18
"""Digits of a number of ours."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TEXT: Final = re.compile(r"[a-z]+_([0-7][0-9a-hjkmnp-tv-z]{25})")
_SHORT: Final = re.compile(r"([a-z]+)_(?:\u2026|\.{3})([0-9a-z]{8,25})")
"""An id as pages shorten it."""
_DIGEST: Final = re.compile(r"[a-z]+_[0-9a-z]{8,64}")
"""The form of an id that may be a digest."""
_KINDS: Final = {prefix: kind for kind, prefix in ids.PREFIXES.items()}
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
    text = one_line(text).strip("\"'<>`").removeprefix("mailto:")
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
    exact = finding.by_address(*own, email_key(text) or "")
    if exact:
        return exact
    source = _opened(tx, text)
    if source is not None:
        return [Named(source.id, "ingest URL")] if source.organization_id == organization.id else []
    other = _by_other_id(tx, organization.id, text, dialects)
    if other is not None:
        return other
    named = _by_value(tx, organization.id, text, dialects)
    if text.isascii() and text.isdigit() and len(text) <= NUMBER_MAX:
        named += [*finding.by_number(*own, int(text)), *_numbered(organization, int(text))]
    if "/" in text:
        named += _by_ids_in(tx, organization.id, text, dialects)
    if "://" in text:
        return [*named, *_by_url(tx, organization.id, text), *finding.endpoints_at(*own, text, limit)]
    if is_signature(text) or (named and any(char.isdigit() for char in text)):
        return named  # nobody is called so
    return [*named, *finding.by_name(*own, text, limit)]


def _numbered(organization: Organization, number: int) -> list[Named]:
    return [Named(organization.id, "number")] if organization.number == number else []


def _by_value(tx: Tx, organization_id: str, text: str, dialects: Mapping[str, Dialect]) -> list[Named]:
    """Return what others call so: records, and messages by the id that their platform gave them."""
    namespaces = [EMAIL, *dialects, *(relay.PREFIX + name for name in dialects)]
    sources = [one.id for one in tx.registry.find(Source, organization_id)]
    records = finding.by_value(tx.connection, organization_id, text, namespaces)
    return [*records, *finding.by_dedupe_key(tx.connection, sources, text)]


def _opened(tx: Tx, text: str) -> Source | None:
    named = _INGEST.search(text)
    return tx.sources.by_token(digest(named[1] if named else text))


def _by_other_id(tx: Tx, organization_id: str, text: str, dialects: Mapping[str, Dialect]) -> list[Named] | None:
    """Return what an id of ours, whole or shortened, or in a dialect's spelling, or `ext:<namespace>:<id>`, may stand for.

    None for any other text.
    """
    if _body(text.lower()) is not None:
        return _by_id(tx, organization_id, text, dialects)
    if text.startswith(EXTERNAL):
        known = (resolved(tx, kind, organization_id, text) for kind in KINDS)
        return [Named(one, "external id") for one in known if one != text]
    short = _SHORT.fullmatch(text.lower())
    if short is not None:
        kind = _KINDS.get(short[1], "")
        return finding.by_ending(tx.connection, organization_id, kind, short[2])
    if _DIGEST.fullmatch(text.lower()) is None:
        return None
    named = _by_value(tx, organization_id, text, dialects)
    named = named or digests.messages(tx, organization_id, text.lower(), dialects)
    return named or digests.people(tx, organization_id, text.lower(), dialects) or None


def _by_id(tx: Tx, organization_id: str, text: str, dialects: Mapping[str, Dialect]) -> list[Named]:
    """Return what our 128 bits may stand for, in whichever spelling; of an attempt, the delivery that it belongs to."""
    lower = text.lower()
    body = _body(lower)
    spelled = [f"{prefix}_{body}" for prefix in ids.PREFIXES.values()]
    found = [Named(one, "id" if one == lower else "id, as a dialect writes it") for one in spelled]
    attempt_id = f"{ids.PREFIXES['attempt']}_{body}"
    its = finding.of_attempt(tx.connection, organization_id, attempt_id, ids.number_of(attempt_id) >> 80)
    found += [its] if its else []
    if ids.kind_of(lower) == "event" and tx.log.position_of(organization_id, lower) is None:
        found += digests.messages(tx, organization_id, lower, dialects)
    return [*found, *_by_value(tx, organization_id, text, dialects)]


def _by_ids_in(tx: Tx, organization_id: str, url: str, dialects: Mapping[str, Dialect]) -> list[Named]:
    """Return the records whose ids a URL has, as the console's and the API's own have them; whose organization, says nothing."""
    parts = [part for part in _PARTS.split(url)[:PARTS_MAX] if ids.kind_of(part.lower()) not in {None, "organization"}]
    return [one for part in dict.fromkeys(parts) for one in _by_id(tx, organization_id, part, dialects)]


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
    if kind is Affiliate:
        found += [one.record_id for one in digests.people(tx, organization.id, text.lower(), dialects)]
    return found


def _body(text: str) -> str | None:
    """Return our 26 characters of a UUID or of an id with any prefix (Affonso's `prog_`), None if it is neither."""
    if _UUID.fullmatch(text):
        return ids.text(UUID(text).int)
    named = _TEXT.fullmatch(text)
    return named[1] if named else None
