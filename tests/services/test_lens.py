import json

import pytest

from affwire.errors import NotFound, Refused, Unencodable
from affwire.services import affiliates, erasure, lens, programs
from affwire.services.lens import Trial

SECRET = "a-secret-of-the-callers-own"


@pytest.fixture
def event(house):
    program = house.act(programs.create, {"name": "Spring"})
    house.act(affiliates.create, {"email": "ada@example.com"}, program_id=program.id)
    return next(event for event in house.events() if event.type == "membership.activated")


def seen(house, event, *names, trial=None):
    chosen = {name: house.dialects[name] for name in names or house.dialects}
    return house.run(lambda tx: lens.seen(tx, house.organization.id, event.id, chosen, trial))


def requests(shown):
    return [request for view in shown["dialects"] for request in view["requests"]]


def test_without_a_trial_every_view_is_the_same_byte_for_byte(house, event):
    first = seen(house, event)
    house.clock.advance(60_000)
    assert json.dumps(seen(house, event)) == json.dumps(first)
    assert requests(first)


def test_looking_writes_nothing(house, event):
    with house.changes_nothing():
        seen(house, event)
        seen(house, event, "affonso", trial=Trial(SECRET))


@pytest.mark.parametrize("name", ["affonso", "rewardful", "insert_affiliate", "tamio", "standard"])
def test_what_depends_on_a_secret_is_masked_and_nothing_else(house, event, name):
    for request in requests(seen(house, event, name)):
        masked = [header for header, value in request["headers"] if value == "****"]
        assert len(masked) == 1
        assert ("Content-Type", "application/json") in request["headers"]


def test_a_dialect_that_says_nothing_tells_why(house):
    house.act(affiliates.create, {"email": "ada@example.com"})
    [view] = seen(house, house.events()[-1], "growi")["dialects"]
    assert (view["requests"], view["reason"]) == ([], "no word in this dialect")


def test_a_trial_is_signed_now_as_that_try(house, event):
    [request] = requests(seen(house, event, "affonso", trial=Trial(SECRET, 4)))
    assert json.loads(request["body"])["attempt"] == 4
    house.clock.advance(60_000)
    [later] = requests(seen(house, event, "affonso", trial=Trial(SECRET, 4)))
    assert later["body"] == request["body"]
    assert later["headers"] != request["headers"]


def test_a_secret_that_does_not_fit_the_dialect_is_refused(house, event):
    with pytest.raises(Refused, match="invalid_secret"):
        seen(house, event, "standard", trial=Trial("not-a-standard-one"))


def test_what_cannot_be_said_is_told_beside_the_others(house, event):
    [request] = requests(seen(house, event, "affonso", trial=Trial()))
    assert request["reason"].endswith("give it one.")
    assert request["headers"] == []


def test_a_dialects_own_fault_is_its_own_view(house, event):
    class Dumb:
        card = house.dialects["tamio"].card

        def says(self, event):
            return house.dialects["tamio"].says(event)

        def request(self, *_):
            raise Unencodable("no_record", "There is nothing to say it with.")

    chosen = {"tamio": Dumb(), "standard": house.dialects["standard"]}
    shown = house.run(lambda tx: lens.seen(tx, house.organization.id, event.id, chosen))
    assert {request["reason"] for request in shown["dialects"][0]["requests"]} == {"There is nothing to say it with."}
    assert {request["reason"] for request in shown["dialects"][1]["requests"]} == {None}


def test_an_unknown_event_is_not_found(house):
    with pytest.raises(NotFound, match="event_not_found"):
        house.run(lambda tx: lens.seen(tx, house.organization.id, "evt_none", house.dialects))


def test_of_somebody_erased_the_lens_says_so_and_not_that_an_e_mail_is_lacking(house):
    kim, _ = house.act(affiliates.create, {"email": "kim@example.com", "first_name": "Kim"})
    created = house.events()[-1]
    assert lens.erased_at(created) is None
    house.act(affiliates.delete, kim.id, erase=True)
    assert lens.erased_at(house.events()[-1]) is None, "who it was is still known"
    house.clock.advance(1_000)
    assert house.run(lambda tx: erasure.erase_due(tx, limit=1)) == 1
    [event] = [one for one in house.events() if one.id == created.id]
    assert lens.erased_at(event) == house.clock.now()
    views = {view["dialect"]: view["reason"] for view in seen(house, event)["dialects"]}
    assert views["insert_affiliate"] == lens.ERASED
    assert views["growi"] == "no word in this dialect"
    assert not any("e-mail" in (reason or "") for reason in views.values())
