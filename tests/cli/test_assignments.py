import pytest

from affwire.cli.assignments import assigned
from affwire.errors import Refused


def test_a_value_that_is_json_is_taken_as_such_and_any_other_as_text():
    pairs = ["a=true", "b=20", "c=Ada", 'd=["x"]', "e=null", 'f="20"', "g=", "h=a=b", "i=NaN", "j=-Infinity", "k={"]
    assert assigned(pairs) == {
        "a": True,
        "b": 20,
        "c": "Ada",
        "d": ["x"],
        "e": None,
        "f": "20",
        "g": "",
        "h": "a=b",
        "i": "NaN",
        "j": "-Infinity",
        "k": "{",
    }


def test_a_dot_leads_into_an_object():
    assert assigned(["metadata.plan.name=gold", "metadata.seats=3"]) == {
        "metadata": {"plan": {"name": "gold"}, "seats": 3}
    }


def test_pairs_go_on_top_of_what_options_set():
    options = {"name": "Spring", "currency": "EUR"}
    assert assigned(["name=Autumn"], options) == {"name": "Autumn", "currency": "EUR"}
    assert options["name"] == "Spring"


@pytest.mark.parametrize("pair", ["", "name", "=x", "a.=x", ".a=x", "a..b=x"])
def test_what_is_no_pair_is_refused(pair):
    with pytest.raises(Refused, match="malformed_assignment"):
        assigned([pair])


def test_a_member_of_what_is_no_object_is_refused():
    with pytest.raises(Refused, match="malformed_assignment"):
        assigned(["a=1", "a.b=2"])
