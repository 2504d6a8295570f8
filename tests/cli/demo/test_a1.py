from affwire.cli.demo.a1 import DIALECTS, ROWS, statement
from affwire.cli.demo.scenario import steps
from affwire.plugins import load_dialects


def test_every_row_of_the_contract_is_stated_and_played():
    assert {row for row, _ in statement()} == set(ROWS)
    assert {step.row for step in steps()} == set(ROWS)


def test_every_circumstance_stated_is_played():
    played = [step.words for step in steps()]
    assert all(words in played for words in statement().values())


def test_every_word_stated_is_on_its_dialects_card():
    cards = {name: dialect.card for name, dialect in load_dialects().items()}
    for words in statement().values():
        for dialect in DIALECTS:
            assert all(cards[dialect].word(word) for word in words[dialect])


def test_every_built_in_dialect_takes_part():
    assert set(load_dialects()) == set(DIALECTS)
