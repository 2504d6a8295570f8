"""affwire as a library: what receive() takes, refuses and says; the forgeries of a stranger."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import affwire
from affwire import AffwireError, NotGenuine, Undecodable, receive
from affwire.dialects.base import Trust, load_samples
from affwire.model.wire import Message
from affwire.plugins import find_dialect, load_dialects
from affwire.testing import genuine

AT = 1_772_235_192_345
DIALECTS = load_dialects()
SIGNED = [name for name, dialect in DIALECTS.items() if dialect.card.authentication.kind.startswith("hmac")]
PROVEN = [name for name, dialect in DIALECTS.items() if dialect.card.authentication.kind != "none"]
FORGED_MESSAGES = 200
HEAVY = {"fastapi", "starlette", "sqlalchemy", "uvicorn", "pydantic", "pycurl", "typer", "rich", "cryptography"}


def taken(signed, **changes):
    default = {"now": signed.now, "options": signed.options}
    return receive(signed.dialect, signed.headers, signed.body, signed.secret, **(default | changes))


@pytest.fixture
def signed():
    return genuine.request("rewardful", "affiliate.updated", at=AT)


# What is refused before anything is read.


@pytest.mark.parametrize("body", ["{}", {"event": {}}, None, ["a"], 5])
def test_a_body_that_is_not_bytes_is_refused_with_the_reason(signed, body):
    with pytest.raises(TypeError, match="raw bytes"):
        receive("rewardful", signed.headers, body, signed.secret)


@pytest.mark.parametrize("secret", [None, "", (), [], ["", ""]])
@pytest.mark.parametrize("name", PROVEN)
def test_an_empty_or_missing_secret_never_verifies_anything(name, secret):
    one = genuine.request(name, at=AT)
    with pytest.raises(NotGenuine):
        receive(name, one.headers, one.body, secret, AT)


def test_a_secret_that_is_no_text_is_refused(signed):
    with pytest.raises(TypeError, match="a secret is"):
        receive("rewardful", signed.headers, signed.body, [signed.secret.encode()])


def test_a_secret_for_a_platform_that_signs_nothing_is_refused_since_nobody_would_check_it():
    one = genuine.request("growi", at=AT)
    with pytest.raises(ValueError, match="signs nothing"):
        receive("growi", one.headers, one.body, "a-secret")


def test_unverified_with_a_secret_is_a_contradiction(signed):
    with pytest.raises(ValueError, match="leave one"):
        taken(signed, unverified=True)


def test_an_unknown_dialect_is_refused_with_those_there_are(signed):
    with pytest.raises(ValueError, match=r"no dialect is called 'rewardfull'.*rewardful"):
        receive("rewardfull", signed.headers, signed.body, signed.secret)


def test_an_unknown_option_is_refused_with_those_there_are():
    one = genuine.request("tamio", at=AT)
    with pytest.raises(ValueError, match=r"signature_heder.*signature_header"):
        receive("tamio", one.headers, one.body, one.secret, options={"signature_heder": "X"})


@pytest.mark.parametrize("headers", [{"X": 1}, {"X": None}, {"X": ["a"]}, [("X", 1)]])
def test_a_header_that_is_no_text_is_refused(signed, headers):
    with pytest.raises(TypeError, match="header"):
        receive("rewardful", headers, signed.body, signed.secret)


def test_a_time_without_a_zone_is_refused(signed):
    with pytest.raises(ValueError, match="offset"):
        taken(signed, now=datetime(2026, 2, 27))  # noqa: DTZ001 -- the point


@pytest.mark.parametrize("name", SIGNED)
@pytest.mark.parametrize("make", ["tampered", "forged", "unsigned"])
def test_what_is_not_the_platforms_is_not_genuine(name, make):
    with pytest.raises(NotGenuine) as refused:
        taken(getattr(genuine.request(name, at=AT), make)())
    assert isinstance(refused.value, AffwireError)
    assert refused.value.http_status == 401


@pytest.mark.parametrize("name", ["affonso", "standard"])
def test_an_old_request_is_not_genuine(name):
    with pytest.raises(NotGenuine) as refused:
        taken(genuine.request(name, at=AT).stale())
    assert refused.value.code == "stale"


def test_a_genuine_body_that_is_no_message_is_undecodable():
    with pytest.raises(Undecodable) as refused:
        taken(genuine.sign("rewardful", b'{"event": 5}', at=AT))
    assert refused.value.http_status == 422


# What is taken.


@pytest.mark.parametrize("name", DIALECTS)
def test_every_word_of_every_dialect_is_received(name):
    for word in load_samples(type(DIALECTS[name]).__module__):
        received = taken(genuine.request(name, word, at=AT))
        card = DIALECTS[name].card
        assert received.word == word
        assert received.dialect == name
        assert received.dedupe_key
        assert received.event in {*received.events, None}
        assert bool(received.events) == (not set(card.word(word).canonical) <= OPERATIONAL), word


OPERATIONAL = {"endpoint.failing", "endpoint.disabled", "endpoint.recovered", "delivery.exhausted", "source.silent"}


@pytest.mark.parametrize("name", DIALECTS)
def test_a_repeat_has_the_same_dedupe_key_and_another_message_another(name):
    one = genuine.request(name, at=AT)
    assert taken(one).dedupe_key == taken(one.repeated()).dedupe_key
    others = {
        taken(genuine.request(name, word, at=AT)).dedupe_key for word in load_samples(type(DIALECTS[name]).__module__)
    }
    assert len(others) == len(load_samples(type(DIALECTS[name]).__module__))


@pytest.mark.parametrize("name", DIALECTS)
def test_an_unknown_word_is_received_without_an_event(name):
    word = "affiliate-unheard" if name == "tamio" else "affiliate.unheard"
    received = taken(genuine.request(name, word, at=AT))
    assert (received.event, received.events, received.word) == (None, (), word)


def test_the_records_hold_what_was_told_under_canonical_names(signed):
    received = taken(signed)
    affiliate = received.records["affiliate"]
    assert affiliate["email"] == "noor.haddad@example.com"
    assert affiliate["created_at"] == "2026-02-26T14:03:21.508Z"
    assert affiliate["external_ids"] == {"rewardful": "019c9727-501c-7380-8000-000000000017"}
    assert "country" not in affiliate
    assert received.records["membership"] == received.records["memberships"][0]
    assert received.records["membership"]["status"] == "active"
    assert received.records["membership"]["program"] == received.records["program"]
    assert received.records["links"]
    assert "organization" not in received.records


def test_a_record_that_was_not_told_is_not_there():
    received = taken(genuine.request("tamio", "affiliate-removed", at=AT))
    assert received.event == "membership.removed"
    assert received.records.keys() == {"memberships", "membership"}
    assert received.records["membership"]["external_ids"] == {"tamio": "0199f3a5-0e42-7f19-b6c8-93d1a57e2b04"}


def test_headers_may_be_a_mapping_or_pairs_in_any_case_of_texts_or_bytes(signed):
    pairs = list(signed.headers.items())
    for headers in (
        {name.upper(): value for name, value in pairs},
        [(name.lower(), value) for name, value in pairs],
        tuple(pairs),
        iter(pairs),
        [(name.encode(), value.encode()) for name, value in pairs],
    ):
        assert receive("rewardful", headers, signed.body, signed.secret).dedupe_key == taken(signed).dedupe_key


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview])
def test_a_body_may_be_any_bytes(signed, form):
    assert receive("rewardful", signed.headers, form(signed.body), signed.secret)


@pytest.mark.parametrize("name", PROVEN)
def test_every_secret_of_a_rotation_verifies(name):
    old, new = genuine.secret_of(DIALECTS[name], 1), genuine.secret_of(DIALECTS[name], 2)
    for secret in (old, new):
        one = genuine.request(name, secret=secret, at=AT)
        assert receive(name, one.headers, one.body, [new, old], AT)
        assert receive(name, one.headers, one.body, (old, "", new), AT)


def test_now_may_be_ms_or_an_aware_datetime_and_is_the_clocks_otherwise():
    one = genuine.request("affonso", at=AT)
    moment = datetime(2026, 2, 27, 23, 33, 12, 345_000, UTC)
    for now in (AT, moment, moment.astimezone(timezone(timedelta(hours=-5)))):
        assert taken(one, now=now).event
    with pytest.raises(NotGenuine):
        taken(one, now=None)
    fresh = genuine.request("affonso")
    assert receive("affonso", fresh.headers, fresh.body, fresh.secret).event


def test_a_dialect_of_ones_own_may_be_given_itself(signed):
    assert receive(DIALECTS["rewardful"], signed.headers, signed.body, signed.secret) == taken(signed)


def test_unverified_takes_a_message_without_proof_and_reads_it_as_strictly():
    one = genuine.request("insert_affiliate", at=AT).unsigned()
    with pytest.raises(NotGenuine):
        receive("insert_affiliate", one.headers, one.body, None)
    assert receive("insert_affiliate", one.headers, one.body, None, unverified=True).event == "affiliate.created"
    with pytest.raises(Undecodable):
        receive("insert_affiliate", one.headers, b"[]", None, unverified=True)


def test_options_say_how_the_platform_was_set_up():
    options = {"signature_header": "X-Proof", "signed_text": "timestamp.body"}
    one = genuine.request("tamio", at=AT, options=options)
    assert taken(one).event
    with pytest.raises(NotGenuine):
        taken(one, options={})


# What it costs to have.


def test_receive_loads_no_server_no_store_and_no_other_dialect():
    program = (
        "import sys\nfrom affwire import receive\nfrom affwire.errors import NotGenuine\n"
        "try:\n    receive('rewardful', {}, b'', 'a-secret')\nexcept NotGenuine:\n    pass\n"
        "print(*sorted({one.partition('.')[0] for one in sys.modules} | {one for one in sys.modules if 'affwire.' in one}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & HEAVY
    rooms = {one.split(".")[1] for one in loaded if one.startswith("affwire.")}
    assert rooms == {"dialects", "errors", "model", "plugins", "receiving", "rules"}
    assert {one.split(".")[2] for one in loaded if one.startswith("affwire.dialects.")} & set(DIALECTS) == {"rewardful"}


def test_what_the_package_names_is_there_and_nothing_else():
    assert all(getattr(affwire, name) for name in affwire.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = affwire.nonsense


# A stranger's forgeries.


@pytest.mark.slow
@pytest.mark.parametrize("name", SIGNED)
def test_no_genuine_request_with_a_byte_changed_is_taken(name):
    speaker, number, accepted = DIALECTS[name], 0, []
    for one, trust in _messages(name):
        good = one.message
        speaker.verify(good, trust, one.now)
        for wrong in _mutations(good, one, number):
            number += 1
            try:
                speaker.verify(wrong, trust, one.now)
            except NotGenuine:
                continue
            accepted.append(wrong)
    assert not accepted
    assert number > FORGED_MESSAGES * 200


def _messages(name) -> Iterator:
    """200 different genuine requests: every word, many secrets and times, both of Tamio's texts."""
    words = sorted(
        load_samples(type(DIALECTS[name]).__module__), key=lambda word: len(genuine.request(name, word).body)
    )
    for nth in range(FORGED_MESSAGES):
        options = {"signed_text": "timestamp.body"} if name == "tamio" and nth % 2 else {}
        secret = genuine.secret_of(DIALECTS[name], nth % 200 + 1)
        word = words[nth % len(words)] if nth < 2 * len(words) else words[nth % 3]
        one = genuine.request(name, word, secret=secret, at=AT + nth * 1000, options=options, unheard_of=nth)
        yield one, Trust(secrets=(secret,), options=options)


