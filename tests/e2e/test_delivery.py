"""Deliveries as they really happen: a server process, HTTPS, receivers of every temper."""

import contextlib
import threading
from collections import Counter

import httpx2
import pytest
from installation import HttpsReceiver, Installation, eventually


def statuses(client, **query):
    counted, cursor = Counter(), None
    while True:
        query |= {"limit": 200, **({"cursor": cursor} if cursor else {})}
        page = client.get("/v1/deliveries", params=query).json()
        counted.update(row["status"] for row in page["data"])
        cursor = page["next_cursor"]
        if cursor is None:
            return counted


@pytest.mark.slow
def test_50_hung_and_25_failing_endpoints_of_200_delay_nobody(receiver: HttpsReceiver, installation: Installation):
    client = installation.start().organization()
    names = [f"hung{n}" for n in range(50)] + [f"failing{n}" for n in range(25)] + [f"well{n}" for n in range(125)]
    ids = {}
    for name in names:
        receiver.answers[f"/{name}"] = lambda _, name=name: (
            None if "hung" in name else 500 if "failing" in name else 200
        )
        body = {
            "url": receiver.url(f"/{name}"),
            "dialect": "standard",
            "policy": {"total_timeout": 60, "retry_schedule": [0.2] * 100},
        }
        ids[name] = client.post("/v1/endpoints", json=body).json()["id"]
    for number in range(20):
        assert client.post("/v1/programs", json={"name": f"P{number}"}).status_code == 201

    def arrived():
        return Counter(seen.path.rstrip("0123456789") for seen in receiver.seen)

    eventually(lambda: arrived()["/well"] == 125 * 20, 45, "what goes to healthy endpoints")
    eventually(lambda: arrived()["/hung"] == 50 * 10, 10, "the first ten to each hung endpoint")
    eventually(lambda: statuses(client, endpoint_id=ids["well7"]) == {"delivered": 20}, 10, "the last settlement")
    hung = client.get("/v1/deliveries", params={"endpoint_id": ids["hung0"]}).json()["data"]
    assert Counter(row["status"] for row in hung) == {"leased": 10, "pending": 10}, (
        "none of the hung tries has even ended"
    )


@pytest.mark.slow
def test_a_graceful_stop_under_load_loses_nothing_and_repeats_nothing(
    receiver: HttpsReceiver, installation: Installation
):
    client = installation.start().organization()
    key = client.headers["Authorization"][7:]
    for number in range(3):
        assert (
            client.post("/v1/endpoints", json={"url": receiver.url(f"/{number}"), "dialect": "standard"}).status_code
            == 201
        )
    accepted, running = [], True

    def write():
        mine = installation.client(key)
        while running:
            with contextlib.suppress(httpx2.TransportError):
                answer = mine.post("/v1/programs", json={"name": "P"})
                accepted.extend([answer.json()["id"]] if answer.status_code == 201 else [])

    writers = [threading.Thread(target=write, daemon=True) for _ in range(3)]
    for writer in writers:
        writer.start()
    for _ in range(5):
        threading.Event().wait(0.4)
        assert installation.stop() == 0
        installation.start()
    running = False
    for writer in writers:
        writer.join()
    eventually(lambda: not {"pending", "leased"} & set(statuses(client)), 30, "the drain")
    assert set(statuses(client)) == {"delivered"}
    arrived = Counter((seen.path, seen.headers["webhook-id"]) for seen in receiver.seen)
    assert set(arrived.values()) == {1}, "a graceful stop repeats nothing (I4)"
    assert len(arrived) >= 3 * len(accepted) > 0


def test_a_second_server_on_the_same_data_is_refused_with_one_sentence(
    receiver: HttpsReceiver, installation: Installation, tmp_path
):
    installation.start()
    second = Installation(tmp_path, receiver.ca_file)
    try:
        with pytest.raises(AssertionError, match="ended at its start"):
            second.start()
        said = (tmp_path / "server.log").read_text()
        assert "is using" in said
        assert "Traceback" not in said
    finally:
        second.close()


def test_the_wrong_master_key_is_refused_and_nothing_is_written_under_it(receiver, tmp_path):
    first = Installation(tmp_path, receiver.ca_file, AFFWIRE_MASTER_KEY="one key of more than thirty-two characters")
    first.start()
    first.stop()
    first.close()
    other = Installation(
        tmp_path, receiver.ca_file, AFFWIRE_MASTER_KEY="another key of more than thirty-two characters"
    )
    try:
        with pytest.raises(AssertionError, match="ended at its start"):
            other.start()
    finally:
        other.close()
    log = (tmp_path / "server.log").read_text()
    assert "master key is not the one" in log
    assert "thirty-two" not in log
    again = Installation(tmp_path, receiver.ca_file, AFFWIRE_MASTER_KEY="one key of more than thirty-two characters")
    try:
        again.start()
    finally:
        again.close()
