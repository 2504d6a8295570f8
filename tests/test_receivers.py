"""docs/receivers.md, executed: each snippet accepts what our dialects send and refuses it with one byte changed."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from affwire.dialects.base import Attempt, Recipient
from affwire.model.wire import Request
from affwire.plugins import load_dialects
from affwire.testing import events as build

PAGE = (Path(__file__).parent.parent / "docs" / "receivers.md").read_text("utf-8")
DIALECTS = load_dialects()
SENT_AT = build.NOW // 1000
TOKEN = "a-token-of-our-own"
SECRETS = {"standard": "whsec_" + "QUJD" * 8, "growi": TOKEN, "insert_affiliate": TOKEN}
UNSIGNED = {"growi": "x-webhook-token", "insert_affiliate": "authorization"}
TIMED = {"standard", "affonso", "tamio timed"}
CASES = [*DIALECTS, "tamio timed"]


def snippets(language: str) -> str:
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))


def genuine(case: str) -> dict:
    """A request of the dialect as the snippets take it, and the secret it was signed with."""
    dialect = DIALECTS[case.partition(" ")[0]]
    secret = SECRETS.get(case, "whsec_a-secret-of-the-endpoint")
    recipient = Recipient(
        endpoint_id=build.id_of("endpoint"),
        url="https://example.com/hooks",
        secrets=() if case in UNSIGNED else (secret,),
        bearer_token=secret if case == "insert_affiliate" else None,
        options={"signed_text": "timestamp.body"} if case == "tamio timed" else {},
    )
    event = build.transition(None, "active")
    if case in {"rewardful", "insert_affiliate"}:
        event = build.event("affiliate.created", standing_after=True)
    attempt = Attempt(build.id_of("attempt"), 1, build.NOW)
    request = dialect.request(event, dialect.says(event)[0], recipient, build.id_of("delivery"), attempt)
    return {"case": case, "headers": received(request, case), "body": request.body, "secret": secret, "now": SENT_AT}


def received(request: Request, case: str) -> dict[str, str]:
    own = {"x-webhook-token": TOKEN} if case == "growi" else {}
    return {name.lower(): value for name, value in request.headers} | own


def forged(case: str) -> list[dict]:
    """The nearest forgeries: a byte changed, each header missing or odd, another secret, too old or too young."""
    good = genuine(case)
    flipped = [{**good, "body": flip(good["body"], at)} for at in (0, len(good["body"]) // 2, -1)]
    proof = next(
        name
        for name in (UNSIGNED.get(case), *good["headers"])
        if name and ("sign" in name or name in UNSIGNED.values())
    )
    headers = good["headers"]
    odd = [
        "",
        "t=,v1=,s=",
        "t=x,v1=\u00e9",
        "v1,",
        "Bearer ",
        "=" * 50,
        "t=1",
        headers[proof][:-1],
        headers[proof] + "0",
    ]
    wrong = [{**good, "headers": {**headers, proof: text}} for text in odd]
    missing = [{**good, "headers": {name: value for name, value in headers.items() if name != proof}}]
    stranger = [{**good, "secret": "whsec_" + "QUJE" * 8}]
    late = [{**good, "now": SENT_AT + moved} for moved in (301, -301)]
    return [
        *(flipped if case not in UNSIGNED else []),
        *[{**one, "case": case} for one in (*wrong, *missing, *stranger)],
        *(late if case in TIMED else []),
    ]


def flip(body: bytes, at: int) -> bytes:
    changed = bytearray(body)
    changed[at] ^= 1
    return bytes(changed)


def extras(case: str) -> list[bool]:
    return [True] if case == "tamio timed" else []


def in_python(request: dict) -> bool:
    room: dict = {}
    exec(compile(snippets("python"), "docs/receivers.md", "exec"), room)  # noqa: S102 -- our own page
    verify = room[f"verify_{request['case'].partition(' ')[0]}"]
    return verify(request["headers"], request["body"], request["secret"], request["now"], *extras(request["case"]))


def in_node(requests: list[dict]) -> list[bool]:
    calls = [
        {
            **one,
            "body": one["body"].hex(),
            "verify": f"verify_{one['case'].partition(' ')[0]}",
            "extras": extras(one["case"]),
        }
        for one in requests
    ]
    once = snippets("javascript").replace('const crypto = require("node:crypto");\n', "")
    program = (
        f'const crypto = require("node:crypto");\n{once}\n'
        'const calls = JSON.parse(require("node:fs").readFileSync(0, "utf8"));\n'
        "const run = (c) => eval(c.verify)(c.headers, Buffer.from(c.body, 'hex'), c.secret, c.now, ...c.extras);\n"
        "console.log(JSON.stringify(calls.map(run)));\n"
    )
    done = subprocess.run(["node", "-e", program], input=json.dumps(calls), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", CASES)
def test_the_python_snippet_accepts_a_genuine_request(case):
    assert in_python(genuine(case)) is True


@pytest.mark.parametrize("case", CASES)
def test_the_python_snippet_refuses_every_near_forgery(case):
    assert not [one for one in forged(case) if in_python(one) is not False]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="node is not on PATH: the JavaScript snippets cannot be run")
def test_the_node_snippets_accept_what_is_genuine_and_refuse_every_near_forgery():
    good, bad = [genuine(case) for case in CASES], [one for case in CASES for one in forged(case)]
    assert in_node([*good, *bad]) == [*(True for _ in good), *(False for _ in bad)]


def test_every_dialect_has_a_snippet_in_both_languages():
    for name in DIALECTS:
        assert f"def verify_{name}(" in snippets("python")
        assert f"function verify_{name}(" in snippets("javascript")
