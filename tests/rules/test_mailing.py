"""What becomes of a mail after a try."""

import pytest

from affwire.model.wire import Outcome, Response
from affwire.rules import mailing
from affwire.rules.delivery import Dead, Delivered, Retry


def verdict(outcome, steps=0):
    return mailing.verdict(outcome, steps, now=1_000, roll=0.0)


def answered(code):
    return Outcome(Response(code), None if code < 300 else "status")


def test_a_letter_that_the_relay_took_is_delivered():
    assert verdict(answered(250)) == Delivered()


@pytest.mark.parametrize("code", [550, 553, 554, 501])
def test_what_the_relay_refuses_for_good_is_not_tried_again(code):
    assert isinstance(verdict(answered(code)), Dead)


@pytest.mark.parametrize("code", [421, 450, 451, 530, 535])
def test_what_passes_or_is_the_operators_to_mend_is_tried_again(code):
    assert verdict(answered(code)) == Retry(61_000)


@pytest.mark.parametrize("error", ["dns", "connect", "tls", "timeout_total", "protocol", "refused_by_guard"])
def test_a_relay_that_cannot_be_reached_is_tried_again(error):
    assert verdict(Outcome(error=error), 1) == Retry(301_000)


def test_a_letter_that_cannot_be_put_into_a_message_ends_at_once():
    assert isinstance(verdict(Outcome(error="encode")), Dead)


def test_an_end_that_we_never_learned_costs_a_step_so_that_copies_are_few():
    assert verdict(Outcome(error="cut")) == Retry(61_000)
    assert isinstance(verdict(Outcome(error="cut"), len(mailing.SCHEDULE)), Dead)


def test_a_lease_outlives_the_longest_session():
    assert mailing.LIMITS.total_ms < mailing.LEASE_MS
