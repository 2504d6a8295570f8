"""Hypothesis strategies over events: every type, legal steps, and around them everything that may be missing or odd.

What is drawn could stand in a log; the memberships beside the event's own are in any status.
"""

from typing import Any, Final

from hypothesis import strategies as st

from affwire.model.events import EVENT_TYPES, Event, MembershipView, Snapshot
from affwire.model.money import MINOR_UNITS_MAX
from affwire.model.registry import Affiliate, Program
from affwire.rules.lifecycle import ACCOUNT_STATUSES, KNOWN, MEMBERSHIP
from affwire.testing import events as build

_YEAR_2100: Final = 4_102_444_800_000
_OTHER: Final = ("paused", "vip_2")
"""Two statuses that are named nowhere."""

_TEXT: Final = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
"""Any text a field takes: the API refuses a NUL."""
_MAYBE: Final = st.none() | _TEXT
_TIME: Final = st.integers(min_value=0, max_value=_YEAR_2100)
_MAYBE_TIME: Final = st.none() | _TIME
_STATUS: Final = st.sampled_from((*sorted(KNOWN), *_OTHER))
_OVER: Final = st.sampled_from(("rejected", "removed", "left"))
_ZONE: Final = st.sampled_from(("UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Chatham"))
_COUNTRY: Final = st.none() | st.sampled_from(("SE", "DE"))
_EMAIL: Final = st.none() | st.sampled_from(("Kim@Example.org", "åsa@exämple.org")) | _TEXT.map("{}@example.com".format)
_EXTERNAL: Final = st.dictionaries(
    st.sampled_from(("growi", "affonso", "rewardful", "insert_affiliate", "tamio", "crm")), _TEXT, max_size=2
)
_COUNT: Final = st.integers(min_value=0, max_value=MINOR_UNITS_MAX)

_PROGRAM: Final[dict[str, st.SearchStrategy[Any]]] = {
    "name": _TEXT,
    "description": _MAYBE,
    "currency": st.sampled_from(("USD", "EUR", "JPY")),
    "commission_percent": st.none() | st.floats(0, 100) | st.sampled_from((20.0, 12.5)),
    "commission_amount": st.none() | _COUNT,
    "payment_count": st.none() | _COUNT,
    "products": st.lists(_TEXT, max_size=2),
    "domain": _MAYBE,
    "payments": st.lists(_TEXT, max_size=2),
    "signup_url": _MAYBE,
    "is_public": st.booleans(),
    "banners": st.none() | st.lists(_TEXT, max_size=1),
    "metadata": st.dictionaries(_TEXT, _MAYBE, max_size=2),
}
_AFFILIATE: Final[dict[str, st.SearchStrategy[Any]]] = {
    "email": _EMAIL,
    "first_name": _MAYBE,
    "last_name": _MAYBE,
    "country": _COUNTRY,
    "city": _MAYBE,
    "timezone": st.none() | _ZONE,
    "language": _MAYBE,
    "paypal_email": _MAYBE,
    "payments": st.none() | st.lists(_TEXT, max_size=2),
    "status": st.sampled_from(ACCOUNT_STATUSES),
    "confirmed_at": _MAYBE_TIME,
    "onboarding_completed": st.booleans(),
    "external_ids": _EXTERNAL,
}
_MEMBERSHIP: Final[dict[str, st.SearchStrategy[Any]]] = {
    "tag": _MAYBE,
    "source": _MAYBE,
    "deep_link": _MAYBE,
    "external_ids": _EXTERNAL,
    "updated_at": _TIME,
}
_PROMO_CODE: Final[dict[str, st.SearchStrategy[Any]]] = {
    "code": _TEXT.map("C{}".format),
    "coupon_id": _MAYBE,
    "discount_type": _MAYBE,
    "duration": _MAYBE,
    "discount_value": st.none() | st.just("10.00"),
}


def events(types: tuple[str, ...] = tuple(EVENT_TYPES)) -> st.SearchStrategy[Event]:
    """Return a strategy of events of these types."""
    return st.sampled_from(types).flatmap(lambda name: _FAMILIES[name.partition(".")[0]](name))


