"""The laws of contracts A1: whatever users do, in whatever order, each dialect's receiver sees a story that makes sense."""

import json
import re
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from registry_walk import Walk

from affwire.dialects.base import Attempt
from affwire.errors import Refused
from affwire.model.mail import Purpose
from affwire.model.registry import Affiliate, Membership, Program
from affwire.services import (
    affiliates,
    application_form,
    applications,
    endpoints,
    memberships,
    passes,
    perks,
    programs,
)
from affwire.services.actions import found
from affwire.store.tx import Tx


def own_ids(n: int) -> dict[str, str]:
    """What other systems may call a record: every dialect's own form, and a system of no dialect."""
    uuid = f"00000000-0000-4000-8000-{n:012x}"
    theirs = {"growi": str(n + 1), "affonso": f"aff_{n}", "rewardful": uuid, "tamio": uuid}
    return {**theirs, "insert_affiliate": f"ia_{n % 16**8:08x}", "crm": str(n)}


ACTIONS = {
    "new program": lambda w, p, a, m, n: w.program(auto_approve=n % 4 == 0, is_public=n % 5 > 0),
    "change program": lambda w, p, a, m, n: w.house.act(programs.update, p(), {"name": f"P{n}", "metadata": {"n": n}}),
    "delete program": lambda w, p, a, m, n: w.house.act(programs.delete, p(), force=n % 3 > 0),
    "new affiliate": lambda w, p, a, m, n: w.affiliate(),
    "known elsewhere": lambda w, p, a, m, n: w.affiliate(external_ids=own_ids(n)),
    "change own ids": lambda w, p, a, m, n: w.house.act(
        affiliates.update, a(), {"external_ids": dict([*own_ids(n).items()][n % 6 : n % 6 + 1])}
    ),
    "change a member's own ids": lambda w, p, a, m, n: w.house.act(
        memberships.update, m(), {"external_ids": dict([*own_ids(n).items()][n % 6 : n % 6 + 1])}
    ),
    "both": lambda w, p, a, m, n: w.affiliate(w.house_program(p()), ("pending", "active")[n % 2]),
    "mail": lambda w, p, a, m, n: w.house.act(
        affiliates.update, a(), {"email": f"{'Mm'[n % 2]}ail{n % 5}@example.org"}
    ),
    "account": lambda w, p, a, m, n: w.house.act(
        affiliates.update, a(), {"status": ("active", "disabled", "suspicious", "rejected", "pending")[n % 5]}
    ),
    "mail and account": lambda w, p, a, m, n: w.house.act(
        affiliates.update, a(), {"email": f"mail{n % 5}@example.org", "status": ("active", "disabled")[n % 2]}
    ),
    "details": lambda w, p, a, m, n: w.house.act(
        affiliates.update, a(), {"city": f"C{n % 3}", "onboarding_completed": n % 2 == 0}
    ),
    "confirm": lambda w, p, a, m, n: w.house.act(affiliates.confirm, a()),
    "delete affiliate": lambda w, p, a, m, n: w.house.act(affiliates.delete, a()),
    "join": lambda w, p, a, m, n: w.house.act(memberships.create, a(), p(), {"status": ("pending", "active")[n % 2]}),
    "status": lambda w, p, a, m, n: w.house.act(
        memberships.update,
        m(),
        {"status": ("active", "pending", "rejected", "removed", "left", "paused", "frozen")[n % 7], "tag": f"T{n % 2}"},
    ),
    "command": lambda w, p, a, m, n: w.house.act(
        memberships.command, m(), ("approve", "reject", "remove", "leave", "reactivate")[n % 5]
    ),
    "tag": lambda w, p, a, m, n: w.house.act(memberships.update, m(), {"tag": f"T{n % 3}"}),
    "code": lambda w, p, a, m, n: w.house.act(perks.create_promo_code, m(), {"code": f"C{n}"}),
    "apply": lambda w, p, a, m, n: w.apply(p(), f"person{n % 5}@example.org", n),
    "use a link": lambda w, p, a, m, n: w.use(("confirm", "join", "leave")[n % 3], a(), p()),
    "time": lambda w, p, a, m, n: w.house.clock.advance((0, 1, 999, 60_000)[n % 4]),
}


class History(Walk):
    """A walk of random actions; those the registry refuses leave nothing behind."""

    def house_program(self, program_id: str) -> Program:
        program = self.house.run(lambda tx: tx.registry.get(Program, self.house.organization.id, program_id))
        if program is None:
            raise Refused("gone")
        return program

    def do(self, name: str, number: int) -> None:
        try:
            ACTIONS[name](
                self,
                lambda: self.pick(Program, number),
                lambda: self.pick(Affiliate, number),
                lambda: self.pick(Membership, number),
                number,
            )
        except Refused:
            return

    def apply(self, program_id: str, email: str, number: int) -> None:
        form = application_form.read({"email": email, "first_name": "Ada"})
        self.house.run(lambda tx: applications.apply(tx, self.house.dialects, program_id, form, origin=str(number)))

    def use(self, purpose: Purpose, affiliate_id: str, program_id: str) -> None:
        def work(tx: Tx) -> None:
            affiliate = found(tx, Affiliate, self.house.organization.id, affiliate_id)
            path, _ = passes.made(tx, purpose, affiliate, program_id, since=tx.now)
            passes.use(tx, self.house.dialects, purpose, path.rpartition("/")[2], tx.world.new_id("request"))

        self.house.run(work)

    def pick(self, kind: type, number: int) -> str:
        found = self.house.run(lambda tx: tx.registry.find(kind, self.house.organization.id))
        if not found:
            raise Refused("nothing there yet")
        return found[number % len(found)].id

    def bodies(self, dialect: str) -> list[dict]:
        """Return what the endpoint of a dialect was told, in order of recording, as it stands on the wire."""
        endpoint = self.endpoints[dialect]
        codec = self.house.dialects[dialect]
        recipient, _ = self.house.run(lambda tx: endpoints.recipient(tx, endpoint))
        events = {event.id: event for event in self.house.events()}
        told = []
        for number, row in enumerate(self.house.deliveries(endpoint), start=1):
            event = events[row.event_id]
            saying = next(s for s in codec.says(event) if (s.word, s.subject) == (row.word, row.subject_id))
            attempt = Attempt(self.house.world.new_id("attempt"), 1, self.house.clock.now() + number)
            told.append(json.loads(codec.request(event, saying, recipient, row.id, attempt).body))
        return told


