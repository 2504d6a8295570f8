"""convert, verify and explain-signature as they are typed: what goes to stdout, what to stderr, and the exit codes."""

import base64
import hashlib
import hmac
import json

import pytest
from typer.testing import CliRunner

from affwire.cli.main import app
from affwire.plugins import load_dialects
from affwire.testing import genuine

SIGNING = [n for n, one in load_dialects().items() if one.card.authentication.kind.startswith("hmac")]
AT = 1_772_000_000_000
JOINED = genuine.request("growi", "campaign_affiliate.activated").body
NOW = ("--now", str(AT // 1000))


def typed(*arguments, body=b"", env=None):
    shown = CliRunner().invoke(app, list(arguments), input=body, env=env)
    assert shown.exception is None or isinstance(shown.exception, SystemExit), shown.exception
    return shown


def of(signed, *more, secret=True, command="verify", now=NOW, body=None, env=None):
    headers = [part for name, value in signed.headers.items() for part in ("--header", f"{name}: {value}")]
    secrets = ["--secret", signed.secret] if secret and signed.secret else []
    given = signed.body if body is None else body
    return typed(command, "--dialect", signed.dialect, *secrets, *headers, *now, *more, body=given, env=env)


def explained(signed, *more, **how):
    shown = of(signed, *more, command="explain-signature", **how)
    assert (shown.exit_code, shown.stdout) == (1, "")
    return shown.stderr


def with_header(signed, name, value):
    return genuine.structs.replace(signed, headers={**signed.headers, name: value})


# convert


def test_a_body_of_another_platform_is_refused_in_a_sentence():
    shown = typed("convert", "--from", "affonso", "--to", "growi", body=b'{"event": {}}')
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr.startswith("affwire: This is no message of affonso: ")
    assert shown.stderr.count("\n") == 1


@pytest.mark.parametrize("option", ["--from", "--to"])
def test_a_dialect_misspelt_is_a_mistake_of_usage(option):
    names = {"--from": "growi", "--to": "growi", option: "rewardfull"}
    shown = typed("convert", *(part for pair in names.items() for part in pair), body=b"{}")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "did you mean 'rewardful'?" in shown.stderr


def test_an_event_that_the_dialect_has_no_word_for_is_a_mistake_of_usage():
    shown = typed("convert", "--from", "growi", "--to", "standard", "--event", "program.created", body=b"{}")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "growi has no word for 'program.created'" in shown.stderr


def test_silence_is_exit_1_with_the_reason():
    shown = typed(
        "convert", "--from", "affonso", "--to", "tamio", body=genuine.request("affonso", "affiliate.updated").body
    )
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert (
        shown.stderr == "affwire: Nothing is said: tamio says nothing for affiliate.updated: no word in this dialect.\n"
    )


def test_each_saying_is_one_line_of_json_and_each_loss_one_of_stderr():
    shown = typed("convert", "--from", "growi", "--to", "tamio", body=JOINED)
    assert shown.exit_code == 0
    words = [json.loads(line)["event_type"] for line in shown.stdout.splitlines()]
    assert words == ["affiliate-signup", "affiliate-approved"]
    assert all(line.startswith(("lost: ", "made up: ")) for line in shown.stderr.splitlines())
    assert any(line.startswith("lost: membership.tag (") for line in shown.stderr.splitlines())


def test_a_field_that_is_lost_is_told_with_its_value():
    body = genuine.request("affonso", "affiliate.updated", data__country="DE").body
    shown = typed("convert", "--from", "affonso", "--to", "rewardful", body=body)
    assert "lost: affiliate.country (DE): rewardful has no field for it\n" in shown.stderr


def test_a_key_nobody_knows_is_told():
    body = genuine.request("growi", shoe_size=43).body
    shown = typed("convert", "--from", "growi", "--to", "standard", body=body)
    lost = [line for line in shown.stderr.splitlines() if not line.startswith("made up: ")]
    assert lost == ["lost: shoe_size (43): affwire has no field for it, so no other dialect tells it"]


def test_what_no_field_stands_for_is_told_with_its_value_wherever_it_stands():
    body = json.loads(genuine.request("rewardful", "affiliate.updated").body)
    body["object"]["links"] = [{"id": "l-1", "url": "https://x.example", "token": "t", "clicks": n} for n in (3, 4)]
    body["object"]["a.b"] = "x" * 5000
    asked = ("convert", "--from", "rewardful", "--to", "standard")
    shown = typed(*asked, body=json.dumps(body).encode())
    assert "lost: object.links[].clicks ([3, 4]): " in shown.stderr
    assert f"lost: object.a.b ({'x' * 200}... (5000 characters)): " in shown.stderr
    told = {
        one["field"]: one["value"] for one in json.loads(typed(*asked, "--json", body=json.dumps(body)).stdout)["lost"]
    }
    assert told["object.a.b"] == "x" * 5000


def test_what_nobody_told_is_said_to_be_made_up():
    body = genuine.request("rewardful", "affiliate.updated").body
    asked = ("convert", "--from", "rewardful", "--to", "growi", "--event", "membership.activated")
    shown = typed(*asked, body=body)
    number = json.loads(shown.stdout)["organization_id"]
    assert f"made up: organization.number ({number}): rewardful does not tell it here\n" in shown.stderr
    made_up = json.loads(typed(*asked, "--json", body=body).stdout)["made_up"]
    assert {"field": "organization.number", "value": number} in made_up


def test_the_id_that_a_receiver_dedupes_by_is_told_as_lost():
    body = genuine.request("affonso", "affiliate.created").body
    shown = typed("convert", "--from", "affonso", "--to", "growi", body=body)
    assert f"lost: event.id ({json.loads(body)['id']}): growi has no field for it\n" in shown.stderr


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "nothing came"),
        (b"\n", "nothing came"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"nonsense", "not JSON"),
        (b'{"event": 1, "event": 2}', "A key stands twice"),
        (b"[" * 10_000, "nested too deeply"),
    ],
)
def test_a_body_that_is_no_sound_json_is_not_called_a_bare_record(body, told):
    shown = typed("convert", "--from", "growi", "--to", "standard", body=body)
    assert (shown.exit_code, shown.stdout, shown.stderr.count("\n")) == (1, "", 1)
    assert told in shown.stderr
    assert "--event" not in shown.stderr


