"""why, render, diff and trigger against a real server."""

import json

import pytest
from typer.testing import CliRunner

from affwire.cli.main import app
from affwire.cli.spelling import installed_cards
from affwire.cli.trigger import ACTIONS

pytestmark = pytest.mark.slow


def affwire(*arguments):
    return CliRunner().invoke(app, list(arguments))


def triggered(event_type, *arguments):
    shown = affwire("trigger", event_type, "--json", *arguments)
    assert shown.exit_code == 0, shown.stderr
    return json.loads(shown.stdout)


@pytest.mark.parametrize("event_type", ACTIONS)
def test_a_trigger_makes_an_event_of_its_type(server, event_type):
    done = triggered(event_type)
    event = server.get(f"/v1/events/{done['event_id']}")
    assert event["type"] == event_type
    assert {event["program_id"], event["affiliate_id"], event["membership_id"]} & set(done["made"])


WORDS = [
    (card.name, word.name)
    for card in installed_cards().values()
    for word in card.words
    if set(word.canonical) & set(ACTIONS) and card.name != "standard"
]


@pytest.mark.parametrize(("dialect", "word"), WORDS)
def test_a_dialects_word_is_said_for_what_it_triggers(server, dialect, word):
    endpoint = {"url": "https://127.0.0.1:9443/in", "dialect": dialect, "event_types": ["*"], "paused": True}
    if dialect == "rewardful":
        endpoint["event_types"] = ["affiliate.*", "campaign.*"]
    if dialect == "growi":
        word = word.replace("*", "suspended")
    server.post("/v1/endpoints", endpoint)
    event_id = triggered(word, "--dialect", dialect)["event_id"]
    assert word in [one["word"] for one in server.get("/v1/deliveries", event_id=event_id)["data"]]


def test_a_word_without_a_dialect_is_that_of_the_only_one_that_has_it(server):
    done = triggered("campaign_affiliate.paused")
    assert done["type"] == "membership.changed"
    assert server.get(f"/v1/memberships/{done['made'][-1]}")["status"] == "paused"


def test_a_canonical_type_that_another_dialect_means_otherwise_is_told(server):
    assert "--dialect affonso" in affwire("trigger", "affiliate.created").stderr


def test_a_sample_finds_its_dialect_by_the_word(server):
    shown = affwire("trigger", "affiliate-approved", "--sample")
    assert (shown.exit_code, "No endpoint speaks 'tamio'" in shown.stderr) == (1, True)
    assert "did you mean 'affiliate-approved'?" in affwire("trigger", "affiliate-aproved", "--sample").stderr


def test_a_misspelt_dialect_or_endpoint_is_told_which_was_meant(server):
    endpoint_id = server.post("/v1/endpoints", {"url": "https://127.0.0.1:9443/in", "dialect": "tamio"})["id"]
    event_id = triggered("program.created")["event_id"]
    for arguments in (("render", event_id, "--dialect", "tamoi"), ("diff", event_id, "growi", "tamoi")):
        shown = affwire(*arguments)
        assert (shown.exit_code, shown.stdout) == (2, "")
        assert "did you mean 'tamio'?" in shown.stderr
    assert f"did you mean '{endpoint_id}'?" in affwire("why", event_id, "--endpoint", f"{endpoint_id[:-1]}!").stderr


def test_what_is_set_goes_to_the_record_the_event_is_about(server):
    event = server.get(f"/v1/events/{triggered('membership.updated', '--set', 'tag=vip')['event_id']}")
    assert event["snapshot"]["memberships"][0]["tag"] == "vip"
    event = server.get(f"/v1/events/{triggered('affiliate.deleted', '--set', 'country=DE')['event_id']}")
    assert event["snapshot"]["affiliate"]["country"] == "DE"


def test_an_unknown_type_is_a_mistake_of_usage_that_names_the_known(server):
    shown = affwire("trigger", "klingon")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "affiliate.created" in shown.stderr


def test_why_tells_of_every_endpoint(server):
    url = "https://127.0.0.1:9443/in"
    wishes = {
        "paused": {"dialect": "standard", "paused": True},
        "filtered": {"dialect": "standard", "event_types": ["program.deleted"]},
        "mute": {"dialect": "insert_affiliate"},
    }
    ids = {name: server.post("/v1/endpoints", {"url": url, **wish})["id"] for name, wish in wishes.items()}
    shown = affwire("trigger", "program.created")
    event_id = shown.stdout.strip()
    later = server.post("/v1/endpoints", {"url": url, "dialect": "standard"})["id"]
    told = affwire("why", event_id).stdout
    tree = [line.strip("│├└─ ") for line in told.splitlines()]
    said = {line.split()[0]: (line, tree[n + 1]) for n, line in enumerate(tree) if line.startswith("ep_")}
    assert "program.created is held: the endpoint is paused" in said[ids["paused"]][1]
    assert said[ids["filtered"]][0].endswith("asks for program.deleted")
    assert said[ids["filtered"]][1] == "nothing was said: not among the endpoint's event_types"
    assert said[ids["mute"]][1] == "nothing was said: no word in this dialect"
    assert said[later][1] == "nothing was said: the endpoint was created later"
    one = affwire("why", event_id, "--endpoint", later)
    assert one.stdout.count("ep_") == 1
    assert json.loads(affwire("why", event_id, "--json").stdout)["id"] == event_id


def test_why_of_what_is_not_there_is_one_sentence(server):
    event_id = triggered("program.created")["event_id"]
    for arguments in (("evt_none",), ("../programs",), (event_id, "--endpoint", "ep_none")):
        shown = affwire("why", *arguments)
        assert (shown.exit_code, shown.stdout, shown.stderr.count("\n")) == (1, "", 1)


def test_an_event_is_rendered_in_one_dialect_or_in_all(server):
    event_id = triggered("membership.activated")["event_id"]
    shown = affwire("render", event_id, "--dialect", "growi").stdout
    assert "campaign_affiliate.activated" in shown
    assert "rewardful" not in shown
    every = affwire("render", event_id, "--all").stdout
    assert all(name in every for name in ("growi", "affonso", "rewardful", "tamio", "standard"))
    assert "webhook-signature: ****" in every
    views = json.loads(affwire("render", event_id, "--all", "--json").stdout)["dialects"]
    assert len(views) == 6
    assert affwire("render", event_id).exit_code == 2
    assert affwire("render", event_id, "--dialect", "klingon").exit_code == 2


def test_two_dialects_are_compared(server):
    event_id = triggered("membership.activated")["event_id"]
    shown = affwire("diff", event_id, "growi", "tamio").stdout
    assert shown.startswith("--- growi\n+++ tamio\n")
    assert any(line.startswith("+") and "Tamio-Signature" in line for line in shown.splitlines())
    assert affwire("diff", event_id, "growi", "growi").stdout == ""
    assert json.loads(affwire("diff", event_id, "growi", "tamio", "--json").stdout)["diff"]
