"""Platforms' webhooks through a real server: in by HTTP, verified, and out again to whoever subscribed."""

import json

import httpx2
import pytest
from installation import HttpsReceiver, Installation, eventually

from affwire.dialects.base import Trust
from affwire.model.wire import Message
from affwire.plugins import load_dialects
from affwire.testing import genuine

EMAIL = "noor.haddad@example.com"
CAMPAIGN = {"id": "82f26208-778e-4e98-a467-6ee264cf96d5", "name": "Spring"}


def open_source(client, dialect, **fields):
    form = load_dialects()[dialect].card.authentication
    secret = genuine.secret_of(load_dialects()[dialect])
    body = {"dialect": dialect, **({"secret": secret} if form.kind != "none" else {}), **fields}
    answer = client.post("/v1/sources", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def subscribe(client, receiver, dialect, path, **fields):
    answer = client.post("/v1/endpoints", json={"url": receiver.url(path), "dialect": dialect, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


def send(client, source, signed, **headers):
    path = source["ingest_url"][source["ingest_url"].index("/in/") :]
    with httpx2.Client(base_url=str(client.base_url)) as stranger:
        answer = stranger.post(path, content=signed.body, headers={**signed.headers, **headers})
    assert answer.status_code == 200, answer.text


def arrived(receiver, path):
    return [seen for seen in receiver.seen if seen.path == path]


def words(receiver, path):
    return [seen.json["type"] for seen in arrived(receiver, path)]


def as_rewardful(word, **changes):
    return genuine.request("rewardful", word, object__email=EMAIL, object__campaign=CAMPAIGN, **changes)


def as_growi(word):
    return genuine.request("growi", word, user_email=EMAIL, user_name="Noor Haddad", campaign_name="Spring")


@pytest.mark.slow
def test_a_relay_makes_one_clean_stream_and_outlives_a_change_of_platform(
    receiver: HttpsReceiver, installation: Installation
):
    client = installation.start().organization()
    endpoint = subscribe(client, receiver, "standard", "/clean", policy={"ordering": "affiliate"})
    rewardful = open_source(client, "rewardful", mode="relay")
    signed = as_rewardful("affiliate.created")
    send(client, rewardful, signed)
    send(client, rewardful, signed.repeated())
    eventually(lambda: len(arrived(receiver, "/clean")) == 2, 10, "what one message says")
    assert words(receiver, "/clean") == ["affiliate.created", "membership.activated"]
    for seen in arrived(receiver, "/clean"):
        headers = tuple((name, value) for name, value in seen.headers.items())
        trust = Trust(secrets=(endpoint["secret"],))
        sent_at = int(seen.headers["webhook-timestamp"]) * 1000
        load_dialects()["standard"].verify(Message(headers=headers, body=seen.body), trust, sent_at)
        assert seen.headers["affwire-hop"] == "1"
    first = arrived(receiver, "/clean")[1].json["data"]

    growi = open_source(client, "growi", mode="relay")
    send(client, growi, as_growi("campaign_affiliate.left"))
    eventually(lambda: len(arrived(receiver, "/clean")) == 3, 10, "what the other platform says")
    later = arrived(receiver, "/clean")[2].json
    assert later["type"] == "membership.left"
    for kind in ("affiliate", "membership"):
        assert later["data"][kind]["id"] == first[kind]["id"]
    assert client.get("/v1/affiliates").json()["data"] == [], "a relay touches no registry"


@pytest.mark.slow
def test_a_mirror_keeps_the_registry_and_speaks_each_endpoints_dialect(
    receiver: HttpsReceiver, installation: Installation
):
    client = installation.start().organization()
    rewardful = open_source(client, "rewardful")
    subscribe(client, receiver, "growi", "/growi")
    subscribe(client, receiver, "rewardful", "/back", source_id=rewardful["id"])
    signed = as_rewardful("affiliate.created")
    send(client, rewardful, signed)
    eventually(lambda: arrived(receiver, "/growi"), 10, "Growi's word for it")
    body = arrived(receiver, "/growi")[0].json
    assert (body["event"], body["user_email"], body["campaign_name"]) == (
        "campaign_affiliate.activated",
        EMAIL,
        "Spring",
    )
    own_id = json.loads(signed.body)["object"]["id"]
    affiliate = client.get(f"/v1/affiliates/ext:rewardful:{own_id}").json()
    assert affiliate["email"] == EMAIL
    [message] = client.get("/v1/messages").json()["data"]
    assert message["status"] == "applied"
    event = client.get(f"/v1/events/{message['events'][-1]}").json()
    reasons = {told["reason"] for told in event["endpoints"]}
    assert "it came in from this endpoint's own source" in reasons
    assert arrived(receiver, "/back") == []


@pytest.mark.slow
def test_two_installations_that_mirror_each_other_come_to_rest(receiver: HttpsReceiver, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    houses = [Installation(tmp_path / name, receiver.ca_file, AFFWIRE_ALLOW_HTTP="1") for name in ("one", "two")]
    try:
        clients = [house.start().organization() for house in houses]
        for here, there in ((0, 1), (1, 0)):
            url = f"http://127.0.0.1:{houses[there].port}"
            secret = genuine.secret_of(load_dialects()["standard"])
            source = open_source(clients[there], "standard", secret=secret)
            path = source["ingest_url"][source["ingest_url"].index("/in/") :]
            endpoint = {"url": url + path, "dialect": "standard", "secret": secret}
            answer = clients[here].post("/v1/endpoints", json=endpoint)
            assert answer.status_code == 201, answer.text
        clients[0].post("/v1/affiliates", json={"email": EMAIL})
        eventually(lambda: clients[1].get("/v1/affiliates").json()["data"], 10, "the news in the other house")

        def settled():
            return [one["status"] for client in clients for one in client.get("/v1/messages").json()["data"]]

        eventually(lambda: "unchanged" in settled() and "received" not in settled(), 10, "the end of the loop")
        assert len(settled()) <= 4, "no echo of an echo of an echo"
        assert [len(client.get("/v1/affiliates").json()["data"]) for client in clients] == [1, 1]
    finally:
        for house in houses:
            house.close()