def test_as_json_it_is_one_object_with_sayings_and_losses():
    shown = typed("convert", "--from", "growi", "--to", "rewardful", "--json", body=JOINED)
    told = json.loads(shown.stdout)
    assert set(told) == {"word", "sayings", "lost", "made_up", "reason"}
    assert {
        "field": "membership.tag",
        "value": "kim-berg",
        "became": None,
        "why": "rewardful has no field for it",
    } in told["lost"]


def test_a_bare_record_is_read_once_it_is_said_what_happened():
    record = json.dumps(json.loads(genuine.request("rewardful", "affiliate.updated").body)["object"]).encode()
    without = typed("convert", "--from", "rewardful", "--to", "standard", body=record)
    assert without.exit_code == 1
    assert "--event" in without.stderr
    shown = typed("convert", "--from", "rewardful", "--to", "standard", "--event", "affiliate.confirmed", body=record)
    assert shown.exit_code == 0
    assert json.loads(shown.stdout)["type"] == "affiliate.confirmed"


def test_another_event_may_be_wanted_than_the_body_tells():
    body = genuine.request("growi").body
    shown = typed("convert", "--from", "growi", "--to", "standard", "--event", "membership.left", body=body)
    told = json.loads(shown.stdout)
    assert (told["type"], told["data"]["membership"]["status"]) == ("membership.left", "left")


