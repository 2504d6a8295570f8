"""Affiliates: everybody in every program, looked through and changed many at a time, never without a look beforehand."""

from collections.abc import Mapping
from itertools import chain
from typing import Any, Final

from msgspec import Struct
from starlette.responses import Response

from affwire.console import previews, states
from affwire.console.facets import Choices, Facet, among, record
from affwire.console.listing import LIMIT_MAX, Badge, Bulk, Column, Listing, Loaded, Query
from affwire.console.previews import Preview
from affwire.console.routes import Nav, Route
from affwire.console.visit import Visit
from affwire.errors import Refused
from affwire.model import ids
from affwire.model.registry import Group, Program
from affwire.rules.forms import is_line
from affwire.services import countries, moves
from affwire.services.moves import DEEDS, Deed, Extent, Plan
from affwire.store import members
from affwire.store.members import Member
from affwire.store.tx import Tx

PATH: Final = "/affiliates"
CHOSEN_MAX: Final = 1_000
"""Memberships changed at once: what one commit takes."""
TAG_MAX: Final = 255
_DONE: Final[Mapping[Deed, str]] = {"activate": "activated", "remove": "removed", "tag": "tagged"}
_FACETS: Final = {
    "status": "status",
    "program": "program_id",
    "tag": "tag",
    "source": "source",
    "country": "country",
    "account": "account",
    "group": "group_id",
    "q": "text",
}


class _Wish(Struct, frozen=True):
    """What is to be done with the chosen; `bare`: how many of them are in no program."""

    deed: Deed
    tag: str | None
    bare: int


def badge(status: str) -> Badge:
    """Return a membership's status as it is shown everywhere."""
    return states.badge(states.MEMBERSHIPS, status)


def named(member: Member) -> str:
    """Return what an affiliate is called: by name, else by address."""
    affiliate = member.affiliate
    return affiliate.name or affiliate.company or affiliate.email or affiliate.id


def load(visit: Visit, tx: Tx, query: Query) -> Loaded:
    """Return a page of affiliates with their memberships, and how far it looked where few of many fit."""
    asked = {field: query.get(name) for name, field in _FACETS.items()}
    look = members.page(
        tx.connection,
        visit.organization_id,
        members.Wanted(**asked),
        place=query.place,
        limit=query.limit,
        oldest=query.oldest,
    )
    programs = tx.registry.programs(sorted({row.membership.program_id for row in look.rows if row.membership}))
    rows = [(row, programs.get(row.membership.program_id) if row.membership else None) for row in look.rows]
    return Loaded.looked(rows, look.looked_to, full=look.full, window=members.WINDOW)


def many(deed: Deed) -> tuple[Route, ...]:
    """Return the routes that change the chosen memberships: what that says to whom is shown first."""

    async def look(visit: Visit) -> Preview | Response:
        chosen, bare = await _chosen(visit)
        if not chosen:
            return visit.go(PATH, "Choose members first: tick their boxes.", good=False)
        if deed == "tag" and "tag" not in visit.request.query_params:
            context = {"title": f"Tag {_counted(len(chosen))}", "path": PATH, "most": TAG_MAX}
            return visit.show("affiliates/tag.html", context)
        tag = _tag(visit)
        planned, extent = await previews.rehearse(visit, lambda tx: _carried_out(visit, tx, chosen, deed, tag))
        return _preview(visit, _Wish(deed, tag, bare), planned, extent)

    async def do(visit: Visit) -> Response:
        chosen, _ = await _chosen(visit)
        tag = _tag(visit)

        def work(tx: Tx) -> Plan:
            planned, extent = _carried_out(visit, tx, chosen, deed, tag)
            previews.check(visit, count=len(planned.going), told=extent.deliveries, chosen=planned.going)
            return planned

        done = await visit.run(work)
        return visit.go(PATH, _told(done, deed), good=bool(done.going))

    return previews.asked(f"{PATH}/{deed}", look, do)


async def _chosen(visit: Visit) -> tuple[list[str], int]:
    """Return the chosen memberships, and how many were chosen that have none. Raises Refused for too many."""
    named, fitting = visit.asked_all("id"), {field: visit.asked(f"fits_{name}") for name, field in _FACETS.items()}
    if visit.asked("all"):
        named = await visit.read(lambda tx: _fitting(visit, tx, members.Wanted(**fitting)))
    if len(named) > CHOSEN_MAX:
        raise Refused("too_many_chosen", f"At most {CHOSEN_MAX:,} at once: narrow the list, and go on with the rest.")
    chosen = [one for one in named if ids.kind_of(one) == "membership"]
    return chosen, len(named) - len(chosen)


def _fitting(visit: Visit, tx: Tx, wanted: members.Wanted) -> list[str]:
    """Return the row ids of all that fit the list's facets, one more than may be chosen at most."""
    found: list[str] = []
    place: int | None = None
    while len(found) <= CHOSEN_MAX:
        look = members.page(tx.connection, visit.organization_id, wanted, place=place, limit=LIMIT_MAX, oldest=False)
        found += [row_id(row) for row in look.rows]
        place = look.looked_to
        if place is None:
            break
    return found


def row_id(member: Member) -> str:
    """Return what a row is chosen by: the membership, and the affiliate where there is none."""
    return member.membership.id if member.membership else member.affiliate.id


def _carried_out(visit: Visit, tx: Tx, chosen: list[str], deed: Deed, tag: str | None) -> tuple[Plan, Extent]:
    planned = moves.plan(tx, visit.organization_id, chosen, deed, tag)
    return planned, moves.extent(tx, moves.carry_out(tx, visit.caller, visit.desk.dialects, planned, tag))


