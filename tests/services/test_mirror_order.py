"""Whatever order a platform's messages come in, and however often: the mirror ends where the story ended."""

import contextlib

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from inflow import Platform
from registry_walk import HOOKS

from affwire.dialects.base import Attempt, Saying
from affwire.errors import Refused
from affwire.model.registry import Affiliate, Membership, Program, PromoCode
from affwire.rules.lifecycle import ENDED
from affwire.services import affiliates, deliveries, memberships, perks, programs
from affwire.testing.house import MemoryHouse

DAY = 86_400_000
TIMED = ["growi", "affonso", "rewardful", "insert_affiliate", "standard"]
"""The dialects that tell when something happened; Tamio's messages tell nothing to order them by."""
OWN = {"id", "number", "external_ids", "organization_id", "affiliate_id", "program_id", "group_id"}
OWN |= {"created_at", "updated_at", "confirmed_at", "sequence", "touched_at", "standing"}
"""What differs from house to house, or is a time of ours."""
BY_MEMBERSHIP = {"growi", "affonso"}
"""They tell of people through memberships alone: of somebody whose end came first, the older beginning is the last news."""
STATUSES = ["pending", "active", "paused", "rejected", "removed", "left"]


class Story:
    """One affiliate's life on a platform, as that platform would tell it."""

    def __init__(self, dialect):
        self.house = MemoryHouse()
        self.dialect = self.house.dialects[dialect]
        self.endpoint = self.house.endpoint(dialect, HOOKS)
        self.programs = [self.house.act(programs.create, {"name": name}) for name in ("Spring", "Autumn")]
        self.kim = None
        self.lives = 0

    def step(self, what, number):
        self.house.clock.advance(5_000 + number)
        with contextlib.suppress(Refused):
            getattr(self, what)(number)

    def join(self, number):
        program, status = self.programs[number % 2], STATUSES[number % 3 % 2]
        if self.kim is None:
            fields = {"email": self.address(), "first_name": "Kim"}
            self.kim = self.house.act(affiliates.create, fields, program_id=program.id, membership={"status": status})[
                0
            ]
        else:
            self.house.act(memberships.create, self.kim.id, program.id, {"status": status})

    def alone(self, number):
        if self.kim is None:
            self.kim = self.house.act(affiliates.create, {"email": self.address()})[0]

    def move(self, number):
        for member in self.members()[number % 2 :][:1]:
            self.house.act(memberships.update, member.id, {"status": STATUSES[number % 6]})

    def tag(self, number):
        for member in self.members()[number % 2 :][:1]:
            self.house.act(memberships.update, member.id, {"tag": f"tag{number % 4}"})

    def code(self, number):
        for member in self.members()[:1]:
            self.house.act(perks.create_promo_code, member.id, {"code": f"CODE{number % 3}"})

    def name(self, number):
        if self.kim:
            self.house.act(affiliates.update, self.kim.id, {"first_name": f"Kim{number % 5}", "last_name": "Berg"})

    def mail(self, number):
        if self.kim:
            self.house.act(affiliates.update, self.kim.id, {"email": self.address(number % 3)})

    def account(self, number):
        if self.kim:
            self.house.act(affiliates.update, self.kim.id, {"status": ("active", "disabled")[number % 2]})

    def confirm(self, number):
        if self.kim:
            self.house.act(affiliates.confirm, self.kim.id)

    def delete(self, number):
        if self.kim:
            self.house.act(affiliates.delete, self.kim.id)
            self.kim = None
            self.lives += 1

    def address(self, number=0):
        """Return an address of this life: who comes back under an old one is found by it, which depends on the order."""
        return f"kim{number}.{self.lives}@example.org"

    def members(self):
        owner = self.house.organization.id
        return (
            self.house.run(lambda tx: tx.registry.find(Membership, owner, affiliate_id=self.kim.id)) if self.kim else []
        )

    def messages(self):
        """Return the bodies of everything that was said, in order."""
        batch = self.house.run(
            lambda tx: deliveries.claim(tx, self.house.dialects, worker="w", limit=10_000, room=lambda *_: 10_000)
        )
        claims = sorted(batch.claims, key=lambda claim: claim.delivery.position)
        return [
            self.dialect.request(
                claim.event, saying(claim), claim.recipient, claim.delivery.id, Attempt(claim.attempt.id, 1, 0)
            ).body
            for claim in claims
        ]


