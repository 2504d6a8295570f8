"""A pass fits one purpose, one affiliate, one program, one address and one end: nothing else opens anything."""

import base64

from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import structs

from affwire.model import ids
from affwire.model.mail import Pass
from affwire.rules import passes

KEY = bytes(range(32))
PURPOSES = st.sampled_from(["confirm", "join", "leave"])
NUMBERS = st.integers(0, 2**128 - 1)
PASSES = st.builds(
    Pass,
    affiliate_id=NUMBERS.map(lambda number: f"aff_{ids.text(number)}"),
    program_id=NUMBERS.map(lambda number: f"prg_{ids.text(number)}"),
    address=st.binary(min_size=8, max_size=8),
    expires_at=st.integers(0, 2**48 - 1),
)


@given(PURPOSES, PASSES)
def test_a_pass_opens_as_what_it_was_made_of(purpose, made):
    text = passes.signed(KEY, purpose, made)
    assert passes.opened(KEY, purpose, text) == made
    assert len(text) <= passes.TEXT_CHARACTERS


@given(PURPOSES, PURPOSES, PASSES)
def test_a_pass_opens_for_its_own_purpose_only(one, other, made):
    assume(one != other)
    assert passes.opened(KEY, other, passes.signed(KEY, one, made)) is None


@given(PURPOSES, PASSES, PASSES)
def test_two_passes_never_share_a_text(purpose, one, other):
    same = passes.signed(KEY, purpose, one) == passes.signed(KEY, purpose, other)
    assert same == (one == other)


@given(PURPOSES, PASSES, st.sampled_from(Pass.__struct_fields__), PASSES)
def test_the_proof_of_one_pass_fits_no_other(purpose, made, field, other):
    changed = structs.replace(made, **{field: getattr(other, field)})
    assume(changed != made)
    forged = raw(passes.signed(KEY, purpose, changed))[:-16] + raw(passes.signed(KEY, purpose, made))[-16:]
    assert passes.opened(KEY, purpose, text(forged)) is None


@given(PURPOSES, PASSES, st.integers(0, 61), st.integers(1, 255))
def test_a_pass_with_any_byte_changed_is_none(purpose, made, place, by):
    bad = bytearray(raw(passes.signed(KEY, purpose, made)))
    bad[place] ^= by
    assert passes.opened(KEY, purpose, text(bytes(bad))) is None


@given(PURPOSES, PASSES)
def test_another_spelling_of_a_pass_is_none_so_that_a_used_one_stays_used(purpose, made):
    written = passes.signed(KEY, purpose, made)
    for spelling in (written + "=", written + "A", f" {written}", written.replace("-", "+") + "\n"):
        assert passes.opened(KEY, purpose, spelling) is None
    last = written[:-1] + chr(ord(written[-1]) + 1)
    assert passes.opened(KEY, purpose, last) is None


@given(PURPOSES, PASSES)
def test_another_installations_pass_is_none(purpose, made):
    assert passes.opened(bytes(32), purpose, passes.signed(KEY, purpose, made)) is None


@given(PURPOSES, st.text())
def test_any_text_is_no_pass(purpose, anything):
    assert passes.opened(KEY, purpose, anything) is None


def test_an_address_stands_in_a_pass_as_a_stamp_that_differs_from_place_to_place():
    assert passes.address_stamp(KEY, "ada@example.com") != passes.address_stamp(bytes(32), "ada@example.com")
    assert passes.address_stamp(KEY, "ada@example.com") != passes.address_stamp(KEY, "eve@example.com")
    assert passes.stamp(KEY, "origin", "x") != passes.stamp(KEY, "person", "x")


def raw(written):
    return base64.urlsafe_b64decode(written + "=" * (-len(written) % 4))


def text(body):
    return base64.urlsafe_b64encode(body).decode().rstrip("=")