def test_a_file_of_many_bodies_is_converted_line_by_line(tmp_path):
    file = tmp_path / "bodies.jsonl"
    body = genuine.request("growi").body
    file.write_bytes(body + b"\n\nnonsense\n" + body + b"\n")
    shown = typed("convert", "--from", "growi", "--to", "growi", "--file", str(file))
    assert shown.exit_code == 1
    assert [json.loads(line) for line in shown.stdout.splitlines()] == [json.loads(body)] * 2
    assert shown.stderr == "line 3: This is no message of growi: The body is not JSON.\n"
    told = [
        json.loads(line)
        for line in typed(
            "convert", "--from", "growi", "--to", "growi", "--file", str(file), "--json"
        ).stdout.splitlines()
    ]
    assert [(one["line"], len(one["sayings"]), bool(one["reason"])) for one in told] == [
        (1, 1, 0),
        (3, 0, 1),
        (4, 1, 0),
    ]


# verify


@pytest.mark.parametrize("name", load_dialects())
def test_a_genuine_request_is_exit_0(name):
    shown = of(genuine.request(name, at=AT))
    assert (shown.exit_code, shown.stderr) == (0, "")


@pytest.mark.parametrize("name", SIGNING)
def test_a_forged_request_is_exit_1_with_the_reason(name):
    shown = of(genuine.request(name, at=AT).forged())
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr.startswith("Not genuine. ")


@pytest.mark.parametrize("name", SIGNING)
def test_every_secret_of_a_rotation_counts(name):
    signed = genuine.request(name, at=AT)
    assert of(signed, "--secret", genuine.secret_of(load_dialects()[name], 7)).exit_code == 0


def test_missing_headers_and_secrets_are_mistakes_of_usage():
    signed = genuine.request("rewardful", at=AT)
    shown = of(signed.unsigned())
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "--header 'X-Rewardful-Signature: ...'" in shown.stderr
    assert of(signed, secret=False).exit_code == 2


def test_the_secret_may_come_from_a_file_or_the_environment_and_is_never_shown(tmp_path):
    signed = genuine.request("rewardful", at=AT)
    file = tmp_path / "secret"
    file.write_text(signed.secret + "\n")
    by_file = of(signed, "--secret-file", str(file), secret=False)
    by_environment = of(signed, secret=False, env={"AFFWIRE_SECRET": signed.secret})
    wrong = of(signed.tampered())
    assert (by_file.exit_code, by_environment.exit_code, wrong.exit_code) == (0, 0, 1)
    assert all(signed.secret not in shown.output for shown in (by_file, by_environment, wrong))
    assert of(signed, "--secret-file", str(tmp_path / "none"), secret=False).exit_code == 2


@pytest.mark.parametrize(
    "wrong", [("--header", "nonsense"), ("--option", "nonsense"), ("--option", "a=b"), ("--now", "soon")]
)
def test_what_cannot_be_meant_is_a_mistake_of_usage(wrong):
    shown = of(genuine.request("tamio", at=AT), *wrong, now=() if "--now" in wrong else NOW)
    assert (shown.exit_code, shown.stdout, shown.stderr.count("\n")) == (2, "", 1)


def test_as_json_the_verdict_is_an_object():
    assert json.loads(of(genuine.request("growi"), "--json").stdout)["genuine"] is True


# explain-signature