def _mutations(good, one, number) -> Iterator[Message]:
    """Each byte of the body and of the headers that prove once, changed into another by turns."""
    body = bytearray(good.body)
    for place, byte in enumerate(good.body):
        body[place] = byte ^ ((number + place) % 255 + 1)
        yield Message(headers=good.headers, body=bytes(body))
        body[place] = byte
    for at, (title, value) in enumerate(good.headers):
        for place in range(len(value)) if title != "Content-Type" else ():
            if _is_unsigned_time(one, value, place):
                continue
            other = chr(ord(value[place]) ^ ((number + place) % 255 + 1))
            changed = (title, value[:place] + other + value[place + 1 :])
            yield Message(headers=(*good.headers[:at], changed, *good.headers[at + 1 :]), body=good.body)


def _is_unsigned_time(one, value, place) -> bool:
    """By Tamio's wording the body alone is signed: there t proves nothing, and the badge says so."""
    return one.dialect == "tamio" and not one.options and value.startswith("t=") and 2 <= place < value.index(",")


def test_find_dialect_loads_one_by_name():
    assert find_dialect("growi") is DIALECTS["growi"]


def test_the_readmes_piece_takes_what_is_genuine_and_nothing_else(capsys):
    readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    piece = re.search(r"^```python\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    room: dict = {}
    exec(compile(piece.group(1), "README.md", "exec"), room)  # noqa: S102 -- our own page
    one = genuine.request("rewardful", "affiliate.created")
    assert room["hooks"](*one) == 200
    assert capsys.readouterr().out.startswith("affiliate.created {'affiliate': ")
    assert {room["hooks"](*wrong) for wrong in one.forgeries().values()} == {401}
    assert room["hooks"](*genuine.sign("rewardful", b"[]")) == 422


@pytest.mark.slow
@pytest.mark.parametrize("name", DIALECTS)
def test_whatever_comes_in_only_the_two_errors_come_out(name):
    pieces = st.text(st.characters(max_codepoint=255), max_size=40)
    known = [(title, value) for title, value in genuine.request(name, at=AT).headers.items()]
    headers = st.lists(st.tuples(st.sampled_from([title for title, _ in known]), pieces) | st.sampled_from(known))
    leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
    whole = json.loads(genuine.request(name, at=AT).body)
    changed = st.dictionaries(st.sampled_from([*whole, "x"]), st.recursive(leaf, _nested, max_leaves=8), max_size=3)
    bodies = st.binary(max_size=200) | changed.map(lambda some: json.dumps({**whole, **some}).encode())

    @settings(max_examples=150, deadline=None, database=None, derandomize=True)
    @given(headers=headers, body=bodies, unverified=st.booleans())
    def check(headers, body, unverified):
        secret = None if unverified else genuine.secret_of(DIALECTS[name])
        with suppress(NotGenuine, Undecodable):
            json.dumps(receive(name, headers, body, secret, AT, unverified=unverified).records)

    check()


def _nested(inner):
    return st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