@st.composite
def _program_event(draw: st.DrawFn, name: str) -> Event:
    ended = draw(_TIME) if name == "program.deleted" else None
    after = build.snapshot(
        organization=build.organization(timezone=draw(_ZONE)),
        affiliate=None,
        program=draw(programs(1, deleted_at=ended)),
        program_affiliates=draw(_COUNT),
    )
    return build.event(name, after, previous=draw(_some(_PROGRAM)) if name == "program.updated" else {})


@st.composite
def _affiliate_event(draw: st.DrawFn, name: str) -> Event:
    after = draw(snapshots((), ended=name == "affiliate.deleted"))
    previous = {} if name in {"affiliate.created", "affiliate.deleted"} else draw(_some(_AFFILIATE))
    return build.event(name, after, previous=previous, **draw(_circumstances()))


@st.composite
def _membership_event(draw: st.DrawFn, name: str) -> Event:
    before, status = draw(st.sampled_from(_steps(name)))
    own = draw(views(2, st.just(status), st.just(before)))
    previous = draw(_some(_MEMBERSHIP)) | ({} if name == "membership.updated" else {"status": before})
    after = draw(snapshots((own,), ended=False))
    return build.event(name, after, membership_id=own.membership.id, previous=previous, **draw(_circumstances()))


_FAMILIES: Final = {"program": _program_event, "affiliate": _affiliate_event, "membership": _membership_event}


def programs(nth: int, **fields: Any) -> st.SearchStrategy[Program]:
    """Return a strategy of the nth program; what is given is fixed."""
    return _some(_PROGRAM | {"external_ids": _EXTERNAL}).map(lambda drawn: build.program(nth, **(drawn | fields)))


def affiliates(*, ended: bool = False) -> st.SearchStrategy[Affiliate]:
    """Return a strategy of affiliate 1."""
    deleted_at = build.NOW if ended else None
    return _some(_AFFILIATE).map(lambda drawn: build.affiliate(**drawn, deleted_at=deleted_at))


@st.composite
def views(
    draw: st.DrawFn, nth: int, status: st.SearchStrategy[str], before: st.SearchStrategy[str | None]
) -> MembershipView:
    """Return a view of the nth membership with a program, perhaps a group, and promo codes."""
    codes = draw(st.lists(_some(_PROMO_CODE), max_size=2))
    return build.view(
        nth,
        before=draw(before),
        status=draw(status),
        program=draw(programs(nth, deleted_at=draw(st.none() | _TIME))),
        group=draw(st.none() | st.just(build.group(nth))),
        promo_codes=tuple(build.promo_code(at, **code) for at, code in enumerate(codes, 1)),
        **draw(_some(_MEMBERSHIP)),
    )


@st.composite
def snapshots(draw: st.DrawFn, own: tuple[MembershipView, ...], *, ended: bool) -> Snapshot:
    """Return a snapshot of affiliate 1: its own view, if any, is membership 2; 1 and 3 may stand beside it.

    `ended`: the affiliate is deleted, and nothing it had is live. Links hang on the first membership.
    """
    beside = draw(st.sets(st.sampled_from((1, 3)), max_size=2))
    status = _OVER if ended else _STATUS
    others = [draw(views(nth, status, st.none() | _STATUS)) for nth in beside]
    ordered = sorted((*own, *others), key=lambda view: view.membership.number)
    return build.snapshot(
        *ordered,
        organization=build.organization(timezone=draw(_ZONE)),
        affiliate=draw(affiliates(ended=ended)),
        links=tuple(
            build.link(nth, membership_id=ordered[0].membership.id)
            for nth in range(1, draw(st.integers(1, 3)) if ordered else 1)
        ),
    )


def _steps(name: str) -> list[tuple[str | None, str]]:
    """Return what the status may be before and after an event of that type."""
    if name == "membership.updated":
        return [(status, status) for status in (*sorted(KNOWN), *_OTHER)]
    return [
        (_OTHER[0] if before == "X" else before, _OTHER[1] if step.status == "X" else step.status)
        for before, steps in MEMBERSHIP.items()
        for step in steps.values()
        if step.event == name
    ]


def _circumstances() -> st.SearchStrategy[dict[str, Any]]:
    """Return whether the event leads its request, its time, and the standing around it."""
    return st.fixed_dictionaries(
        {
            "leads": st.booleans(),
            "occurred_at": _TIME,
            "standing_before": st.booleans(),
            "standing_after": st.booleans(),
        }
    )


def _some(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy of some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)
