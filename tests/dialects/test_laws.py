"""The laws of contracts A1: what a receiver hears over any history of one affiliate, from `says` alone.

The history below records events as the services do: an affiliate's own event first, its deletion after the removals,
snapshots after the whole request.
"""

import json
import re
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affwire.dialects.base import Attempt, Recipient
from affwire.errors import Conflict
from affwire.model.events import Cause
from affwire.plugins import load_dialects
from affwire.rules import lifecycle, signing, standing
from affwire.testing import events as build

DIALECTS = load_dialects()
PROGRAMS = (1, 2, 3)
STATUSES = ("pending", "active", "rejected", "removed", "left", "paused")
ADDRESSES = ("a@example.org", "b@example.org")


class History:
    """One affiliate and three programs; every public method is a request and gives its events."""

    def __init__(self):
        self.now = build.NOW
        self.kim = None
        self.status = dict.fromkeys(PROGRAMS)
        self.changed_at = {}
        self.deleted_programs = set()
        self.gone = self.standing = False
        self.count = 0

    def create(self, email, joins):
        if self.kim or (joins and joins in self.deleted_programs):
            return []
        step = lifecycle.step_to(None, "active" if email else "pending") if joins else None
        pending = bool(step) and step.status == "pending"
        self.kim = {"email": email, "status": "pending" if pending else "active"}
        before = self._begin()
        self.standing = standing.at_creation("active", pending_request=pending)
        return self._events(before, ("affiliate.created", {}), [(joins, step)] if joins else [])

    def confirm(self):
        return self._change("affiliate.confirmed", confirmed_at=self.now)

    def onboard(self):
        return self._change("affiliate.updated", onboarding_completed=True)

    def rename(self, name):
        return self._change("affiliate.updated", first_name=name)

    def account(self, status):
        return self._change("affiliate.updated", status=status)

    def move(self, nth, status):
        """The organization changes one membership."""
        return self.message(None, [(nth, status)])

    def message(self, email, moves):
        """An inbound message may bring an address and move several memberships in one request."""
        if not self.kim or self.gone:
            return []
        legal = [(nth, step) for nth, status in dict(moves).items() if (step := self._step(nth, status))]
        before = self._begin()
        own = self._set(email=email) if email and email != self.kim.get("email") else None
        return self._events(before, ("affiliate.updated", own) if own else None, legal)

    def retag(self, nth):
        if not self.kim or self.gone or not self.status[nth]:
            return []
        return [self._event("membership.updated", self._begin(), nth, {"tag": "OLD"}, None)]

    def delete_program(self, nth):
        if not self.kim or self.gone or nth in self.deleted_programs:
            return []
        before = self._begin()
        self.deleted_programs.add(nth)
        live = [nth] if lifecycle.is_live(self.status[nth]) else []
        return self._events(before, None, [(nth, lifecycle.step(self.status[nth], "remove")) for nth in live])

    def delete(self):
        if not self.kim or self.gone:
            return []
        before, self.gone = self._begin(), True
        live = [nth for nth in PROGRAMS if lifecycle.is_live(self.status[nth])]
        steps = [(nth, lifecycle.step(self.status[nth], "remove")) for nth in live]
        return self._events(before, ("affiliate.deleted", {}), steps)

    def _change(self, name, **fields):
        if not self.kim or self.gone:
            return []
        before = self._begin()
        previous = self._set(**fields)
        return self._events(before, (name, previous), []) if previous else []

    def _set(self, **fields):
        defaults = {"status": "active", "onboarding_completed": False, "first_name": "Kim"}
        previous = {name: self.kim.get(name, defaults.get(name)) for name in fields}
        changed = {name: old for name, old in previous.items() if old != fields[name]}
        self.kim |= fields
        if "status" in changed:
            self.standing = standing.after_account(self.standing, changed["status"], fields["status"])
        return changed

    def _step(self, nth, status):
        try:
            step = lifecycle.step_to(self.status[nth], status)
        except Conflict:
            return None
        reopens = step and step.status in {"pending", "active"} and not lifecycle.is_live(self.status[nth])
        return None if reopens and nth in self.deleted_programs else step

    def _begin(self):
        self.now += 1_000
        return dict(self.status), self.standing

    def _events(self, before, own, steps):
        for nth, step in steps:
            others = [status for other, status in self.status.items() if other != nth and status]
            self.standing = standing.after_membership(self.standing, self.status[nth], step.status, others)
            self.status[nth], self.changed_at[nth] = step.status, self.now
            if step.status == "active" and self.kim["status"] == "pending":
                self.kim["status"] = "active"
        if self.gone:
            self.standing = False
        first, last = (None, own) if own and own[0] == "affiliate.deleted" else (own, None)
        leading = self.count + 1 + (len(steps) if last else 0)
        told = [self._event(first[0], before, None, first[1], leading)] if first else []
        told += [self._event(step.event, before, nth, {"status": before[0][nth]}, leading) for nth, step in steps]
        return told + ([self._event(last[0], before, None, last[1], leading)] if last else [])

    def _event(self, name, before, nth, previous, leading):
        self.count += 1
        leader = build.id_of("event", leading or self.count)
        return build.event(
            name,
            self._snapshot(before[0]),
            nth=self.count,
            membership_id=build.id_of("membership", nth) if nth else None,
            previous=previous,
            occurred_at=self.now,
            cause=Cause(build.id_of("request", self.now), leader, "affiliate.updated"),
            standing_before=before[1],
            standing_after=self.standing,
        )

    def _snapshot(self, before):
        views = [
            build.view(
                nth,
                before=before[nth],
                status=self.status[nth],
                program=build.program(nth, deleted_at=self.now if nth in self.deleted_programs else None),
                updated_at=self.changed_at.get(nth, build.NOW),
            )
            for nth in PROGRAMS
            if self.status[nth]
        ]
        return build.snapshot(*views, affiliate=build.affiliate(**self.kim, deleted_at=self.now if self.gone else None))