def _told(done: Plan, deed: Deed) -> str:
    """Return what was done, and what was not, by reason."""
    others = [f"{_counted(count)} left as they were: {why}" for why, count in done.staying.items()]
    return "; ".join([f"{_counted(len(done.going))} {_DONE[deed]}", *others]) + "."


def _preview(visit: Visit, wish: _Wish, planned: Plan, extent: Extent) -> Preview | Response:
    deed, tag, count = wish.deed, wish.tag, len(planned.going)
    if not count:
        why = "; ".join(planned.staying) or "they are in no program"
        return visit.go(PATH, f"Nothing to do: {why}.", good=False)
    verb = {"activate": "Activate", "remove": "Remove", "tag": "Tag"}[deed]
    facts = [f"{_counted(count)} will be {_DONE[deed]}" + (f" “{tag}”." if deed == "tag" and tag else ".")]
    if deed == "tag" and not tag:
        facts = [f"{_counted(count)} will lose their tag."]
    facts += [f"{_counted(number)} will not: {why}." for why, number in planned.staying.items()]
    facts += [f"{wish.bare} chosen are in no program, and stay as they are."] if wish.bare else []
    return Preview(
        title=f"{verb} {_counted(count)}?",
        facts=facts,
        extent=extent,
        button=f"{verb} {_counted(count)}",
        back=PATH,
        count=count,
        chosen=planned.going,
        danger=deed == "remove",
    )


def _tag(visit: Visit) -> str | None:
    """Return the tag that is asked for. Raises Refused."""
    tag = (visit.asked("tag") or "").strip() or None
    if tag is not None and (len(tag) > TAG_MAX or not is_line(tag)):
        raise Refused("invalid_tag", f"A tag is one line of at most {TAG_MAX} characters.", field="tag")
    return tag


def _counted(count: int) -> str:
    return f"{count:,} {'member' if count == 1 else 'members'}"


def _statuses(visit: Visit, tx: Tx) -> Choices:
    known = states.MEMBERSHIPS
    others = [one for one in members.marks(tx.connection, visit.organization_id, "status") if one not in known]
    return [(one, one) for one in (*known, *others)]


def _marks(name: str) -> Any:
    def choices(visit: Visit, tx: Tx) -> Choices:
        known = countries.names() if name == "country" else {}
        return [(one, known.get(one, one)) for one in members.marks(tx.connection, visit.organization_id, name)]

    return choices


def program_choices(visit: Visit, tx: Tx) -> Choices:
    """Return the organization's programs, for choice."""
    return [(one.id, one.name or one.id) for one in tx.registry.find(Program, visit.organization_id)]


def _of_membership(name: str) -> Any:
    return lambda row: getattr(row[0].membership, name, None)


LISTING: Final = Listing(
    path=PATH,
    title="Affiliates",
    one="affiliate",
    columns=(
        Column("name", "Affiliate", lambda row: named(row[0]), href=lambda row: f"{PATH}/{row[0].affiliate.id}"),
        Column("email", "Address", lambda row: row[0].affiliate.email),
        Column("status", "Status", lambda row: badge(row[0].membership.status) if row[0].membership else None, "badge"),
        Column(
            "program",
            "Program",
            lambda row: row[1].name if row[1] else None,
            href=lambda row: f"/programs/{row[1].id}" if row[1] and row[1].deleted_at is None else None,
        ),
        Column("tag", "Tag", _of_membership("tag")),
        Column("source", "Source", _of_membership("source"), first=False),
        Column("country", "Country", lambda row: row[0].affiliate.country, first=False),
        Column(
            "account",
            "Account",
            lambda row: states.badge(states.ACCOUNTS, row[0].affiliate.status),
            "badge",
            first=False,
            chosen=False,
        ),
        Column("confirmed_at", "Confirmed", lambda row: row[0].affiliate.confirmed_at, "time", chosen=False),
        Column("joined_at", "In since", _of_membership("created_at"), "time", first=False),
        Column("updated_at", "Changed", _of_membership("updated_at"), "time", first=False, chosen=False),
        Column("membership_id", "Membership", _of_membership("id"), "id", first=False, chosen=False),
        Column("id", "Id", lambda row: row[0].affiliate.id, "id", first=False, chosen=False),
    ),
    facets=(
        Facet("status", "Status", _statuses, chips=True),
        Facet("program", "Program", program_choices, finds=record(Program)),
        Facet("tag", "Tag", _marks("tag"), free=True),
        Facet("source", "Source", _marks("source"), free=True),
        Facet("country", "Country", _marks("country"), free=True),
        Facet("account", "Account", among(states.ACCOUNTS), later=True),
        Facet("group", "Group", finds=record(Group)),
        Facet("q", "Name or address", typed=True),
    ),
    load=load,
    row_id=lambda row: row_id(row[0]),
    row_path=lambda row: f"{PATH}/{row[0].affiliate.id}",
    empty=(
        "Nobody yet. Affiliates apply on a program's page, come in from a platform, are added here, or by:",
        "affwire affiliates create --email kim@example.com --first-name Kim",
    ),
    bulk=tuple(Bulk(one.capitalize(), f"{PATH}/{one}") for one in DEEDS),
    template="affiliates/list.html",
)

NAV: Final = (Nav("Program", "Affiliates", PATH),)
ROUTES: Final[tuple[Route, ...]] = (
    *LISTING.routes(),
    *chain.from_iterable(map(many, DEEDS)),
)
