"""`affwire import` against a real server: quiet, harmless to repeat, honest about bad lines."""

import json
import shlex
import signal
import subprocess
import sys
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


def test_a_dry_run_finds_what_is_twice_in_different_chunks(server, write):
    file = write(CHUNK * 2)
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines, lines[0]]))
    code, told = imported(file, "--dry-run")
    assert (code, told["imported"], told["bad"]) == (1, CHUNK * 2, 1)
    assert told["problems"][0]["line"] == CHUNK * 2 + 1
    assert "as line 1." in told["problems"][0]["problem"]
    assert imported(file, "--dry-run", "--by", "people")[0] == 0


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
    code, told = imported(file)
    assert code == 1
    assert told.endswith(f"up to line {CHUNK}. Go on with: affwire import {file} --kind affiliates --resume\n")
    assert imported(file, "--resume")[1]["imported"] == CHUNK + 1
    assert sent == [CHUNK, CHUNK, CHUNK, 1]
    assert imported(file, "--by", "nobody", "--resume", "--dry-run")[1]["bad"] == BAD_LINES_MAX


def test_an_import_that_was_cut_before_it_knew_of_its_commit_tells_no_line_twice(server, write, monkeypatch):
    from affwire.cli import client

    file, real = write(6, twice={4}), client.Client.post

    def cut(self, path, body=None, **more):
        real(self, path, body, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(client.Client, "post", cut)
        assert imported(file)[0] == 130
    code, told = imported(file, "--resume")
    assert (code, told["imported"], [problem["line"] for problem in told["problems"]]) == (1, 5, [4])
    assert len(people(server, write.mark)) == 5


def test_a_dry_run_leaves_and_takes_no_note(server, write):
    file = write(2)
    note = file.with_name(f"{file.name}.affwire-import")
    assert imported(file, "--dry-run")[0] == 0
    assert not note.exists()
    note.write_text("{}")
    assert imported(file, "--dry-run", "--resume")[0] == 0
    assert note.read_text() == "{}"


def test_a_pipe_is_no_file_to_import(server):
    shown = CliRunner().invoke(app, ["import", "/dev/null"])
    assert (shown.exit_code, shown.stdout, shown.stderr.count("\n")) == (2, "", 1)


def test_ctrl_c_tells_how_to_go_on_and_it_does(server, write):
    file = write(CHUNK * 20)
    command = [sys.executable, "-m", "affwire", "import", str(file), "--by", "people"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        kept = file.with_name(f"{file.name}.affwire-import")
        while not kept.exists():
            assert child.poll() is None
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        stdout, stderr = child.communicate(timeout=20)
    assert (child.returncode, stdout) == (130, "")
    assert stderr.startswith("affwire: Cut; it is done up to line ")
    assert stderr.count("\n") == 1
    again = shlex.split(stderr.partition("Go on with: ")[2])
    code, told = imported(again[2], *again[3:])
    assert (code, told["bad"]) == (0, 0)
    assert 0 < told["imported"] < CHUNK * 20
    assert len(people(server, write.mark)) == 200


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


NOTES = ("", "{", "[]", "{}", '{"digest": 1, "line": "x", "refused": {}}', '{"refused": {"a": 1}}')


@pytest.mark.parametrize("note", NOTES, ids=map(str, range(len(NOTES))))
def test_a_note_that_cannot_be_read_means_to_begin_anew(server, write, note):
    file = write(1)
    file.with_name(f"{file.name}.affwire-import").write_text(note)
    assert imported(file, "--resume")[1]["imported"] == 1
