"""What a dry run finds twice in a file, whatever chunks it was sent in."""

import pytest

from affwire.cli.lines import Line
from affwire.cli.twice import Rehearsal


def post(number, kind="affiliates", **body):
    return Line(number, {"method": "POST", "path": f"/v1/{kind}", "body": body})


def put(number, own, **body):
    return Line(number, {"method": "PUT", "path": f"/v1/affiliates/ext:crm:{own}", "body": body})


@pytest.fixture
def rehearsal():
    rehearsal = Rehearsal()
    rehearsal.take(post(1, email="Ada@example.com", external_ids={"crm": "7"}))
    rehearsal.take(post(2, kind="memberships", affiliate_id="aff_1", program_id="prg_1"))
    rehearsal.take(put(3, "8", email="bob@example.com"))
    return rehearsal


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (post(9, email="ada@EXAMPLE.com"), "It has the same e-mail address as line 1."),
        (post(9, email="x@example.com", external_ids={"crm": "7"}), "It has the same external_ids.crm as line 1."),
        (
            post(9, kind="memberships", affiliate_id="aff_1", program_id="prg_1"),
            "same affiliate_id and program_id as line 2",
        ),
        (put(9, "9", email="bob@example.com"), "It has the same e-mail address as line 3."),
    ],
)
def test_what_an_earlier_line_has_is_told(rehearsal, line, problem):
    assert problem in rehearsal.problem(line)


@pytest.mark.parametrize(
    "line",
    [
        post(9, email="x@example.com", external_ids={"erp": "7"}),
        post(9, kind="programs", name="Spring", external_ids={"crm": "7"}),
        post(9, kind="memberships", affiliate_id="aff_1", program_id="prg_2"),
        put(9, "8", email="bob@example.com"),
        post(9, kind="affiliates/aff_1/confirm", email="ada@example.com"),
        Line(9, {"method": "DELETE", "path": "/v1/affiliates/aff_1"}),
        Line(9, {"method": "PATCH", "path": "/v1/affiliates/aff_1", "body": {"email": "ada@example.com"}}),
        Line(9, {"method": "POST", "path": "/v1/affiliates", "body": [1]}),
        Line(9, {"method": 1, "path": None, "body": None}),
    ],
)
def test_what_may_be_there_twice_is_no_problem(rehearsal, line):
    assert rehearsal.problem(line) is None


def test_an_address_that_a_later_line_gave_up_is_free_again(rehearsal):
    rehearsal.take(put(4, "8", email="robert@example.com"))
    assert rehearsal.problem(post(9, email="bob@example.com")) is None
    assert "line 4" in rehearsal.problem(post(9, email="robert@example.com"))
