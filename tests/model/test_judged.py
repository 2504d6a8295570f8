"""Only the guard makes a JudgedUrl."""

import copy
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

import affwire
from affwire.errors import Broken
from affwire.model.judged import GUARD_SEAL, JudgedUrl

SOURCE = Path(affwire.__file__).parent


@pytest.mark.parametrize("seal", [None, object(), True, "GUARD_SEAL"])
def test_a_url_without_the_guards_seal_is_broken(seal: object) -> None:
    with pytest.raises(Broken, match="url_not_judged"):
        JudgedUrl("https://a.example/", "a.example", None, seal=seal)


def test_a_sealed_url_keeps_what_was_judged_and_cannot_be_changed() -> None:
    judged = JudgedUrl("https://a.example/", "a.example", "no address yet", seal=GUARD_SEAL)
    assert (judged.url, judged.host, judged.warning) == ("https://a.example/", "a.example", "no address yet")
    assert copy.copy(judged) == judged
    with pytest.raises(FrozenInstanceError):
        judged.url = "https://b.example/"  # type: ignore[misc]
    with pytest.raises((Broken, ValueError)):
        replace(judged, url="https://b.example/")


def test_nobody_but_the_guard_names_the_seal() -> None:
    named = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py") if "GUARD_SEAL" in path.read_text()}
    assert named == {"model/judged.py", "destinations/guard.py"}
