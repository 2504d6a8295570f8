import json

import pytest
from typer.testing import CliRunner

from affwire.cli.main import app

pytestmark = pytest.mark.slow


def affwire(*arguments):
    return CliRunner().invoke(app, list(arguments))


def made(*arguments):
    shown = affwire(*arguments)
    assert shown.exit_code == 0, shown.stderr
    return shown.stdout.split()[0]


def as_json(*arguments):
    shown = affwire(*arguments, "--json")
    assert shown.exit_code == 0, shown.stderr
    return json.loads(shown.stdout)


def test_a_program_is_made_shown_changed_listed_and_deleted(server):
    program = made("programs", "create", "--name", "Spring", "--commission-percent", "20", "--set", "metadata.a=b")
    shown = as_json("programs", "get", program)
    assert (shown["name"], shown["commission_percent"], shown["metadata"]) == ("Spring", 20, {"a": "b"})
    assert affwire("programs", "update", program, "--name", "Autumn", "--set", "is_public=true").exit_code == 0
    assert "Autumn" in affwire("programs", "get", program).stdout
    assert program in affwire("programs", "list", "--limit", "200").stdout
    assert affwire("programs", "delete", program).exit_code == 0
    gone = affwire("programs", "get", program)
    assert (gone.exit_code, gone.stdout) == (1, "")
    assert "There is no program" in gone.stderr


def test_a_switch_of_a_deletion_reaches_the_server(server):
    program = made("programs", "create", "--name", "Spring")
    affiliate = made("affiliates", "create", "--email", "force@example.com", "--program-id", program)
    assert affwire("programs", "delete", program).exit_code == 1
    assert affwire("programs", "delete", program, "--force").exit_code == 0
    assert as_json("affiliates", "delete", affiliate, "--erase") == {"id": affiliate, "deleted": True}


def test_a_membership_goes_through_its_actions(server):
    program = made("programs", "create", "--name", "Spring")
    affiliate = made("affiliates", "create", "--email", "ada@example.com", "--first-name", "Ada")
    member = made("memberships", "create", "--affiliate-id", affiliate, "--program-id", program, "--status", "pending")
    for action, status in (("approve", "active"), ("remove", "removed"), ("reactivate", "active"), ("leave", "left")):
        assert f"{member} is {status} now." in affwire("memberships", action, member).stderr
    refused = affwire("memberships", "reject", member)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("affwire: ")
    listed = as_json("memberships", "list", "--program-id", program, "--status", "left")["data"]
    assert [one["id"] for one in listed] == [member]


def test_a_record_is_shown_in_a_dialects_words(server):
    affiliate = made("affiliates", "create", "--email", "words@example.com")
    shown = as_json("affiliates", "get", affiliate, "--as", "rewardful")
    assert shown["email"] == "words@example.com"
    assert shown["id"] != affiliate
    assert affwire("affiliates", "get", affiliate, "--as", "klingon").exit_code == 1


def test_groups_links_and_promo_codes_are_made(server):
    program = made("programs", "create", "--name", "Spring")
    affiliate = made("affiliates", "create", "--email", "perks@example.com")
    member = made("memberships", "create", "--affiliate-id", affiliate, "--program-id", program)
    assert made("groups", "create", "--name", "VIP").startswith("grp_")
    link = made("links", "create", "--membership-id", member, "--url", "https://shop.example.com/", "--token", "ada")
    code = made("promo-codes", "create", "--membership-id", member, "--code", "A10", "--discount-value", "10.00")
    assert as_json("promo-codes", "get", code)["discount_value"] == "10.00"
    assert [one["id"] for one in as_json("links", "list", "--membership-id", member)["data"]] == [link]


def test_a_key_is_made_once_listed_without_itself_and_revoked(server):
    shown = affwire("keys", "create", "--scope", "read", "--name", "dashboard").stdout.split()
    assert len(shown) == 2
    key_id, key = shown
    listed = affwire("keys", "list").stdout
    assert key_id in listed
    assert key not in listed
    assert affwire("keys", "revoke", key_id).exit_code == 0
    assert key_id not in affwire("keys", "list").stdout


def all_listed(noun):
    """Every page of a list: the server is shared with tests that make hundreds."""
    page = as_json(noun, "list", "--limit", "200")
    found = [one["id"] for one in page["data"]]
    while page["next_cursor"]:
        page = as_json(noun, "list", "--limit", "200", "--cursor", page["next_cursor"])
        found += [one["id"] for one in page["data"]]
    return found


def test_organizations_take_the_operators_key(server):
    organization, key = affwire(
        "organizations", "create", "--slug", "other", "--timezone", "Europe/Berlin"
    ).stdout.split()
    assert organization.startswith("org_")
    assert key
    assert affwire("organizations", "update", organization, "--name", "Other").exit_code == 0
    assert as_json("organizations", "get", organization)["name"] == "Other"
    assert organization in all_listed("organizations")


def test_the_operators_key_may_be_in_a_file(server, monkeypatch, tmp_path):
    path = tmp_path / "admin-key"
    monkeypatch.setenv("AFFWIRE_ADMIN_KEY_FILE", str(path))
    missing = affwire("organizations", "list")
    assert (missing.exit_code, missing.stderr.count("\n")) == (2, 1)
    path.write_text("x" * 40 + "\n")
    assert affwire("organizations", "list").exit_code == 1


def test_a_list_goes_on_where_its_page_ended(server):
    for n in range(3):
        made("groups", "create", "--name", f"page {n}")
    first = affwire("groups", "list", "--limit", "1")
    cursor = first.stderr.split()[-1]
    second = affwire("groups", "list", "--limit", "1", "--cursor", cursor)
    assert len(second.stdout.splitlines()) == 2
    assert first.stdout != second.stdout


def test_events_are_listed_and_shown(server):
    program = made("programs", "create", "--name", "Spring")
    page = as_json("events", "list", "--type", "program.*", "--limit", "200")
    event = next(one for one in page["data"] if one["program_id"] == program)
    assert "program.created" in affwire("events", "get", event["id"]).stdout


@pytest.mark.parametrize("what", ["nonsense", "=x"])
def test_a_set_that_is_none_is_a_mistake_of_usage(server, what):
    shown = affwire("programs", "create", "--set", what)
    assert (shown.exit_code, shown.stdout) == (2, "")


def test_a_field_that_is_none_is_told_in_the_servers_words(server):
    shown = affwire("programs", "create", "--name", "Spring", "--set", "colour=red")
    assert shown.exit_code == 1
    assert "colour" in shown.stderr


@pytest.mark.parametrize("id_", ["../programs", "..", "", "a/b", "a?limit=1"])
def test_what_is_no_id_leads_nowhere_else(server, id_):
    for verb in ("get", "update", "delete"):
        shown = affwire("programs", verb, "--", id_)
        assert (shown.exit_code, shown.stdout) == (1, "")
