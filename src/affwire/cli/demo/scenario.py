"""The story that the demo tells: every row of contract A1 at least once, as calls that an organization would make.

Rule: it ends with people who join, so that whoever looks afterwards meets somebody who is still there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from affwire.cli.demo.a1 import Words, statement
from affwire.cli.demo.stage import Stage

Act = Callable[[Stage], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One call: the row of A1 it is, what happens, how, and what each dialect must say for it."""

    row: str
    title: str
    act: Act
    words: Words


def steps() -> list[Step]:
    """Return the story. KeyError if a step names a row and circumstance that a1.md does not state."""
    stated = statement()
    return [Step(row, title, act, stated[row, circumstance]) for row, circumstance, title, act in _STORY]


_STORY: Final[list[tuple[str, str, str, Act]]] = [
    ("1", "", "create the program Spring", lambda on: on.create_program("Spring")),
    ("1", "", "create the program Summer", lambda on: on.create_program("Summer")),
    ("1", "", "create Open House, where all are taken", lambda on: on.create_program("Open House", auto_approve=True)),
    ("2", "", "raise Spring's commission", lambda on: on.change_program("Spring", commission_percent=25)),
    ("2", "no field of Tamio's", "note something on Spring", lambda on: on.change_program("Spring", metadata={"a": 1})),
    ("4", "", "create Kim", lambda on: on.create_affiliate("Kim")),
    ("9", "the first program", "add Kim to Spring", lambda on: on.join("Kim", "Spring")),
    ("9", "a further program", "add Kim to Summer", lambda on: on.join("Kim", "Summer")),
    ("5", "two partnerships", "Kim confirms the address", lambda on: on.confirm("Kim")),
    (
        "5b",
        "after confirming, two partnerships",
        "Kim completes onboarding",
        lambda on: on.change_affiliate("Kim", onboarding_completed=True),
    ),
    ("6", "two partnerships", "Kim moves to Umeå", lambda on: on.change_affiliate("Kim", city="Umeå")),
    ("6b", "two partnerships", "Kim's address changes", lambda on: on.change_affiliate("Kim", email="kim@example.com")),
    ("6c", "standing ends", "disable Kim's account", lambda on: on.change_affiliate("Kim", status="disabled")),
    ("6c", "standing begins", "enable it again", lambda on: on.change_affiliate("Kim", status="active")),
    ("13", "", "Kim pauses in Spring", lambda on: on.change_membership("Kim", "Spring", status="paused")),
    ("13b", "", "Kim is back", lambda on: on.change_membership("Kim", "Spring", status="active")),
    ("15", "", "Kim gets the tag KIM", lambda on: on.change_membership("Kim", "Spring", tag="KIM")),
    ("18", "", "and the code KIM10", lambda on: on.add_code("Kim", "Spring", "KIM10")),
    ("18", "", "KIM10 is worth more", lambda on: on.change_code("KIM10", discount_value="12.50")),
    ("18", "", "KIM10 ends", lambda on: on.drop_code("KIM10")),
    ("17", "pending", "Lee applies to Spring", lambda on: on.create_affiliate("Lee", "Spring", "pending")),
    ("8", "a newcomer's first", "approve Lee", lambda on: on.command("Lee", "Spring", "approve")),
    ("17", "active", "create Noa in Spring", lambda on: on.create_affiliate("Noa", "Spring")),
    ("5b", "", "Noa completes onboarding", lambda on: on.change_affiliate("Noa", onboarding_completed=True)),
    ("5", "after onboarding", "Noa confirms the address", lambda on: on.confirm("Noa")),
    ("7", "", "Noa asks to join Summer", lambda on: on.join("Noa", "Summer", "pending")),
    ("10", "", "decline Noa", lambda on: on.command("Noa", "Summer", "reject")),
    ("16d", "", "Noa asks again", lambda on: on.join("Noa", "Summer", "pending")),
    ("10", "", "decline Noa again", lambda on: on.command("Noa", "Summer", "reject")),
    ("16b", "not the first program", "take Noa after all", lambda on: on.command("Noa", "Summer", "reactivate")),
    ("7b", "7 becomes 9", "Lee asks to join Open House", lambda on: on.join("Lee", "Open House", "pending")),
    ("12", "a later program", "Lee leaves Open House", lambda on: on.command("Lee", "Open House", "leave")),
    ("7b", "16c becomes 16", "Lee asks again", lambda on: on.join("Lee", "Open House", "pending")),
    ("12", "the first program", "Lee leaves Spring", lambda on: on.command("Lee", "Spring", "leave")),
    ("16c", "", "Lee asks to come back", lambda on: on.join("Lee", "Spring", "pending")),
    ("11", "still pending", "remove Lee from Spring", lambda on: on.command("Lee", "Spring", "remove")),
    ("11", "the last membership", "and from Open House", lambda on: on.command("Lee", "Open House", "remove")),
    ("16", "", "Lee is active in Spring again", lambda on: on.command("Lee", "Spring", "reactivate")),
    ("1", "", "create the program Winter", lambda on: on.create_program("Winter")),
    ("3", "", "delete it again", lambda on: on.delete_program("Winter")),
    ("17", "active", "create Sam in Summer", lambda on: on.create_affiliate("Sam", "Summer")),
    (
        "3b",
        "three members, one of them nowhere else",
        "delete Summer with its members",
        lambda on: on.delete_program("Summer", force=True),
    ),
    ("9", "a further program", "add Noa to Open House", lambda on: on.join("Noa", "Open House")),
    ("14", "two memberships", "delete Noa", lambda on: on.delete_affiliate("Noa")),
    ("19", "one membership", "erase Kim", lambda on: on.delete_affiliate("Kim", erase=True)),
    ("17", "pending", "Ria applies to Spring", lambda on: on.create_affiliate("Ria", "Spring", "pending")),
    ("10", "", "decline Ria", lambda on: on.command("Ria", "Spring", "reject")),
    ("2", "", "Spring takes everybody now", lambda on: on.change_program("Spring", auto_approve=True)),
    ("7b", "16d becomes 16b, a newcomer", "Ria asks again", lambda on: on.join("Ria", "Spring", "pending")),
    ("7b", "17 becomes active", "Mia applies to Spring", lambda on: on.create_affiliate("Mia", "Spring", "pending")),
]