NTH = st.sampled_from(PROGRAMS)
STATUS = st.sampled_from(STATUSES)
MOVE = st.tuples(st.just("move"), NTH, STATUS)
OTHERS = st.one_of(
    st.tuples(st.just("message"), st.none() | st.sampled_from(ADDRESSES), st.lists(st.tuples(NTH, STATUS), max_size=3)),
    st.tuples(st.just("confirm")),
    st.tuples(st.just("onboard")),
    st.tuples(st.just("rename"), st.sampled_from(("Kim", "Bo"))),
    st.tuples(st.just("account"), st.sampled_from(lifecycle.ACCOUNT_STATUSES)),
    st.tuples(st.just("retag"), NTH),
    st.tuples(st.just("delete_program"), NTH),
)
END = st.sampled_from(([], [("delete",)]))
BIRTHS = st.tuples(st.just("create"), st.sampled_from((*ADDRESSES, None)), st.none() | NTH)
LIVES = st.lists(st.one_of(MOVE, MOVE, OTHERS), min_size=8, max_size=30)
HISTORIES = st.builds(lambda birth, life, end: (birth, *life, *end), BIRTHS, LIVES, END)


def heard(name, requests):
    """Return per request what an endpoint of the dialect gets: (word, subject, body)."""
    dialect, history = DIALECTS[name], History()
    secret = signing.minted(dialect.card.authentication.secret, "", b"\1" * 32)
    recipient = Recipient(endpoint_id=build.id_of("endpoint"), url="https://example.com/", secrets=(secret,))
    attempt = Attempt(build.id_of("attempt"), 1, build.NOW)
    told = []
    for action, *arguments in requests:
        recorded = getattr(history, action)(*arguments)
        pairs = [(event, saying) for event in recorded for saying in dialect.says(event)]
        bodies = [
            dialect.request(event, saying, recipient, build.id_of("delivery"), attempt).body for event, saying in pairs
        ]
        told.append(
            [(saying.word, saying.subject, json.loads(body)) for (_, saying), body in zip(pairs, bodies, strict=True)]
        )
    return told


def words_by_subject(told):
    """Return each subject's words in order, as one text."""
    words = defaultdict(list)
    for request in told:
        for word, subject, _ in request:
            words[subject].append(re.split(r"[.]|affiliate-", word)[-1])
    return [" ".join(said) for said in words.values()]


AFFONSO_ROUND = "created( updated| confirmed)*"
TAMIO_ROUND = "signup( approved| declined| signup)*"
LAWS = {
    "affonso": f"{AFFONSO_ROUND}( deleted {AFFONSO_ROUND})*( deleted)?",
    "rewardful": "created( updated| confirmed)*( deleted)?",
    "insert_affiliate": "created( deactivated created)*( deactivated)?",
    "tamio": f"{TAMIO_ROUND}( removed {TAMIO_ROUND})*( removed)?",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LAWS)
@settings(max_examples=300, deadline=None, database=None)
@given(requests=HISTORIES)
def test_each_dialect_tells_a_life_in_order(name, requests):
    for life in words_by_subject(heard(name, requests)):
        assert re.fullmatch(LAWS[name], life), life


@pytest.mark.slow
@settings(max_examples=200, deadline=None, database=None)
@given(requests=HISTORIES)
def test_growi_receivers_can_dedupe_on_id_and_second(requests):
    told = [body for request in heard("growi", requests) for _, _, body in request]
    keys = [(body["campaign_affiliate_id"], body["occurred_at"]) for body in told]
    assert len(set(keys)) == len(keys)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, database=None)
@given(requests=HISTORIES)
def test_rewardful_says_at_most_one_thing_per_request(requests):
    assert all(len(request) <= 1 for request in heard("rewardful", requests))


@pytest.mark.slow
@settings(max_examples=200, deadline=None, database=None)
@given(requests=HISTORIES)
def test_insert_affiliate_ends_an_id_under_the_id_it_began(requests):
    told = [body["affiliate_id"] for request in heard("insert_affiliate", requests) for _, _, body in request]
    assert told[0::2][: len(told) // 2] == told[1::2]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({"affonso", "tamio"}))
@settings(max_examples=200, deadline=None, database=None)
@given(requests=HISTORIES)
def test_no_envelope_id_is_given_twice(name, requests):
    key = DIALECTS[name].card.dedupe[0]
    told = [body[key] for request in heard(name, requests) for _, _, body in request]
    assert len(set(told)) == len(told)
