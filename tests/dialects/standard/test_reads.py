"""The standard dialect read: what the specification's own library signs, every snapshot, and the nearest that is refused."""

import base64
import json
from datetime import UTC, datetime

import pytest
from msgspec import structs
from standardwebhooks.webhooks import Webhook

from affwire.dialects.base import Attempt, Recipient, Trust, load_samples
from affwire.dialects.standard import dialect
from affwire.errors import NotGenuine, Undecodable
from affwire.model.events import EVENT_TYPES, OPERATIONAL
from affwire.model.wire import Message
from affwire.rules import signing
from affwire.testing import events

NEWER, OLDER, STRANGER = (signing.minted("standard", "", bytes([nth]) * 32) for nth in (1, 2, 3))
NOW = events.NOW
SAMPLES = load_samples("affwire.dialects.standard")


def sent(event, *secrets, at=NOW):
    recipient = Recipient(
        endpoint_id=events.id_of("endpoint"), url="https://example.com/hooks", secrets=secrets or (NEWER,)
    )
    request = dialect.request(event, dialect.says(event)[0], recipient, "dlv", Attempt(events.id_of("attempt"), 1, at))
    return Message(headers=request.headers, body=request.body)


def with_header(message, name, *values):
    rest = tuple(one for one in message.headers if one[0] != name)
    return structs.replace(message, headers=(*rest, *((name, value) for value in values)))


def refused(message, *secrets, now=NOW):
    with pytest.raises(NotGenuine) as error:
        dialect.verify(message, Trust(secrets=secrets or (NEWER,)), now)
    return error.value.code


def sample(word, change=lambda body: None):
    body = json.loads(SAMPLES[word])
    change(body["data"])
    return dialect.decode(Message(headers=(), body=json.dumps(body).encode()))


