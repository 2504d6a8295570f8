"""check: a receiver that does as the library says passes in every dialect; each way of being wrong is named and fails."""

import json
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from affwire import receive
from affwire.cli import cases, checking
from affwire.cli.main import app
from affwire.errors import AffwireError
from affwire.plugins import load_dialects
from affwire.settings import load
from affwire.testing import genuine

DIALECTS = load_dialects()
SIGNING = [n for n, one in DIALECTS.items() if one.card.authentication.kind.startswith("hmac")]


@contextmanager
def receiver(answer):
    """Serve on loopback; `answer` is given headers and body and returns a status."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(answer(self.headers, body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/in"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def own_machine(monkeypatch):
    monkeypatch.setenv("AFFWIRE_ALLOW_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("AFFWIRE_ALLOW_HTTP", "true")


def sensible(dialect, secret):
    def answer(headers, body):
        try:
            receive(dialect, headers, body, secret)
        except AffwireError as error:
            return error.http_status
        return 200

    return answer


def secret_of(name):
    return genuine.secret_of(DIALECTS[name])


def scored(name, answer, **more):
    secret = secret_of(name)
    with receiver(answer) as url:
        found = checking.check(
            url, name, load(), secrets=[secret] if secret else [], secret_file=None, options=more.pop("options", ())
        )
    return {score.case: score for score in found}


def failures(scores):
    return {name for name, score in scores.items() if score.failed}


@pytest.mark.parametrize("name", DIALECTS)
def test_a_receiver_that_uses_the_library_passes(name):
    scores = scored(name, sensible(name, secret_of(name)))
    assert failures(scores) == set(), scores
    assert not [score for score in scores.values() if score.passed is False]


@pytest.mark.parametrize("name", SIGNING)
def test_a_receiver_that_believes_everything_fails_every_forgery(name):
    scores = scored(name, lambda *_: 200)
    forged = {"unsigned", "wrong secret", "tampered"}
    stale = {"stale", "ahead"} if scores["stale"].passed is not None else set()
    assert failures(scores) == forged | stale


def test_a_receiver_that_refuses_everything_fails_what_is_genuine():
    scores = scored("rewardful", lambda *_: 401)
    assert {"valid", "repeated", "extra fields", "missing optional fields"} <= failures(scores)
    assert "tampered" not in failures(scores)


def test_another_2xx_is_no_success_where_only_200_counts():
    assert "valid" in failures(scored("rewardful", lambda *_: 204))
    assert "valid" not in failures(scored("growi", lambda *_: 204))


def test_what_should_be_borne_is_a_warning_only():
    def strict(headers, body):
        return (
            400
            if cases.UNKNOWN_WORD.encode() in body or len(body) > cases.BIG_BYTES
            else sensible("growi", None)(headers, body)
        )

    scores = scored("growi", strict)
    assert failures(scores) == set()
    assert (scores["unknown type"].passed, scores["big"].passed) == (False, False)


def test_a_crash_is_no_refusal():
    scores = scored("affonso", lambda *_: 500)
    assert {"tampered", "not JSON", "valid"} <= failures(scores)


def test_too_many_is_no_refusal_of_a_forgery():
    assert "tampered" in failures(scored("affonso", lambda *_: 429))


@pytest.mark.slow
def test_a_receiver_slower_than_the_platform_waits_fails(monkeypatch):
    monkeypatch.setattr(DIALECTS["growi"], "card", quick(DIALECTS["growi"].card), raising=False)

    def slow(*_):
        time.sleep(0.4)
        return 200

    scores = scored("growi", slow)
    assert {"valid", "slow"} <= failures(scores)
    assert "valid" in scores["slow"].came


def quick(card):
    promise = genuine.structs.replace(card.promise, total_timeout=0.1, read_timeout=0.1, connect_timeout=0.1)
    return genuine.structs.replace(card, promise=promise)


def test_a_second_secret_is_the_rotations_other_one():
    with receiver(sensible("rewardful", "the-first-secret")) as url:
        found = checking.check(
            url,
            "rewardful",
            load(),
            secrets=["the-first-secret", "the-second-secret"],
            secret_file=None,
            options=(),
        )
    assert failures({score.case: score for score in found}) == {"rotated secret 2"}


def test_what_a_dialect_does_not_have_is_left_out_with_the_reason():
    scores = scored("growi", lambda *_: 200)
    assert scores["tampered"].passed is None
    assert scores["tampered"].came == "growi proves nothing"
    assert scored("tamio", sensible("tamio", secret_of("tamio")))["stale"].came == "tamio signs no time"
    timed = scored("tamio", lambda *_: 200, options=("signed_text=timestamp.body",))
    assert "stale" in failures(timed)


@pytest.mark.parametrize("name", DIALECTS)
def test_no_case_repeats_anothers_message(name):
    dialect, secret = DIALECTS[name], secret_of(name)
    one = cases.sender(dialect, "https://example.com/", [secret] if secret else [], {}, 1_772_000_000_000)
    keys = [
        dialect.identify(cases.Message(headers=case.request.headers, body=case.request.body)).dedupe_key
        for case in cases.cases(one)
        if case.request and case.name != "not JSON"
    ]
    assert len(keys) - len(set(keys)) == 1  # what is repeated on purpose


# as it is typed


def typed(*arguments, **environment):
    return CliRunner().invoke(app, ["check", *arguments], env=environment)


def test_the_card_is_printed_and_a_failure_is_exit_1(tmp_path):
    file = tmp_path / "card.xml"
    with receiver(lambda *_: 200) as url:
        shown = typed(url, "--dialect", "rewardful", "--junit", str(file), AFFWIRE_SECRET="a-secret-of-mine")
    assert shown.exit_code == 1
    assert "FAILED  " in shown.stdout
    assert "3 failed" in shown.stderr
    assert "a-secret-of-mine" not in shown.output
    suite = ET.parse(file).getroot()  # noqa: S314 -- written by ourselves
    assert (suite.tag, suite.get("failures")) == ("testsuite", "3")
    assert int(suite.get("tests")) == len(suite.findall("testcase"))


def test_a_good_receiver_is_exit_0_and_data_as_json():
    with receiver(sensible("growi", None)) as url:
        shown = typed(url, "--dialect", "growi", "--json")
    assert shown.exit_code == 0
    assert {score["case"] for score in json.loads(shown.stdout)} >= {"valid", "slow", "big"}


def test_a_url_that_the_guard_refuses_is_told_with_the_way_out(monkeypatch):
    monkeypatch.delenv("AFFWIRE_ALLOW_NETWORKS")
    shown = typed("https://127.0.0.1:1/in", "--dialect", "growi")
    assert (shown.exit_code, shown.stdout, shown.stderr.count("\n")) == (1, "", 1)
    assert "AFFWIRE_ALLOW_NETWORKS" in shown.stderr


def test_nobody_listening_fails_every_case_in_words():
    with receiver(lambda *_: 200) as url:
        pass
    shown = typed(url, "--dialect", "growi")
    assert shown.exit_code == 1
    assert "connect: " in shown.stdout
    assert "0 passed" in shown.stderr  # nobody was in time, either


def test_a_card_that_cannot_be_written_is_shown_all_the_same(tmp_path):
    with receiver(sensible("growi", None)) as url:
        shown = typed(url, "--dialect", "growi", "--junit", str(tmp_path / "no" / "card.xml"))
    assert (shown.exit_code, "valid" in shown.stdout) == (1, True)
    assert "No such file" in shown.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("--dialect", "grwi"), "did you mean 'growi'?"), (("--dialect", "rewardful"), "name the secret")],
)
def test_a_wrong_call_is_a_mistake_of_usage(arguments, told):
    shown = typed("http://127.0.0.1:1/in", *arguments)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert told in shown.stderr
