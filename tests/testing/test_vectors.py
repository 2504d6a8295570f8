"""The golden vectors: up to date, complete, agreed on by the reader and by code that shares nothing with it."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from affwire import NotGenuine, Undecodable, receive
from affwire.plugins import find_dialect
from affwire.testing.vectors import FORM, dump, load
from affwire.testing.vectors.__main__ import vectors
from affwire.testing.vectors.proofs import PROOFS

DIALECTS = sorted(PROOFS)
SIGNED = [name for name in DIALECTS if find_dialect(name).card.authentication.kind.startswith("hmac")]
PAGE = (Path(__file__).parents[2] / "docs" / "receivers.md").read_text("utf-8")
UNTAUGHT = {"affonso": ("form A", "form C")}
"""Forms that the page's short pieces leave out."""


def told(vector):
    """What the reader makes of a vector, from the file's fields alone."""
    try:
        found = receive(vector.dialect, vector.headers, vector.body, vector.secrets, vector.now, options=vector.options)
    except (NotGenuine, Undecodable) as error:
        return type(error).__name__, error.code, None, None, None, []
    return "Received", None, found.word, found.event, found.dedupe_key, list(found.unread)


@pytest.mark.parametrize("name", DIALECTS)
def test_the_reader_agrees_with_every_vector(name):
    kinds = {"genuine": "Received", "not_genuine": "NotGenuine", "undecodable": "Undecodable"}
    wrong = [
        (vector.name, told(vector))
        for vector in load(name)
        if told(vector)
        != (kinds[vector.verdict], vector.reason, vector.word, vector.event, vector.dedupe_key, vector.unread)
    ]
    assert not wrong


@pytest.mark.parametrize("name", DIALECTS)
def test_the_file_is_what_the_cases_make(name):
    file = Path(sys.modules[load.__module__].__file__).parent / f"{name}.json"
    assert file.read_bytes() == dump(name, vectors(name)), "run: python -m affwire.testing.vectors"


def test_the_form_is_the_one_that_the_page_describes():
    described = PAGE.partition("## Golden vectors")[2]
    book = json.loads(dump("growi", load("growi")))
    assert book["form"] == FORM
    fields = set(re.findall(r"^\| `(\w+)` \|", described, re.MULTILINE))
    assert fields == book["vectors"][0].keys()


@pytest.mark.parametrize("name", DIALECTS)
def test_no_name_stands_twice_and_both_verdicts_are_there(name):
    names = [vector.name for vector in load(name)]
    assert len(names) == len(set(names))
    verdicts = {vector.verdict for vector in load(name)}
    assert verdicts == ({"genuine", "undecodable"} | ({"not_genuine"} if name != "growi" else set()))


@pytest.mark.parametrize("name", SIGNED)
def test_what_a_verifier_must_stand_is_among_them(name):
    names = " / ".join(vector.name for vector in load(name))
    for one in (
        "a bit of the body changed",
        "the proof with a character changed",
        "no proof",
        "the proof twice",
        "not ASCII",
        "a newline after the body",
        "a rotation: by the old secret",
        "an empty secret to judge by",
        "an unknown word",
        "base64 for hex" if name != "standard" else "hex for base64",
        *(["a second too old", "a second too young"] if name in {"affonso", "standard"} else []),
    ):
        assert one in names


def test_a_message_that_nobody_can_read_was_signed_by_its_platform():
    refused = [vector for name in SIGNED for vector in load(name) if vector.verdict == "undecodable"]
    assert {vector.reason for vector in refused} >= {"not_utf8", "duplicate_key", "too_deep", "bad_text"}


def snippets(language: str) -> str:
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))


def askable(vector) -> bool:
    """Whether the page's short pieces can be asked: they take one header of a name, and the usual options."""
    names = [name.lower() for name, _ in vector.headers]
    taught = not vector.name.startswith(UNTAUGHT.get(vector.dialect, ("\0",))) and vector.dialect != "growi"
    return taught and len(names) == len(set(names)) and not vector.options


def calls():
    """Each call of a page's piece with a vector, and the verdicts it must give: one call for every secret."""
    for vector in (vector for name in DIALECTS for vector in load(name) if askable(vector)):
        extras = (
            [True] if vector.name.startswith(("time and body", "another time")) and vector.dialect == "tamio" else []
        )
        headers = {name.lower(): value for name, value in vector.headers}
        for secret in filter(None, vector.secrets):
            yield (
                vector,
                {
                    "verify": f"verify_{vector.dialect}",
                    "headers": headers,
                    "body": vector.body.hex(),
                    "secret": secret,
                    "now": vector.now // 1000,
                    "extras": extras,
                },
            )


def disagreements(verdicts) -> set:
    asked = list(calls())
    assert len(asked) == len(verdicts) > 200
    taken, seen = set(), set()
    for (vector, _), verdict in zip(asked, verdicts, strict=True):
        seen.add((vector.dialect, vector.name))
        if verdict:
            taken.add((vector.dialect, vector.name))
    genuine = {(vector.dialect, vector.name) for vector, _ in asked if vector.verdict != "not_genuine"}
    return taken ^ (genuine & seen)


def test_the_pages_python_agrees_with_every_vector():
    room: dict = {}
    exec(compile(snippets("python"), "docs/receivers.md", "exec"), room)  # noqa: S102 -- our own page
    verdicts = [
        room[call["verify"]](call["headers"], bytes.fromhex(call["body"]), call["secret"], call["now"], *call["extras"])
        for _, call in calls()
    ]
    assert not disagreements(verdicts)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="node is not on PATH: the JavaScript snippets cannot be run")
def test_the_pages_javascript_agrees_with_every_vector():
    once = snippets("javascript").replace('const crypto = require("node:crypto");\n', "")
    program = (
        f'const crypto = require("node:crypto");\n{once}\n'
        'const calls = JSON.parse(require("node:fs").readFileSync(0, "utf8"));\n'
        "const run = (c) => eval(c.verify)(c.headers, Buffer.from(c.body, 'hex'), c.secret, c.now, ...c.extras);\n"
        "console.log(JSON.stringify(calls.map(run)));\n"
    )
    asked = json.dumps([call for _, call in calls()])
    done = subprocess.run(["node", "-e", program], input=asked, capture_output=True, text=True, check=True)
    assert not disagreements(json.loads(done.stdout))
