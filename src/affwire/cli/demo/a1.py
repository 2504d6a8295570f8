"""What must arrive: the demo's own statement of contract A1, read from a1.md beside this file."""

from importlib.resources import files
from typing import Final

DIALECTS: Final = ("growi", "affonso", "rewardful", "insert_affiliate", "tamio", "standard")

Words = dict[str, tuple[str, ...]]
"""Dialect -> the words it must say, in the order of recording."""

ROWS: Final = (
    *("1", "2", "3", "3b", "4", "5", "5b", "6", "6b", "6c", "7", "7b", "8", "9", "10", "11", "12", "13", "13b"),
    *("14", "15", "16", "16b", "16c", "16d", "17", "18", "19"),
)
"""Every row of A1; a scenario that leaves one out is refused by its own test."""


def statement() -> dict[tuple[str, str], Words]:
    """Return what is said for each row and circumstance."""
    lines = files(__package__).joinpath("a1.md").read_text("utf-8").splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    headings, _, *rows = table
    return {(row[0], row[1]): _words(dict(zip(headings[2:], row[2:], strict=True))) for row in rows}


def _words(cells: dict[str, str]) -> Words:
    return {dialect: tuple(word for word in cells[dialect].split() if word != "-") for dialect in DIALECTS}
