"""Affiliates as a person looks through them: each with those of its memberships that fit, the newest affiliates first.

Rule: every look is bounded. At most WINDOW affiliates are looked at, and the answer says how far.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, exists, func, or_, select

from affwire.model.registry import Affiliate, Membership, Program
from affwire.store.rows import Record, shape
from affwire.store.tables import affiliates, memberships, programs

WINDOW: Final = 5_000
"""Affiliates that one page looks at: some 20 ms where hardly any of them fits."""
SHOWN_MAX: Final = 20
"""Memberships of one affiliate that a list shows; the affiliate's own page has all of them."""
SAMPLE: Final = 5_000
"""The newest memberships or affiliates, whose tags, sources and countries are offered for choice."""
CHOICES_MAX: Final = 100
_NAMES: Final = ("email_key", "first_name", "last_name", "company")


class Wanted(Struct, frozen=True, kw_only=True):
    """Which affiliates; None filters nothing. `text`: a part of a name or of the address."""

    status: str | None = None
    program_id: str | None = None
    tag: str | None = None
    source: str | None = None
    country: str | None = None
    account: str | None = None
    text: str | None = None


class Member(Struct, frozen=True):
    """An affiliate with one of its memberships; None: it is in no program."""

    affiliate: Affiliate
    membership: Membership | None


class Look(Struct, frozen=True):
    """What one look found, and the affiliates' number behind which it did not look; None: it saw everything."""

    rows: list[Member]
    looked_to: int | None
    full: bool
    """Whether it ended because the page is full, and not because it had looked at WINDOW affiliates."""


def page(
    connection: Connection, organization_id: str, wanted: Wanted, *, place: int | None, limit: int, oldest: bool
) -> Look:
    """Return at most `limit` affiliates behind a number, each with its fitting memberships."""
    number = affiliates.c.number
    narrow = [*_of_affiliate(wanted), *_with_membership(wanted)]
    window = _from(organization_id, place=place, oldest=oldest)
    end = connection.execute(window.with_only_columns(number).offset(WINDOW - 1).limit(1)).scalar() if narrow else None
    if end is not None:
        window = window.where(number <= end if oldest else number >= end)
    found = _records(connection, Affiliate, window.where(*narrow).limit(limit))
    rows = _joined(found, _memberships(connection, organization_id, found, wanted))
    full = len(found) == limit
    return Look(rows, found[-1].number if full else end, full)


def programs_page(
    connection: Connection, organization_id: str, *, place: int | None, limit: int, oldest: bool
) -> list[Program]:
    """Return at most `limit` programs behind a number, the newest first unless `oldest` is wanted."""
    number = programs.c.number
    query = select(programs).where(programs.c.organization_id == organization_id, programs.c.deleted_at.is_(None))
    if place is not None:
        query = query.where(number > place if oldest else number < place)
    return _records(connection, Program, query.order_by(number if oldest else number.desc()).limit(limit))


def statuses(connection: Connection, organization_id: str, program_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return how many memberships of each status these programs have, by the program's id."""
    found: dict[str, dict[str, int]] = {program_id: {} for program_id in program_ids}
    query = (
        select(memberships.c.program_id, memberships.c.status, func.count())
        .where(memberships.c.organization_id == organization_id, memberships.c.program_id.in_(program_ids))
        .group_by(memberships.c.program_id, memberships.c.status)
    )
    for program_id, status, count in connection.execute(query):
        found[program_id][status] = count
    return found


def marks(connection: Connection, organization_id: str, name: str) -> list[str]:
    """Return the values of `tag`, `source` or `status` of the newest memberships, or `country` of the newest affiliates."""
    table = affiliates if name == "country" else memberships
    newest = (
        select(table.c[name])
        .where(table.c.organization_id == organization_id)
        .order_by(table.c.number.desc())
        .limit(SAMPLE)
        .subquery()
    )
    query = select(newest.c[name]).where(newest.c[name].is_not(None)).distinct().order_by(newest.c[name])
    return list(connection.execute(query.limit(CHOICES_MAX)).scalars())


def _from(organization_id: str, *, place: int | None, oldest: bool) -> Select[Any]:
    """An organization's affiliates from a number on, in the order of the index."""
    number = affiliates.c.number
    query = select(affiliates).where(
        affiliates.c.organization_id == organization_id, affiliates.c.deleted_at.is_(None)
    )
    if place is not None:
        query = query.where(number > place if oldest else number < place)
    return query.order_by(number if oldest else number.desc())


def _of_affiliate(wanted: Wanted) -> list[ColumnElement[bool]]:
    named = {"country": wanted.country, "status": wanted.account}
    found = [affiliates.c[name] == value for name, value in named.items() if value is not None]
    if wanted.text is not None:
        found.append(or_(*(affiliates.c[name].icontains(wanted.text, autoescape=True) for name in _NAMES)))
    return found


def _of_membership(wanted: Wanted) -> list[ColumnElement[bool]]:
    named = {"status": wanted.status, "program_id": wanted.program_id, "tag": wanted.tag, "source": wanted.source}
    return [memberships.c[name] == value for name, value in named.items() if value is not None]


def _with_membership(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions = _of_membership(wanted)
    own = memberships.c.organization_id == affiliates.c.organization_id
    return [exists().where(own, memberships.c.affiliate_id == affiliates.c.id, *conditions)] if conditions else []


def _memberships(
    connection: Connection, organization_id: str, found: Sequence[Affiliate], wanted: Wanted
) -> dict[str, list[Membership]]:
    query = select(memberships).where(
        memberships.c.organization_id == organization_id,
        memberships.c.affiliate_id.in_([one.id for one in found]),
        *_of_membership(wanted),
    )
    its: dict[str, list[Membership]] = {}
    # Sorted here: asked for an order, SQLite walks through all of the organization's memberships in it.
    for membership in sorted(_records(connection, Membership, query), key=lambda one: one.number):
        its.setdefault(membership.affiliate_id, []).append(membership)
    return its


def _joined(found: Sequence[Affiliate], its: Mapping[str, Sequence[Membership | None]]) -> list[Member]:
    nobody = (None,)
    return [
        Member(affiliate, membership) for affiliate in found for membership in its.get(affiliate.id, nobody)[:SHOWN_MAX]
    ]


def _records(connection: Connection, kind: type[Record], query: Select[Any]) -> list[Record]:
    known = shape(kind)
    rows = connection.execute(query.with_only_columns(*(known.table.c[name] for name in known.columns)))
    return [known.record(tuple(row)) for row in rows]
