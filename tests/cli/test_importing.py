"""`affwire import` against a real server: quiet, harmless to repeat, honest about bad lines."""

import json
import time

import pytest
from typer.testing import CliRunner

from affwire.cli.importing import BAD_LINES_MAX, CHUNK
from affwire.cli.main import app

pytestmark = pytest.mark.slow


@pytest.fixture
def write(tmp_path, request):
    """Write a file of records; names are this test's own, for the server is shared."""
    mark = request.node.name.replace("[", "-").strip("]")[-40:]

    def write(count, *, bad=(), name="people.jsonl", twice=()):
        lines = []
        for number in range(1, count + 1):
            who = number - 1 if number in twice else number
            record = {"email": f"p{who}.{mark}@example.org", "external_ids": {"people": f"{mark}-{number}"}}
            lines.append("{" if number in bad else json.dumps(record))
        file = tmp_path / name
        file.write_text("\n".join(lines))
        return file

    write.mark = mark
    return write


def imported(file, *arguments):
    shown = CliRunner().invoke(app, ["import", str(file), "--json", *arguments])
    return shown.exit_code, json.loads(shown.stdout) if shown.stdout else shown.stderr


def people(server, mark):
    return server.get("/v1/affiliates", q=mark, limit=200)["data"]


def test_a_file_is_imported_quietly_and_a_repeat_does_no_harm(server, write):
    file = write(3)
    before = len(server.get("/v1/events", limit=200)["data"])
    for _ in range(2):
        assert imported(file) == (0, {"dry_run": False, "imported": 3, "bad": 0, "problems": []})
    assert len(people(server, write.mark)) == 3
    assert len(server.get("/v1/events", limit=200)["data"]) == before
    assert not list(file.parent.glob("*.affwire-import"))


def test_a_dry_run_checks_and_changes_nothing(server, write):
    code, told = imported(write(4, twice={3}), "--dry-run")
    assert (code, told["imported"], told["problems"][0]["line"]) == (1, 3, 3)
    assert people(server, write.mark) == []


def test_bad_lines_are_told_and_the_rest_goes_on(server, write):
    code, told = imported(write(6, bad={2}, twice={5}))
    assert (code, told["imported"], told["bad"]) == (1, 4, 2)
    assert sorted(problem["line"] for problem in told["problems"]) == [2, 5]
    assert len(people(server, write.mark)) == 4


def test_too_many_bad_lines_stop_it(server, write):
    code, told = imported(write(CHUNK + 5, bad=range(2, CHUNK)))
    assert (code, told["imported"], told["bad"]) == (1, 0, BAD_LINES_MAX)
    assert people(server, write.mark) == []


def test_an_import_that_was_cut_goes_on_where_it_was(server, write, monkeypatch):
    from affwire.cli import client

    file = write(CHUNK * 2 + 1)
    sent, real = [], client.Client.post

    def cut(self, path, body=None, **more):
        sent.append(len(body["operations"]))
        if len(sent) == 2:
            raise client.Unanswered("server_away", "cut")
        return real(self, path, body, **more)

    monkeypatch.setattr(client.Client, "post", cut)
    assert imported(file)[0] == 1
    assert imported(file, "--resume")[1]["imported"] == CHUNK + 1
    assert sent == [CHUNK, CHUNK, CHUNK, 1]
    assert imported(file, "--by", "nobody", "--resume", "--dry-run")[1]["bad"] == BAD_LINES_MAX


def test_with_emit_the_events_are_written(server, write):
    assert imported(write(2), "--emit")[0] == 0
    kim = people(server, write.mark)[0]
    assert [event["type"] for event in server.get("/v1/events", affiliate_id=kim["id"])["data"]] == [
        "affiliate.created"
    ]


@pytest.mark.parametrize("arguments", [("--kind", "keys"), ("--kind", "groups", "--by", "crm")])
def test_what_cannot_be_imported_is_a_mistake_in_the_call(server, write, arguments):
    shown = CliRunner().invoke(app, ["import", str(write(1)), *arguments])
    assert (shown.exit_code, shown.stdout) == (2, "")


def test_for_people_it_is_one_line(server, write):
    assert CliRunner().invoke(app, ["import", str(write(2))]).stdout == "2 imported, 0 bad.\n"


def test_ten_thousand_affiliates_take_less_than_a_minute(server, write):
    file, began = write(10_000), time.monotonic()
    assert imported(file)[1]["imported"] == 10_000
    assert time.monotonic() - began < 60
