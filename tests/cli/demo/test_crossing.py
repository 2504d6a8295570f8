"""A crossing is wrong if the answers, the words or what the server kept are not as they must be."""

from types import SimpleNamespace

import pytest

from affwire.cli.demo import crossings
from affwire.cli.demo.a1 import DIALECTS
from affwire.cli.demo.crossing import CROSSINGS, Crossed, _differences

ONE = CROSSINGS[0]
STAGE = SimpleNamespace(all_of=lambda _: [{"status": "delivered"}] * len(ONE.words))


def crossed(**other):
    good = {"heard": ONE.words, "forged": 401, "taken": 200, "repeated": 200, "is_over": True}
    return Crossed(ONE, **{**good, "messages": {"applied": 1, "rejected": 1}, **other})


def test_every_dialect_comes_in_once_and_goes_out_once_in_another():
    assert sorted(one.platform for one in CROSSINGS) == sorted(DIALECTS)
    assert sorted(one.dialect for one in CROSSINGS) == sorted(DIALECTS)
    assert all(one.platform != one.dialect for one in CROSSINGS)
    assert {one.mode for one in CROSSINGS} == {"mirror", "relay"}


def test_what_is_as_it_must_be_is_no_difference():
    assert _differences(crossed(), STAGE, same_answer=True) == []


@pytest.mark.parametrize(
    "other",
    [
        {"forged": 200},
        {"forged": None},
        {"taken": 401},
        {"repeated": 409},
        {"heard": ONE.words[:1]},
        {"heard": ONE.words * 2},
        {"messages": {"applied": 2, "rejected": 1}},
        {"messages": {"applied": 1}},
        {"affiliates": 1},
    ],
)
def test_everything_else_is(other):
    [difference] = _differences(crossed(**other), STAGE, same_answer=True)
    assert difference.startswith("rewardful in: ")


def test_another_answer_to_a_repeat_is_a_difference():
    assert _differences(crossed(), STAGE, same_answer=False)


def test_a_delivery_that_failed_or_came_twice_is_a_difference():
    for statuses in (["delivered", "exhausted"], ["delivered"] * 3):
        stage = SimpleNamespace(all_of=lambda _, statuses=statuses: [{"status": one} for one in statuses])
        assert _differences(crossed(), stage, same_answer=True)


def test_the_picture_tells_as_much_as_is_known():
    before, during, after = (
        "\n".join(str(text) for text in crossings._row(one))
        for one in (Crossed(ONE), Crossed(ONE, taken=200, forged=401), crossed())
    )
    assert "…" in before
    assert "forged" not in before
    assert "forged: 401" in during
    assert "twice" not in during
    assert "✓ membership.activated" in after
    assert "twice: once" in after
    assert "twice: 2 x" in crossings._times(crossed(messages={"applied": 2}))
