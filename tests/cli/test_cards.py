import json

from typer.testing import CliRunner

from affwire.cli.main import app
from affwire.plugins import load_dialects


def dialects(*arguments):
    return CliRunner().invoke(app, ["dialects", *arguments])


def test_the_table_has_a_row_for_every_dialect():
    heading, *rows = dialects().stdout.splitlines()
    assert heading.split()[0] == "name"
    assert [row.split()[0] for row in rows] == list(load_dialects())


def test_the_cards_are_there_as_json():
    cards = json.loads(dialects("--json").stdout)
    assert [card["name"] for card in cards] == list(load_dialects())


def test_one_card_is_shown_whole():
    shown, card = dialects("rewardful").stdout, load_dialects()["rewardful"].card
    told = " ".join(shown.split())
    for text in (card.summary, card.source, *(word.name for word in card.words), *card.cannot, *card.notes):
        assert " ".join(text.split()) in told


def test_one_card_as_json_is_the_card():
    assert json.loads(dialects("growi", "--json").stdout)["endpoints_max"] == 1


def test_an_unknown_dialect_is_answered_with_those_there_are():
    shown = dialects("growy")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "growi" in shown.stderr
