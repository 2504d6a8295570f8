import json
import socket
import time

import pytest
from typer.testing import CliRunner

from affwire.cli.main import app

pytestmark = pytest.mark.slow


def deliveries(*arguments):
    return CliRunner().invoke(app, ["deliveries", *arguments])


@pytest.fixture
def failed(server):
    """A delivery that nobody took: its endpoint has no retries, and nobody listens there."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{nobody.getsockname()[1]}/in"
        wish = {"url": url, "dialect": "standard", "event_types": ["program.created"], "policy": {"retry_schedule": []}}
        endpoint = server.post("/v1/endpoints", wish)["id"]
        server.post("/v1/programs", {"name": "Spring"})
        for _ in range(200):
            rows = server.get("/v1/deliveries", status="exhausted", endpoint_id=endpoint)["data"]
            if rows:
                break
            time.sleep(0.02)
        yield rows[0]


def test_a_list_is_filtered_by_status_and_endpoint(failed):
    shown = deliveries("list", "--status", "exhausted", "--endpoint", failed["endpoint_id"]).stdout.splitlines()
    assert len(shown) == 2
    assert shown[1].split()[:4] == [failed["id"], "exhausted", "1", "program.created"]


def test_one_delivery_shows_its_attempts_and_their_requests(failed):
    shown = deliveries("show", failed["id"])
    assert shown.exit_code == 0
    assert "attempt 1" in shown.stdout
    assert "webhook-signature: " in shown.stdout
    assert '"type":"program.created"' in shown.stdout


def test_one_delivery_as_json_is_what_the_server_answers(failed):
    assert json.loads(deliveries("show", failed["id"], "--json").stdout)["id"] == failed["id"]


def test_a_delivery_is_sent_again(failed, server):
    shown = deliveries("replay", failed["id"])
    assert shown.exit_code == 0
    assert failed["id"] in shown.stderr


def test_an_unknown_delivery_is_told_in_one_sentence(server):
    shown = deliveries("show", "dlv_none")
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr.startswith("affwire: There is no delivery")


@pytest.mark.parametrize("verb", ["show", "replay"])
@pytest.mark.parametrize("id_", ["../programs", "..", ".", "", "a/b", "a?limit=1", "a#b", "%2e%2e", "ä"])
def test_what_is_no_id_is_told_in_one_sentence_and_leads_nowhere_else(server, verb, id_):
    shown = deliveries(verb, "--", id_)
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr.startswith("affwire: ")
    assert shown.stderr.count("\n") == 1


def test_a_wrong_status_is_told_in_one_sentence(server):
    shown = deliveries("list", "--status", "lost")
    assert shown.exit_code == 1
    assert "status" in shown.stderr


def test_what_ended_cannot_be_cancelled(failed):
    shown = deliveries("cancel", failed["id"])
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr.startswith("affwire: ")


def test_a_waiting_delivery_is_cancelled(server):
    wish = {"url": "https://127.0.0.1:9443/in", "dialect": "standard", "paused": True}
    endpoint = server.post("/v1/endpoints", wish)["id"]
    server.post("/v1/programs", {"name": "Spring"})
    [waiting] = server.get("/v1/deliveries", endpoint_id=endpoint)["data"]
    assert f"{waiting['id']} is cancelled now." in deliveries("cancel", waiting["id"]).stderr


def test_many_are_counted_and_then_sent_again_as_a_job(failed):
    counted = deliveries("replay", "--endpoint", failed["endpoint_id"], "--dry-run")
    assert counted.stdout == "1\n"
    started = deliveries("replay", "--endpoint", failed["endpoint_id"], "--status", "exhausted", "--json")
    assert json.loads(started.stdout)["total"] == 1


@pytest.mark.parametrize("arguments", [(), ("dlv_1", "--status", "exhausted")])
def test_one_or_many_is_for_the_caller_to_say(arguments):
    assert deliveries("replay", *arguments).exit_code == 2
