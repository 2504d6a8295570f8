"""The play notices what must not be: a word too few, too many, another, in another order, or from a forger."""

import pytest

from affwire.cli.demo.a1 import DIALECTS
from affwire.cli.demo.play import Progress, play
from affwire.cli.demo.receiver import Arrival
from affwire.cli.demo.scenario import Step
from affwire.cli.demo.verify import Heard

TAMIO = ("affiliate-signup", "affiliate-approved")


def arrival(word, subject="mem_1", mailbox="tamio"):
    heard = Heard(word, (word, subject), subject) if word else None
    return Arrival(mailbox, 0.0, heard, "" if word else "forged", 200, {}, b"")


class Letters:
    """A receiver in which everything has arrived already."""

    def __init__(self, news):
        self.arrivals = []
        self._news = news

    def wait_until(self, enough, *, since, timeout_s):
        enough(self._news)
        return self._news


def differences(*news):
    step = Step("9", "add", lambda _: None, dict.fromkeys(DIALECTS, ()) | {"tamio": TAMIO})
    progress = Progress([step])
    play(progress, None, Letters(list(news)), pace_s=0, after_step=lambda _: None)
    return progress.done[0].differences


def test_what_must_arrive_is_no_difference():
    assert differences(*map(arrival, TAMIO)) == ()


@pytest.mark.parametrize(
    "words",
    [(), TAMIO[:1], (*TAMIO, TAMIO[0]), TAMIO[::-1], (TAMIO[0], "affiliate-declined"), (TAMIO[0], None)],
)
def test_anything_else_is(words):
    assert differences(*map(arrival, words))


def test_a_word_in_a_mailbox_that_must_be_silent_is():
    assert differences(*map(arrival, TAMIO), arrival("affiliate.created", mailbox="rewardful"))


def test_different_subjects_may_overtake_each_other():
    assert differences(arrival(TAMIO[1], "mem_2"), arrival(TAMIO[0], "mem_1")) == ()


def test_a_play_that_goes_wrong_again_and_again_is_given_up():
    step = Step("1", "create", lambda _: None, dict.fromkeys(DIALECTS, ("never",)))
    progress = Progress([step] * 9)
    play(progress, None, Letters([]), pace_s=0, after_step=lambda _: None)
    assert len(progress.done) == 3
