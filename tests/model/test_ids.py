"""Identifiers sort by time, give their bits back, and garbage is told from them."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affwire.model import ids

TIMES = st.integers(0, (1 << 48) - 1)
BITS = st.integers(0, (1 << 74) - 1)


@given(st.sampled_from(sorted(ids.PREFIXES)), TIMES, BITS)
def test_an_id_gives_back_its_kind_its_time_and_its_uuid(kind, at, bits):
    made = ids.make(kind, at, bits)
    uuid = UUID(ids.uuid_of(made))
    assert ids.kind_of(made) == kind
    assert made == f"{ids.PREFIXES[kind]}_{ids.body_of(made)}"
    assert (uuid.version, uuid.variant) == (7, "specified in RFC 4122")
    assert uuid.int >> 80 == at
    assert ids.text(uuid.int) == ids.body_of(made)


@given(TIMES, TIMES, BITS, BITS)
def test_ids_sort_by_the_time_they_were_made(early, late, bits, others):
    first, second = ids.make("event", early, bits), ids.make("event", late, others)
    assert early == late or (first < second) == (early < late)


@given(TIMES, BITS, BITS)
def test_different_bits_make_different_ids(at, bits, others):
    assert (ids.make("link", at, bits) == ids.make("link", at, others)) == (bits == others)


def test_more_bits_than_fit_are_cut_off():
    assert ids.make("link", 5, (1 << 80) + 3) == ids.make("link", 5, 3)


@given(st.integers(0, (1 << 128) - 1))
def test_text_holds_all_128_bits(number):
    assert ids.number_of("aff_" + ids.text(number)) == number


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "aff",
        "aff_",
        "aff_" + "0" * 25,
        "aff_" + "0" * 27,
        "aff_8" + "0" * 25,
        "aff_z" + "0" * 25,
        "aff_" + "0" * 25 + "i",
        "aff_" + "0" * 25 + "l",
        "aff_" + "0" * 25 + "o",
        "aff_" + "0" * 25 + "u",
        "aff_" + "0" * 25 + "A",
        "aff_" + "0" * 25 + "٣",
        "aff_" + "0" * 25 + "\n",
        "aff-" + "0" * 26,
    ],
)
def test_what_is_no_id_is_refused(garbage):
    assert ids.kind_of(garbage) is None
    with pytest.raises(ValueError, match="not an id"):
        ids.number_of(garbage)


@pytest.mark.parametrize("foreign", ["nop_" + "0" * 26, "_" + "0" * 26, "0" * 26, "AFF_" + "0" * 26])
def test_an_unknown_prefix_names_no_kind(foreign):
    assert ids.kind_of(foreign) is None


@given(st.text(max_size=40))
def test_any_text_is_either_an_id_or_none(text):
    kind = ids.kind_of(text)
    assert kind is None or text.startswith(ids.PREFIXES[kind] + "_")


def test_no_two_kinds_share_a_prefix():
    assert len(set(ids.PREFIXES.values())) == len(ids.PREFIXES)
