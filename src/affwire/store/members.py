"""Affiliates as a person looks through them: each with those of its memberships that fit, the newest affiliates first.

Rule: every look is bounded. At most WINDOW affiliates are looked at, and the answer says how far.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, exists, func, literal_column, or_, select

from affwire.model.registry import Affiliate, Membership, Program
from affwire.store.rows import Record, shape
from affwire.store.tables import affiliates, memberships, programs

WINDOW: Final = 5_000
"""Affiliates that one page looks at: some 15 ms where hardly any of them fits."""
FEW_MAX: Final = 2_000
"""Memberships of a status that are gone to by themselves: with more, a page is full before the window ends."""
SHOWN_MAX: Final = 20
"""Memberships of one affiliate that a list shows; the affiliate's own page has all of them."""
SAMPLE: Final = 5_000
"""The newest memberships or affiliates, whose tags, sources and countries are offered for choice."""
CHOICES_MAX: Final = 100
_NAMES: Final = ("email_key", "first_name", "last_name", "company")

_NOT_ACTIVE: Final = memberships.c.status != literal_column("'active'")
"""In the words of the index of them, which is looked into for nothing else."""


class Wanted(Struct, frozen=True, kw_only=True):
    """Which affiliates; None filters nothing. `text`: a part of a name or of the address."""

    status: str | None = None
    program_id: str | None = None
    tag: str | None = None
    source: str | None = None
    country: str | None = None
    account: str | None = None
    group_id: str | None = None
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
    few = _few(connection, organization_id, wanted)
    narrow = [*_of_affiliate(wanted), *_with_membership(wanted)]
    window = _from(None if few is not None else organization_id, place=place, oldest=oldest)
    if few is not None:
        window = window.where(affiliates.c.id.in_(few))
    last = window.with_only_columns(number).offset(WINDOW - 1).limit(1)
    end = connection.execute(last).scalar() if narrow and few is None else None
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
    own = memberships.c
    mine = own.organization_id == organization_id, own.program_id.in_(program_ids)
    others = select(own.program_id, own.status, func.count()).where(*mine, _NOT_ACTIVE)
    for program_id, status, count in connection.execute(others.group_by(own.program_id, own.status)):
        found[program_id][status] = count
    # Who is active is in no index by status: all but the others are.
    every = select(own.program_id, func.count()).where(*mine).group_by(own.program_id)
    for program_id, count in connection.execute(every):
        active = count - sum(found[program_id].values())
        found[program_id] |= {"active": active} if active else {}
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


def _few(connection: Connection, organization_id: str, wanted: Wanted) -> Select[Any] | None:
    """Return the affiliates with a membership of a status that few have, however long ago they came; None: many have it."""
    if wanted.status in {None, "active"}:
        return None
    own = memberships.c
    query = select(own.affiliate_id).where(own.organization_id == organization_id, own.status == wanted.status)
    query = query.where(_NOT_ACTIVE).limit(FEW_MAX + 1)
    count = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    return query if count <= FEW_MAX else None


def _from(organization_id: str | None, *, place: int | None, oldest: bool) -> Select[Any]:
    """An organization's affiliates from a number on, in the order of the index.

    None: whoever asks names them by id; named by both, SQLite walks through all of the organization's.
    """
    number = affiliates.c.number
    query = select(affiliates).where(affiliates.c.deleted_at.is_(None))
    if organization_id is not None:
        query = query.where(affiliates.c.organization_id == organization_id)
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
    named |= {"group_id": wanted.group_id}
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