def saying(claim):
    return Saying(claim.delivery.word, claim.delivery.subject_id)


def mirrored(dialect, bodies):
    house = MemoryHouse()
    house.clock.advance(DAY)
    platform = Platform(house, dialect)
    for body in bodies:
        house.clock.advance(1_000)
        message = platform.bring(body)
        assert message.status in {"applied", "unchanged"}, message.reason
    return live(house, house.dialects[dialect].card)


def live(house, card):
    """Return who is there, in which programs and how, as far as the dialect can tell."""

    def look(tx):
        owner = house.organization.id
        names = {one.id: one.name or one.external_ids.get(card.name) for one in tx.registry.find(Program, owner)}
        people = [(one, sorted(members(tx, one, names))) for one in tx.registry.find(Affiliate, owner)]
        return sorted(
            (carried(card, "affiliate", one) if lives or card.name not in BY_MEMBERSHIP else "", lives)
            for one, lives in people
        )

    def members(tx, affiliate, names):
        for one in tx.registry.find(Membership, house.organization.id, affiliate_id=affiliate.id):
            if one.status not in ENDED:
                codes = tx.registry.find(PromoCode, house.organization.id, membership_id=one.id)
                yield (names[one.program_id], carried(card, "membership", one), sorted(code.code for code in codes))

    return house.run(look)


def carried(card, kind, record):
    names = [name for name in type(record).__struct_fields__ if card.carries(f"{kind}.{name}") and name not in OWN]
    return repr([(name, getattr(record, name)) for name in names])


QUICK = [Phase.explicit, Phase.reuse, Phase.generate]
"""Shrinking replays whole stories for minutes; the failing one is short enough to read."""
STEPS = ["join", "join", "alone", "move", "move", "move", "tag", "code", "name", "mail", "account", "confirm", "delete"]


@pytest.mark.slow
@pytest.mark.parametrize("dialect", TIMED)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=QUICK)
@given(data=st.data())
def test_order_and_repetition_do_not_matter(dialect, data):
    story = Story(dialect)
    for what, number in data.draw(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 999)), max_size=14)):
        story.step(what, number)
    bodies = story.messages()
    again = data.draw(st.lists(st.sampled_from(bodies), max_size=5)) if bodies else []
    shuffled = data.draw(st.permutations([*bodies, *again]))
    assert mirrored(dialect, shuffled) == mirrored(dialect, bodies)


@pytest.mark.slow
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), phases=QUICK)
@given(data=st.data())
def test_several_platforms_at_once_and_in_any_order_trip_nothing_and_say_nothing_twice(data):
    dialects = data.draw(st.permutations([*TIMED, "tamio"]))[:3]
    steps = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 999)), max_size=8)
    messages = []
    for dialect in dialects:
        story = Story(dialect)
        for what, number in data.draw(steps):
            story.step(what, number)
        messages += [(dialect, body) for body in story.messages()]
    house = MemoryHouse()
    house.clock.advance(DAY)
    growi = house.endpoint("growi", HOOKS)
    platforms = {dialect: Platform(house, dialect) for dialect in dialects}
    for dialect, body in data.draw(st.permutations(messages)):
        house.clock.advance(1_000)
        message = platforms[dialect].bring(body)
        assert message.status in {"applied", "unchanged"}, message.reason
    told = [(row.subject_id, event_of(house, row).own.membership.updated_at // 1000) for row in house.deliveries(growi)]
    assert len(set(told)) == len(told), "Growi's receivers dedupe on membership and second"


def event_of(house, row):
    return house.run(lambda tx: tx.log.by_ids([row.event_id]))[row.event_id]