def test_what_the_specifications_own_library_signs_is_genuine():
    body = '{"type":"affiliate.created","timestamp":"2026-02-27T23:33:12.345Z","data":{}}'
    moment = datetime.fromtimestamp(NOW // 1000, UTC)
    headers = {
        "webhook-id": "msg_of_theirs",
        "webhook-timestamp": str(NOW // 1000),
        "webhook-signature": Webhook(NEWER).sign("msg_of_theirs", moment, body),
    }
    message = Message(headers=tuple(headers.items()), body=body.encode())
    dialect.verify(message, Trust(secrets=(NEWER,)), NOW)
    assert dialect.identify(message).dedupe_key == "msg_of_theirs"
    assert refused(message, STRANGER) == "bad_signature"


@pytest.mark.parametrize("secrets", [(NEWER,), (OLDER,), (STRANGER, OLDER), ("", NEWER), ("no secret", NEWER)])
def test_any_secret_of_a_rotation_on_either_side_verifies(secrets):
    dialect.verify(sent(events.event("program.created"), NEWER, OLDER), Trust(secrets=secrets), NOW)


def test_signatures_of_other_versions_stand_beside_a_good_one():
    message = sent(events.event("program.created"))
    good = message.header("webhook-signature")
    for value in (f"v1a,AAAA {good}", f"{good} v2,{good[3:]}", f"v1,{'A' * 44} {good} nonsense", f"  {good} "):
        dialect.verify(with_header(message, "webhook-signature", value), Trust(secrets=(NEWER,)), NOW)


def test_the_nearest_signatures_are_refused():
    message = sent(events.event("program.created"))
    good = message.header("webhook-signature")
    bare = good.removeprefix("v1,")
    hexed = base64.b64decode(bare).hex()
    for value in (
        bare,
        f"v2,{bare}",
        f"v1={bare}",
        f"V1,{bare}",
        f"v1,{bare[:-1]}",
        f"v1,{hexed}",
        f"v1,{bare},{bare}",
        "v1,",
    ):
        assert refused(with_header(message, "webhook-signature", value)) == "bad_signature"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_each_header_stands_there_once_and_in_ascii(name):
    message = sent(events.event("program.created"))
    value = message.header(name)
    assert refused(with_header(message, name)) == "no_signature"
    assert refused(with_header(message, name, value, value)) == "no_signature"
    assert refused(with_header(message, name, f"{value}\xe9")) == "bad_header"


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_time_within_five_minutes_is_of_now(seconds):
    message = sent(events.event("program.created"))
    at = NOW // 1000 * 1000
    dialect.verify(message, Trust(secrets=(NEWER,)), at + seconds * 1000)
    further = seconds + (1 if seconds > 0 else -1)
    assert refused(message, now=at + further * 1000) == "stale"


@pytest.mark.parametrize("value", ["now", "-1", "1e9", "١٢", "9" * 12, " 1772235192"])
def test_a_time_that_is_no_number_of_seconds_is_refused(value):
    assert refused(with_header(sent(events.event("program.created")), "webhook-timestamp", value)) in {
        "bad_time",
        "bad_header",
    }


def test_no_secret_verifies_nothing():
    message = sent(events.event("program.created"))
    with pytest.raises(NotGenuine, match="no_secret"):
        dialect.verify(message, Trust(), NOW)
    assert refused(message, "") == "no_secret"
    assert refused(message, "whsec_") == "bad_signature"
    assert refused(message, "whsec_ä") == "bad_signature"


@pytest.mark.parametrize("word", EVENT_TYPES)
def test_every_event_is_read_as_itself(word):
    reading = sample(word)
    assert (reading.word, reading.events, reading.unread) == (word, (word,), ())
    assert reading.occurred_at == events.NOW
    assert (reading.program is not None) == word.startswith("program.")
    assert (reading.affiliate is not None) == (not word.startswith("program."))
    assert (reading.own is not None) == word.startswith("membership.")


@pytest.mark.parametrize("word", OPERATIONAL)
def test_operational_events_are_kept_and_mean_nothing_here(word):
    reading = sample(word)
    assert (reading.word, reading.events, reading.affiliate) == (word, (), None)


def test_a_membership_comes_with_its_program_group_codes_and_links():
    reading = sample("membership.activated")
    own = reading.membership
    assert own.told.id == "mem_01kje4s70se008000000000001"
    assert own.told.fields["tag"] == "NOOR7"
    assert own.program.fields["name"] == "Friends of Example"
    assert own.program.fields["destinations"] == ["worldwide"]
    assert own.group.fields["name"] == "Reviewers"
    assert [code.fields["code"] for code in own.promo_codes] == ["NOOR15"]
    assert [link.fields["membership_id"] for link in reading.links] == [own.told.id]
    assert reading.previous == {"status": "pending"}


def test_of_several_memberships_the_one_it_is_about_is_found():
    def second(data):
        other = {**data["memberships"][0], "id": "mem_other"}
        data["memberships"].insert(0, other)

    reading = sample("membership.activated", second)
    assert [one.told.id for one in reading.memberships] == ["mem_other", "mem_01kje4s70se008000000000001"]
    assert reading.own == 1


def test_old_values_have_their_types_again():
    def older(data):
        data["previous"] = {
            "confirmed_at": "2026-02-27T23:33:12.345Z",
            "email": 17,
            "affiliate": {"status": "pending", "confirmed_at": None, "city": []},
            "metadata": {"seen_at": "2026-02-27"},
        }

    reading = sample("membership.activated", older)
    assert reading.unread == ("data.previous.confirmed_at", "data.previous.email", "data.previous.affiliate.city")
    assert reading.previous == {
        "metadata": {"seen_at": "2026-02-27"},
        "affiliate": {"status": "pending", "confirmed_at": None},
    }
    assert sample("affiliate.updated", older).previous.keys() == {"confirmed_at", "metadata", "status"}


def test_old_promo_codes_are_a_list():
    codes = [{"code": "NOOR15"}]
    assert sample("membership.updated", lambda data: data.update(previous={"promo_codes": codes})).previous == {
        "promo_codes": codes
    }
    assert sample("membership.updated", lambda data: data.update(previous={"promo_codes": 1})).previous == {}
    assert sample("membership.updated", lambda data: data.update(previous=[])).previous == {}


@pytest.mark.parametrize(
    ("word", "path", "change"),
    [
        ("affiliate.created", "data.affiliate.id", lambda data: data.pop("affiliate")),
        ("affiliate.created", "data.affiliate.id", lambda data: data["affiliate"].update(id=None)),
        ("program.created", "data.program.id", lambda data: data["program"].update(id=[])),
        ("membership.left", "data.memberships[].id", lambda data: data["memberships"][0].update(id="")),
        ("membership.left", "data.memberships[].program.id", lambda data: data["memberships"][0].pop("program")),
        ("membership.left", "data.membership.id", lambda data: data["memberships"].clear()),
    ],
)
def test_a_record_without_an_id_is_undecodable_and_named(word, path, change):
    with pytest.raises(Undecodable) as error:
        sample(word, change)
    assert error.value.facts == {"path": path}


def test_a_time_is_needed_and_an_offset_with_it():
    for value in (None, "2026-02-27T23:33:12", "yesterday", 10**15):
        body = json.loads(SAMPLES["affiliate.created"]) | {"timestamp": value}
        with pytest.raises(Undecodable) as error:
            dialect.decode(Message(headers=(), body=json.dumps(body).encode()))
        assert error.value.facts == {"path": "timestamp"}


def test_the_signed_id_is_the_key_and_the_bodys_own_stands_in_for_it():
    message = sent(events.event("program.created"))
    assert dialect.identify(message).dedupe_key == events.event("program.created").id
    assert dialect.identify(structs.replace(message, headers=())).dedupe_key == events.event("program.created").id
    assert dialect.identify(Message(headers=(), body=b'{"type":"x"}')).dedupe_key is None
