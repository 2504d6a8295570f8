"""Attempts to sign in: guessers are few and slow, and whoever is elsewhere gets in all the same."""

import pytest

from affwire.console.attempts import (
    DELAY_MAX_MS,
    DELAY_MS,
    FREE,
    PAIR_MAX,
    PLACE_MAX,
    REMEMBERED_MAX,
    WINDOW_MS,
    Attempts,
)
from affwire.errors import TooMany

OWNER = "ada@example.org"
NOW = 1_000_000


@pytest.fixture
def attempts():
    return Attempts()


def guess(attempts, times, account=OWNER, origin="192.0.2.1", now=NOW):
    return [attempts.begin(account, origin, now) for _ in range(times)][-1]


def refused(attempts, account=OWNER, origin="192.0.2.1", now=NOW):
    with pytest.raises(TooMany) as error:
        attempts.begin(account, origin, now)
    return error.value.facts["retry_after"]


def test_a_place_has_few_tries_for_an_account_and_more_after_a_while(attempts):
    guess(attempts, PAIR_MAX)
    assert refused(attempts, now=NOW + WINDOW_MS - 1_000) == 2
    guess(attempts, 1, now=NOW + WINDOW_MS)


def test_the_owner_elsewhere_gets_in_while_another_place_is_refused(attempts):
    guess(attempts, PAIR_MAX)
    refused(attempts)
    assert guess(attempts, 1, origin="198.51.100.7").wait_ms == 0


def test_tries_that_have_not_ended_count_so_that_many_at_once_are_not_more(attempts):
    begun = [attempts.begin(OWNER, "192.0.2.1", NOW) for _ in range(PAIR_MAX)]
    refused(attempts)
    attempts.succeeded(begun[0])
    guess(attempts, PAIR_MAX)


def test_a_person_who_signs_in_is_not_counted(attempts):
    for _ in range(FREE * 3):
        one = attempts.begin(OWNER, "192.0.2.1", NOW)
        assert one.wait_ms == 0
        attempts.succeeded(one)


def test_a_place_that_tries_many_accounts_is_refused(attempts):
    for number in range(PLACE_MAX):
        guess(attempts, 1, account=f"user{number}@example.org")
    refused(attempts, account="another@example.org")
    guess(attempts, 1, account="another@example.org", origin="192.0.2.2")


def test_an_account_that_many_places_guess_at_answers_slowly_and_still_answers(attempts):
    waits = [guess(attempts, 1, origin=f"10.0.{number // 250}.{number % 250}").wait_ms for number in range(1_000)]
    assert waits[: FREE + 2] == [0] * FREE + [DELAY_MS, 2 * DELAY_MS]
    assert waits[-1] == max(waits) == DELAY_MAX_MS
    assert guess(attempts, 1, account="other@example.org", origin="10.1.0.1").wait_ms == 0


def test_others_guesses_slow_the_owner_down_as_before_after_a_success(attempts):
    for number in range(FREE + 4):
        guess(attempts, 1, origin=f"10.0.0.{number}")
    own = guess(attempts, 1, origin="198.51.100.7")
    attempts.succeeded(own)
    assert guess(attempts, 1, origin="198.51.100.7").wait_ms == own.wait_ms == 5 * DELAY_MS


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "", True),
    ],
)
def test_a_place_is_an_address_or_what_one_customer_has_of_ipv6(attempts, one, other, same):
    guess(attempts, PAIR_MAX, origin=one)
    if same:
        refused(attempts, origin=other)
    else:
        guess(attempts, 1, origin=other)


def test_an_account_is_the_same_whatever_its_case(attempts):
    guess(attempts, PAIR_MAX)
    refused(attempts, account=OWNER.upper())


def test_what_is_remembered_is_bounded(attempts):
    for number in range(REMEMBERED_MAX):
        guess(
            attempts,
            1,
            account="a" * 1_000 + str(number),
            origin=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
        )
    assert len(attempts._failed_at) == REMEMBERED_MAX
    assert all(len(key) == 64 for key in attempts._failed_at)
