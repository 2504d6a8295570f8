"""What a person sees: nothing cut, nothing that steers the terminal, one sentence for whatever goes wrong."""

import errno
import re
import sys

import pytest
import typer

from affwire.cli.terminal import FAILED, USAGE, say, sentences, show_facts, show_line, show_record, show_table
from affwire.errors import Broken, Refused

ROWS = [("evt_" + "1" * 26, "program.created", "prg_" + "2" * 26), ("evt_" + "3" * 26, None, "aff_" + "4" * 26)]
HEADINGS = ("id", "type", "subject_id")


@pytest.fixture
def screen(monkeypatch, capsys):
    """Make stdout a screen of so many columns; return what was shown there, without its styles."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")

    def screen(columns):
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        return shown

    def shown():
        return re.sub(r"\x1b\[\d*m", "", capsys.readouterr().out).splitlines()

    return screen


def test_a_table_that_fits_has_a_line_for_each_row(screen):
    shown = screen(80)
    show_table(HEADINGS, ROWS)
    heading, *lines = shown()
    assert heading.split() == list(HEADINGS)
    assert [line.split() for line in lines] == [[cell for cell in row if cell] for row in ROWS]


def test_ids_are_whole_on_a_narrow_screen(screen):
    shown = screen(60)
    show_table(HEADINGS, ROWS)
    assert shown() == [
        ROWS[0][0],
        "  type        program.created",
        f"  subject_id  {ROWS[0][2]}",
        ROWS[1][0],
        f"  subject_id  {ROWS[1][2]}",
    ]


def test_a_table_in_a_pipe_is_as_wide_as_it_is_and_ends_where_its_words_end(capsys):
    show_table(("id", "note"), [("a", "x" * 500), ("b", "y")])
    assert capsys.readouterr().out.splitlines() == ["id  note", f"a   {'x' * 500}", "b   y"]


def test_a_value_is_whole_on_a_narrow_screen_and_prose_is_broken_between_words(screen):
    shown, link = screen(50), "https://example.com/" + "a" * 60
    show_facts([("url", link), ("meaning", "one two three four five six seven eight nine ten"), ("n", 3)])
    assert shown() == [
        f"url      {link}",
        "meaning  one two three four five six seven eight",
        "         nine ten",
        "n        3",
    ]


def test_a_record_in_a_pipe_has_a_line_for_each_member_that_holds_something(capsys):
    show_record(
        {"id": "prg_1", "metadata": {"a": "é"}, "is_public": False, "note": None, "list": [], "long": "z " * 300}
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["id", "metadata", "is_public", "long"]
    assert lines[1:3] == ['metadata   {"a": "é"}', "is_public  false"]


@pytest.mark.parametrize("evil", ["\x1b[2J", "\r", "\x07", "\x9b31m", "\u202e"])
def test_what_others_wrote_does_not_steer_the_terminal(capsys, evil):
    show_line(f"a{evil}b")
    show_table(("id",), [(f"a{evil}b",)])
    show_facts([("name", f"a{evil}b\nc")])
    say(f"a{evil}b")
    shown = capsys.readouterr()
    assert evil not in shown.out + shown.err
    assert shown.out.count("\n") == 4


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (Refused("no_key", "Set it."), USAGE, "affwire: Set it.\n"),
        (Refused("other", "No."), FAILED, "affwire: No.\n"),
        (Broken("bug", "Ours."), FAILED, "affwire: Ours. [bug]\n"),
        (UnicodeEncodeError("utf-8", "\udcff", 0, 1, "no"), USAGE, "affwire: What was typed is not text in UTF-8.\n"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), FAILED, "affwire: Permission denied: /x.\n"),
        (OSError(errno.ENOSPC, "No space left on device"), FAILED, "affwire: No space left on device.\n"),
    ],
)
def test_what_goes_wrong_is_one_sentence(capsys, error, code, told):
    with pytest.raises(typer.Exit) as left, sentences():
        raise error
    assert left.value.exit_code == code
    assert capsys.readouterr() == ("", told)


def test_a_reader_who_leaves_is_no_error_of_ours():
    with pytest.raises(BrokenPipeError), sentences():
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")
