"""Reading for all dialects alike: one meaning or none, every leaf in its place, nothing dropped silently."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct, structs

from affwire.dialects import reading
from affwire.dialects.fitting import fit
from affwire.dialects.growi import dialect
from affwire.errors import Undecodable
from affwire.model.reading import Told
from affwire.testing.garbage_suite import NASTY

READS = {
    "id": "-",
    "at": "event.occurred_at",
    "who.id": "affiliate.id",
    "who.email": "affiliate.email",
    "who.joined": "affiliate.created_at",
    "who.tags": "affiliate.payments",
    "in.*": "program.*",
    "in.name": "-",
    "in.links[].url": "link.url",
    "in.links[].of.id": "membership.id",
}
CARD = structs.replace(dialect.card, reads=READS)


def leaves(**body):
    found = reading.leaves(CARD, body)
    fit(found)
    return found


def code_of(function, *arguments):
    with pytest.raises(Undecodable) as error:
        function(*arguments)
    return error.value.code


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("nothing", "not_json"),
        ("half an object", "not_json"),
        ("NaN", "not_json"),
        ("infinite", "not_json"),
        ("a huge integer", "not_json"),
        ("a raw NUL", "not_json"),
        ("trailing bytes", "not_json"),
        ("a byte order mark", "not_json"),
        ("no object", "not_an_object"),
        ("null", "not_an_object"),
        ("not UTF-8", "not_utf8"),
        ("UTF-16", "not_utf8"),
        ("deep lists", "too_deep"),
        ("deep objects", "too_deep"),
        ("an integer beyond 64 bits", "too_large"),
        ("half a surrogate pair", "bad_text"),
        ("a NUL", "bad_text"),
        ("a key twice", "duplicate_key"),
    ],
)
def test_a_body_means_one_thing_or_is_refused(what, code):
    assert code_of(reading.document, NASTY[what]) == code


@pytest.mark.parametrize(
    "body", [b'{"\\u0000":1}', b'{"a":["\\ud800"]}', b'{"a":[[{"b":["\\u0000"]}]]}', b'{"a":{"b\\udfff":1}}']
)
def test_broken_texts_are_found_wherever_they_stand(body):
    assert code_of(reading.document, body) == "bad_text"


def test_the_limits_of_a_body_are_where_they_are_said():
    inner = reading.DEPTH_MAX - 1
    assert reading.document(b'{"a":' * inner + b"{}" + b"}" * inner)
    assert code_of(reading.document, b'{"a":' * (inner + 1) + b"{}" + b"}" * (inner + 1)) == "too_deep"
    assert reading.document(b'{"a":%d,"b":%d}' % (reading.INTEGER_MAX, -reading.INTEGER_MAX))
    assert code_of(reading.document, b'{"a":%d}' % -(reading.INTEGER_MAX + 1)) == "too_large"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc.[]", max_size=3), inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(["id", "at", "who", "in", "x"]), JSON, max_size=5))
def test_every_json_object_is_read_as_it_is_and_sorted_without_an_error(body):
    assert reading.document(json.dumps(body).encode()) == body
    leaves(**body)


def test_leaves_stand_under_our_names():
    found = leaves(id="e", at=17, who={"id": 5, "email": "", "joined": "1970-01-01T00:00:02Z", "tags": ["a"]})
    assert found.one["event"] == {"occurred_at": 17_000}
    expected = Told(kind="affiliate", id="5", fields={"email": None, "created_at": 2000, "payments": ["a"]})
    assert found.told("affiliate") == expected
    assert found.told("program") is None
    assert found.unread == []
    assert found.paths["affiliate.created_at"] == "who.joined"


def test_a_family_stands_for_all_fields_of_a_record_and_for_no_other():
    found = leaves(
        **{"in": {"id": "p", "name": "x", "currency": "EUR", "is_public": True, "colour": "red", "number": 3}}
    )
    assert found.told("program") == Told(
        kind="program", id="p", fields={"currency": "EUR", "is_public": True, "number": 3}
    )
    assert found.unread == ["in.colour"]


def test_a_lists_items_are_leaves_of_their_own():
    items = [{"url": "a", "of": {"id": 1}}, {"url": "b", "more": 0}, 7]
    found = leaves(**{"in": {"links": items}})
    assert found.told_at_all("link")
    assert found.told_list("link") == (Told(kind="link", fields={"url": "a"}), Told(kind="link", fields={"url": "b"}))
    assert [item.told("membership") for item in found.lists["link"]] == [Told(kind="membership", id="1"), None, None]
    assert found.unread == ["in.links[].more", "in.links[]"]


@pytest.mark.parametrize(("links", "told"), [([], True), (None, False), (..., False), ("x", False)])
def test_an_empty_list_was_told_and_a_missing_one_was_not(links, told):
    found = leaves(**{"in": {} if links is ... else {"links": links}})
    assert found.told_at_all("link") is told
    assert found.told_list("link") == ()
    assert found.unread == (["in.links"] if links == "x" else [])


@pytest.mark.parametrize(
    ("body", "unread"),
    [
        ({"who.id": 5}, ["who.id"]),
        ({"": {"id": 5}}, [""]),
        ({"who": {"": {"id": 5}}}, ["who."]),
        ({"in": {"links[]": {"url": 1}}}, ["in.links[]"]),
        ({"more": None}, ["more"]),
        ({"more": {}}, ["more"]),
        ({"more": {"a": 1, "b": [2]}}, ["more.a", "more.b"]),
        ({"who": 5}, ["who"]),
        ({"who": None, "in": {}}, []),
    ],
)
def test_what_stands_elsewhere_is_unread_even_if_it_looks_like_a_path(body, unread):
    found = leaves(**body)
    assert found.unread == unread
    assert found.one == {}


@pytest.mark.parametrize(
    "who",
    [{"joined": "soon"}, {"joined": True}, {"joined": []}, {"joined": 10**15}, {"id": 1.5}, {"id": ""}, {"id": True}],
)
def test_a_value_that_no_record_holds_is_unread(who):
    found = leaves(who=who)
    assert found.unread == [f"who.{next(iter(who))}"]
    assert found.one.get("affiliate", {}) == {}


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2026-05-05T12:53:20-04:00", 1_778_000_000_000),
        ("2026-05-05T16:53:20.1204Z", 1_778_000_000_120),
        (1_778_000_000, 1_778_000_000_000),
        (1_778_000_000.9, 1_778_000_000_000),
        ("0002-06-01T00:00:00Z", -62_091_014_400_000),
    ],
)
def test_times_are_texts_with_an_offset_or_seconds(value, at):
    assert reading.moment(value, "at") == at


@pytest.mark.parametrize(
    "value",
    [
        "2026-05-05T12:53:20",
        "2026-05-05",
        "",
        "now",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        None,
        True,
        [],
        {},
        10**15,
        -(10**15),
        1e300,
        float("inf"),
        float("nan"),
    ],
)
def test_whatever_is_no_time_is_undecodable(value):
    assert code_of(reading.moment, value, "at") == "bad_time"


def test_a_key_is_made_of_parts_that_are_all_there():
    assert reading.key("a", 1, "b") == "a|1|b"
    assert reading.key("a", None) is reading.key("", "b") is None
    assert reading.key("x" * reading.KEY_MAX)
    assert code_of(reading.key, "x" * reading.KEY_MAX, "y") == "bad_id"
    assert code_of(reading.key, "a\0b") == "bad_id"


def test_a_word_can_be_shown():
    assert reading.word("a.b") == "a.b"
    for odd in ("", "a\0", "x" * (reading.KEY_MAX + 1)):
        assert code_of(reading.word, odd) == "bad_word"


class Envelope(Struct):
    id: str


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"id":1}', b'{"id":"\xff"}', b'{"id":"\\ud800"}', b'{"id":"a"', b"[" * 9999]
)
def test_an_envelope_of_another_form_is_undecodable(body):
    assert code_of(reading.envelope, body, Envelope) == "not_this_dialect"
    assert reading.envelope(b'{"x":[1,{}],"id":"a"}', Envelope).id == "a"


def test_what_must_be_there_is_named():
    for function, value in (
        (reading.text, ""),
        (reading.text, 1),
        (reading.with_id, None),
        (reading.with_id, Told(kind="link")),
    ):
        with pytest.raises(Undecodable) as error:
            function(value, "a.b")
        assert error.value.facts == {"path": "a.b"}
