import json

import pytest
from typer.testing import CliRunner

from affwire.cli.main import app

VECTORS = [
    {"input": "https://10.0.0.1/in"},
    {"input": "https://hooks.example.com/in", "dns": [["93.184.216.34"]]},
    {"input": "https://no.example.com/in"},
]


def guard(*arguments, stdin=None):
    return CliRunner().invoke(app, ["guard", *arguments], input=stdin)


def test_vectors_are_answered_in_order_with_one_json_line_each(tmp_path):
    path = tmp_path / "vectors.json"
    path.write_text(json.dumps(VECTORS))
    shown = guard("--vectors", str(path))
    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    assert shown.exit_code == 0
    assert [line["input"] for line in lines] == [vector["input"] for vector in VECTORS]
    assert [line["verdict"] for line in lines] == ["refuse", "allow", "refuse"]
    assert all(set(line) == {"input", "verdict", "why"} and line["why"] for line in lines)


def test_vectors_may_come_from_stdin():
    assert guard("--vectors", "-", stdin=json.dumps(VECTORS)).stdout.count("\n") == 3


def test_no_vectors_give_no_lines():
    shown = guard("--vectors", "-", stdin="[]")
    assert (shown.exit_code, shown.stdout) == (0, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"input": "https://a.example/"}',
        "[1]",
        '[{"input": 1}]',
        '[{"input": "https://a.example/", "dns": 1}]',
    ],
)
def test_malformed_vectors_are_a_mistake_and_none_is_answered(text):
    shown = guard("--vectors", "-", stdin=json.dumps(VECTORS)[:-1] + ", 7]" if text == "[1]" else text)
    assert shown.exit_code == 2
    assert shown.stdout == ""
    assert shown.stderr.startswith("affwire: ")


def test_bytes_that_are_no_text_are_a_mistake(tmp_path):
    path = tmp_path / "vectors.json"
    path.write_bytes(b"\xff\xfe\x00[")
    assert guard("--vectors", str(path)).exit_code == 2


def test_a_file_that_is_not_there_is_a_mistake(tmp_path):
    assert guard("--vectors", str(tmp_path / "none.json")).exit_code == 2


def test_letters_beyond_ascii_pass_through_any_terminal():
    shown = guard("--vectors", "-", stdin=json.dumps([{"input": "https://\ud800/"}]))
    assert shown.exit_code == 0
    assert shown.stdout.isascii()


def test_a_refused_url_exits_with_1_and_says_why():
    shown = guard("https://127.0.0.1/in")
    assert shown.exit_code == 1
    assert shown.stdout.startswith("refuse: ")


def test_a_url_is_judged_by_the_settings_in_force(monkeypatch):
    monkeypatch.setenv("AFFWIRE_ALLOW_NETWORKS", "127.0.0.0/8")
    shown = guard("https://127.0.0.1/in", "--json")
    assert shown.exit_code == 0
    assert json.loads(shown.stdout)["verdict"] == "allow"


def test_the_server_itself_is_refused_even_where_its_network_is_allowed(monkeypatch):
    monkeypatch.setenv("AFFWIRE_ALLOW_NETWORKS", "127.0.0.0/8")
    assert guard("https://127.0.0.1:8787/in").exit_code == 1


@pytest.mark.parametrize("arguments", [(), ("https://a.example/", "--vectors", "-")])
def test_it_wants_either_a_url_or_vectors(arguments):
    assert guard(*arguments).exit_code == 2
