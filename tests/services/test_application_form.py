"""What somebody who applies may fill in."""

import pytest

from affwire.errors import Refused
from affwire.services import application_form
from affwire.services.application_form import LIMITS, TRAP

GOOD = {"email": "ada@example.com", "first_name": "Ada"}


def faults(**values):
    with pytest.raises(Refused) as refusal:
        application_form.read({**GOOD, **values})
    assert refusal.value.code == "invalid_application"
    return set(refusal.value.facts["fields"])


def test_a_form_is_trimmed_and_what_is_left_out_is_nothing():
    form = application_form.read(
        {**GOOD, "email": " ada@example.com ", "country": "de", "last_name": "  ", "other": "x"}
    )
    assert (form.email, form.country, form.last_name, form.trapped) == ("ada@example.com", "DE", None, False)
    assert form.affiliate["metadata"] == {}


def test_website_and_note_are_kept_beside_the_record():
    form = application_form.read({**GOOD, "website": "https://ada.example", "note": "Hi,\r\nI write.  "})
    assert form.affiliate["metadata"] == {"website": "https://ada.example"}
    assert form.membership == {"metadata": {"note": "Hi,\nI write."}}


def test_every_fault_is_named_at_once():
    assert faults(email="", first_name="", country="XX", website="ada") == {"email", "first_name", "country", "website"}


@pytest.mark.parametrize("name", LIMITS)
def test_no_field_is_longer_than_its_limit(name):
    assert faults(**{name: "x" * (LIMITS[name] + 1)}) == {name}


@pytest.mark.parametrize("name", ["first_name", "last_name", "company"])
def test_a_name_is_one_line(name):
    assert faults(**{name: "Ada\r\nBcc: eve@example.com"}) == {name}


def test_a_note_has_lines_but_no_other_control_characters():
    assert faults(note="a\x00b") == {"note"}
    assert application_form.read({**GOOD, "note": "a\nb"}).note == "a\nb"


def test_whoever_fills_in_the_trap_is_known():
    assert application_form.read({**GOOD, TRAP: "http://spam.example"}).trapped
