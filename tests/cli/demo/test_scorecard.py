"""The score card notices what the single steps cannot: repeats, gaps, forgeries that pass."""

from types import SimpleNamespace

import pytest

from affwire.cli.demo import scorecard
from affwire.cli.demo.receiver import Arrival, Mailbox
from affwire.cli.demo.verify import Heard


def arrival(key=("evt_1",), sequence=1, mailbox="standard", heard=True):
    what = Heard("program.created", key, "prg_1", 0, sequence) if heard else None
    return Arrival(mailbox, 5.0, what, "" if heard else "the signature does not fit", 200, {}, b"{}")


def test_a_thing_heard_once_is_no_difference():
    assert scorecard._foreign([arrival(), arrival(("evt_2",))]) == []


def test_a_thing_heard_twice_is():
    assert "2 times" in scorecard._foreign([arrival(), arrival()])[0]


def test_a_request_that_nobody_could_verify_is():
    assert "does not fit" in scorecard._foreign([arrival(heard=False)])[0]


@pytest.mark.parametrize("numbers", [[1, 3], [2, 1], [2], [1, 1]])
def test_a_gap_or_another_order_is(numbers):
    assert scorecard._gaps([arrival(sequence=number) for number in numbers])


def test_numbers_one_after_the_other_are_not():
    assert scorecard._gaps([arrival(sequence=number) for number in (1, 2, 3)]) == []


def test_forgeries_that_are_refused_are_counted():
    receiver = SimpleNamespace(mailboxes={"standard": Mailbox("standard", "standard", "whsec_c2VjcmV0")})
    assert scorecard.probe(receiver, [arrival()]) == (2, 2)


def test_too_few_arrivals_have_no_percentiles():
    assert scorecard._latency([arrival()]) == {}
