import json
import socket

import pytest
from installation import eventually
from typer.testing import CliRunner

from affwire.cli.main import app
from affwire.rules.breaker import FAILURES_MIN

pytestmark = pytest.mark.slow


def endpoints(*arguments):
    return CliRunner().invoke(app, ["endpoints", *arguments])


def test_an_endpoint_that_is_added_shows_its_secret_this_once(server):
    shown = endpoints("add", "https://127.0.0.1:9443/in", "--event-type", "membership.*", "--description", "mine")
    made, secret = shown.stdout.split()
    assert secret.startswith("whsec_")
    endpoint = server.get(f"/v1/endpoints/{made}")
    assert (endpoint["event_types"], endpoint["description"]) == (["membership.*"], "mine")
    listed = endpoints("list").stdout
    assert made in listed
    assert secret not in listed


def test_a_dialect_that_signs_nothing_shows_no_secret(server):
    shown = endpoints("add", "https://127.0.0.1:9443/in", "--dialect", "insert_affiliate")
    assert shown.exit_code == 0
    assert len(shown.stdout.split()) == 1


def test_a_given_secret_is_taken(server):
    shown = endpoints("add", "https://127.0.0.1:9443/in", "--dialect", "tamio", "--secret", "s3cret-enough", "--json")
    assert json.loads(shown.stdout)["secret"] == "s3cret-enough"


@pytest.mark.parametrize("arguments", [("http://a.example/",), ("https://127.0.0.1:9443/in", "--dialect", "growy")])
def test_what_the_server_refuses_is_told_in_its_own_sentence(server, arguments):
    shown = endpoints("add", *arguments)
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr.startswith("affwire: ")


def test_the_list_is_there_as_json(server):
    assert "data" in json.loads(endpoints("list", "--json").stdout)


def test_an_endpoint_is_shown_changed_paused_resumed_and_deleted(server):
    made = endpoints("add", "https://127.0.0.1:9443/in").stdout.split()[0]
    assert endpoints("update", made, "--description", "mine", "--set", "policy.max_in_flight=3").exit_code == 0
    shown = json.loads(endpoints("get", made, "--json").stdout)
    assert (shown["description"], shown["policy"]["max_in_flight"]) == ("mine", 3)
    assert f"{made} is paused now." in endpoints("pause", made).stderr
    assert "paused" in endpoints("list", "--limit", "200").stdout
    assert f"{made} is healthy now." in endpoints("resume", made).stderr
    assert endpoints("update", made, "--no-enabled").exit_code == 0
    assert "disabled: by its owner" in endpoints("list", "--limit", "200").stdout
    assert endpoints("delete", made).exit_code == 0
    assert endpoints("get", made).exit_code == 1


def test_an_endpoint_whose_breaker_has_tripped_is_listed_as_tripped(server):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        made = endpoints("add", f"https://127.0.0.1:{nobody.getsockname()[1]}/in").stdout.split()[0]
        for number in range(FAILURES_MIN):
            server.post("/v1/programs", {"name": f"Spring {number}"})
        eventually(lambda: f"{made}  standard  tripped" in endpoints("list").stdout, what="the breaker")


def test_a_rotation_prints_the_new_secret_this_once(server):
    made, first = endpoints("add", "https://127.0.0.1:9443/in").stdout.split()
    second = endpoints("rotate", made, "--overlap-seconds", "60").stdout.strip()
    assert second.startswith("whsec_")
    assert second != first
    assert second not in endpoints("get", made).stdout
    assert json.loads(endpoints("rotate", made, "--json").stdout)["secret"] not in {first, second}


def test_a_test_that_nobody_takes_failed(server):
    made = endpoints("add", "https://127.0.0.1:9443/in").stdout.split()[0]
    shown = endpoints("test", made, "--word", "affiliate.created")
    assert shown.exit_code == 1
    assert shown.stdout.startswith(f"{made}  standard  affiliate.created  connect: ")
    told = json.loads(endpoints("test", made, "--json").stdout)
    assert (told["endpoint_id"], told["outcome"]) == (made, "failed")
    sampled = CliRunner().invoke(app, ["trigger", "affiliate.created", "--sample", "--dialect", "standard"])
    assert sampled.exit_code == 1
    assert made in sampled.stdout


def test_a_sample_without_an_endpoint_has_nowhere_to_go(server):
    shown = CliRunner().invoke(app, ["trigger", "affiliate-approved", "--sample", "--dialect", "tamio"])
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert "No endpoint speaks" in shown.stderr


def test_health_is_shown(server):
    made = endpoints("add", "https://127.0.0.1:9443/in").stdout.split()[0]
    assert endpoints("health", made).exit_code == 0
    assert json.loads(endpoints("health", made, "--json").stdout)
    assert endpoints("health", "ep_none").exit_code == 1


def test_what_an_endpoint_missed_is_counted_and_then_a_job(server):
    server.post("/v1/programs", {"name": "Missed"})
    made = endpoints("add", "https://127.0.0.1:9443/in", "--event-type", "program.created").stdout.split()[0]
    counted = endpoints("recover", made, "--since", "2020-01-01T00:00:00Z", "--dry-run")
    assert int(counted.stdout) >= 1
    started = endpoints("recover", made, "--since", "2020-01-01T00:00:00Z", "--rate", "5")
    assert started.stdout.startswith("job_")
    shown = CliRunner().invoke(app, ["jobs", "get", started.stdout.strip(), "--json"])
    assert json.loads(shown.stdout)["kind"] == "recover"
    assert started.stdout.strip() in CliRunner().invoke(app, ["jobs", "list"]).stdout
    assert CliRunner().invoke(app, ["jobs", "cancel", started.stdout.strip()]).exit_code in {0, 1}
    assert endpoints("recover", made).exit_code == 2