def test_a_stale_signature_is_told_with_how_much():
    told = explained(genuine.request("standard", at=AT), now=("--now", str(AT // 1000 + 4000)))
    assert "stale: its time, 2026-02-25T06:13:20.000Z, is 4000 s old" in told


def test_a_time_ahead_is_told():
    assert "is 900 s ahead" in explained(genuine.request("affonso", at=AT), now=("--now", str(AT // 1000 - 900)))


def test_a_time_in_milliseconds_is_told():
    signed = genuine.request("affonso", at=AT)
    mac = hmac.new(signed.secret.encode(), f"{AT}.".encode() + signed.body, hashlib.sha256).hexdigest()
    told = explained(genuine.structs.replace(signed, headers={"X-Affonso-Signature": f"t={AT},v1={mac}"}))
    assert "in milliseconds" in told


@pytest.mark.parametrize("name", SIGNING)
@pytest.mark.parametrize("other", SIGNING)
def test_another_dialects_scheme_is_named(name, other):
    form = load_dialects()[other].card.authentication
    signed = genuine.request(other, at=AT)
    if name == other:
        return
    told = explained(genuine.structs.replace(signed, dialect=name))
    same_digest = {name, other} == {"rewardful", "tamio"}
    assert same_digest or f"It is signed as {other} signs." in told, form


@pytest.mark.parametrize("name", SIGNING)
def test_a_parsed_and_rewritten_body_is_named(name):
    signed = genuine.request(name, at=AT)
    rewritten = json.dumps(json.loads(signed.body)).encode()
    assert "What was signed is this body as compact JSON" in explained(signed, body=rewritten)


def test_a_prefix_that_was_not_decoded_is_named():
    signed = genuine.request("standard", at=AT)
    headers = {key.lower(): value for key, value in signed.headers.items()}
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + signed.body
    mac = base64.b64encode(hmac.digest(signed.secret.encode(), text, "sha256")).decode()
    told = explained(with_header(signed, "webhook-signature", f"v1,{mac}"))
    assert "The key was the secret as text; it has to be the secret decoded from base64 behind its prefix." in told


def test_affonsos_other_form_is_no_mistake_of_its_own():
    signed = genuine.request("affonso", at=AT)
    mac = hmac.digest(signed.secret.encode(), f"{AT // 1000}.".encode() + signed.body, "sha1").hex()
    headers = {"X-Affonso-Signature": mac, "X-Affonso-Timestamp": str(AT // 1000)}
    told = explained(genuine.structs.replace(signed, headers=headers))
    assert "SHA-1, not with SHA-256" in told
    assert "v1=" not in told


def test_a_header_that_stands_twice_is_told():
    signed = genuine.request("rewardful", at=AT)
    twice = next(f"{name}: {value}" for name, value in signed.headers.items() if "Signature" in name)
    assert "stands there twice" in explained(signed, "--header", twice)


def test_what_no_mistake_explains_is_said_so():
    assert "known mistakes makes this signature" in explained(genuine.request("rewardful", at=AT).forged())


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("{}", "without Bearer"),
        ("bearer {}", "The scheme is written bearer"),
        ('Bearer "{}"', "Quotes"),
        ("Bearer Bearer {}", "twice"),
        ("Bearer  {}", "Blanks"),
        ("Token {}", "The scheme is Token"),
        ("Bearer quite-another", "it is another one"),
    ],
)
def test_a_bearer_tokens_mistakes_are_named(value, told):
    signed = genuine.request("insert_affiliate", at=AT)
    assert told in explained(with_header(signed, "Authorization", value.format(signed.secret)))


def test_a_token_in_another_header_is_named():
    signed = genuine.request("insert_affiliate", at=AT)
    moved = genuine.structs.replace(signed, headers={"X-Token": signed.secret})
    assert "stands in the header X-Token" in explained(moved)


def test_a_genuine_request_has_no_mistake():
    shown = of(genuine.request("rewardful", at=AT), command="explain-signature")
    assert (shown.exit_code, shown.stdout) == (0, "It is genuine.\n")


def test_a_malformed_header_is_not_repeated_for_it_may_hold_a_token():
    shown = of(genuine.request("insert_affiliate", at=AT), "--header", "Authorization Bearer my-token")
    assert (shown.exit_code, "my-token" in shown.output) == (2, False)
    assert "--header number " in shown.stderr


@pytest.mark.parametrize(
    ("name", "header", "part"), [("standard", "webhook-timestamp", "time"), ("standard", "webhook-id", "id")]
)
def test_what_is_signed_and_not_handed_over_is_not_called_another_secret(name, header, part):
    signed = genuine.request(name, at=AT)
    less = {title: value for title, value in signed.headers.items() if title.lower() != header}
    told = explained(genuine.structs.replace(signed, headers=less))
    assert f"no header tells the {part}" in told
    assert "another secret" not in told