def growi_law(history: History) -> None:
    bodies = history.bodies("growi")
    keys = [(body["campaign_affiliate_id"], body["occurred_at"]) for body in bodies]
    assert len(set(keys)) == len(keys), "two events share Growi's dedupe key"
    changes = [
        event for event in history.house.events() if event.type.startswith("membership.") and "status" in event.previous
    ]
    assert len(bodies) == len(changes), "one event per change of status"


def affonso_law(history: History) -> None:
    told: dict[tuple[str, str], str] = {}
    letter = {"created": "c", "updated": "u", "confirmed": "u", "deleted": "d"}
    for body in history.bodies("affonso"):
        key = (body["data"]["affiliateId"], body["data"]["affiliateProgramId"])
        told[key] = told.get(key, "") + letter[body["type"].partition(".")[2]]
    assert all(re.fullmatch(r"(cu*d)*(cu*)?", story) for story in told.values()), told


def rewardful_law(history: History) -> None:
    told: dict[str, list[str]] = {}
    rows = history.house.deliveries(history.endpoints["rewardful"])
    names: dict[str, set[str]] = {}
    for row, body in zip(rows, history.bodies("rewardful"), strict=True):
        told.setdefault(row.subject_id, []).append(body["event"]["type"])
        names.setdefault(row.subject_id, set()).add(body["object"]["id"])
    for story in told.values():
        assert story[0] == "affiliate.created"
        assert story.count("affiliate.created") == 1
        assert "affiliate.deleted" not in story[:-1]
    assert all(len(ids) == 1 for ids in names.values()), "what began under one id ends under it"
    requests = {}
    events = {event.id: event for event in history.house.events()}
    for row in rows:
        event = events[row.event_id]
        requests.setdefault((event.cause.request_id, row.subject_id), []).append(row.word)
    assert all(len(words) == 1 for words in requests.values()), "at most one event per affiliate and request"


def insert_affiliate_law(history: History) -> None:
    rows = history.house.deliveries(history.endpoints["insert_affiliate"])
    bodies = history.bodies("insert_affiliate")
    told: dict[str, list[dict]] = {}
    for row, body in zip(rows, bodies, strict=True):
        told.setdefault(row.subject_id, []).append(body)
    for story in told.values():
        words = [body["event"] for body in story]
        assert words == (["affiliate.created", "affiliate.deactivated"] * len(words))[: len(words)]
        for begin, end in list(pairwise(story))[::2]:
            assert begin["affiliate_id"] == end["affiliate_id"]
            assert begin["email"].lower() == end["email"].lower()
    keys = [
        (body["event"], body["affiliate_id"], body["occurred_at"], row.subject_id)
        for row, body in zip(rows, bodies, strict=True)
    ]
    assert len(set(keys)) == len(keys), "two events share the dedupe key"


def tamio_law(history: History) -> None:
    told: dict[str, str] = {}
    letter = {"affiliate-signup": "s", "affiliate-approved": "a", "affiliate-declined": "d", "affiliate-removed": "r"}
    for body in history.bodies("tamio"):
        if body["event_type"] in letter:
            key = body["data"]["affiliate"]["id"]
            told[key] = told.get(key, "") + letter[body["event_type"]]
    assert all(re.fullmatch(r"(s[ads]*r)*(s[ads]*)?", story) for story in told.values()), told


def standard_law(history: History) -> None:
    bodies = history.bodies("standard")
    assert [body["id"] for body in bodies] == [event.id for event in history.house.events()]
    sequences: dict[str, list[int]] = {}
    times: dict[str, list[int]] = {}
    for event in history.house.events():
        sequences.setdefault(event.subject_id, []).append(event.sequence)
        times.setdefault(event.subject_id, []).append(event.occurred_at)
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in sequences.values())
    assert all(moments == sorted(moments) for moments in times.values())


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(sorted(ACTIONS)), st.integers(0, 60)), min_size=12, max_size=40))
def test_the_laws_hold_for_every_history(steps):
    history = History()
    for name in ("new program", "new program", "both", "both"):
        history.do(name, len(name))
    for name, number in steps:
        history.do(name, number)
    for law in (growi_law, affonso_law, rewardful_law, insert_affiliate_law, tamio_law, standard_law):
        law(history)
