"""Nobody's trouble is another's delay, seen from outside: by what arrives before what, never by the clock."""

import time

from installation import HttpsReceiver, Installation, eventually

LOUD = 400


def endpoint(client, receiver, path, **fields):
    body = {"url": receiver.url(path), "dialect": "standard", **fields}
    return client.post("/v1/endpoints", json=body).json()["id"]


def events(client, count, name="P"):
    operations = [{"method": "POST", "path": "/v1/programs", "body": {"name": f"{name}{n}"}} for n in range(count)]
    answer = client.post("/v1/batches", json={"emit": True, "operations": operations})
    assert answer.status_code < 300, answer.text


def paused(client, endpoint_id, value):
    assert client.patch(f"/v1/endpoints/{endpoint_id}", json={"paused": value}).status_code == 200


def paths(receiver):
    return [one.path for one in receiver.seen]


def test_one_organizations_burst_does_not_hold_up_another(receiver: HttpsReceiver, installation: Installation):
    loud, quiet = installation.start().organization("loud"), installation.organization("quiet")
    bursting, waiting = endpoint(loud, receiver, "/loud", paused=True), endpoint(quiet, receiver, "/quiet", paused=True)
    events(loud, LOUD)
    events(quiet, 5)
    paused(loud, bursting, False)
    paused(quiet, waiting, False)
    eventually(lambda: len(receiver.seen) == LOUD + 5, what="everything arriving")
    last = max(nth for nth, path in enumerate(paths(receiver)) if path == "/quiet")
    assert last < LOUD, "the quiet organization's events arrived before the burst was over"


def test_a_new_event_passes_a_backlog_of_retries_at_its_own_endpoint(
    receiver: HttpsReceiver, installation: Installation
):
    client = installation.start().organization()
    receiver.answers["/in"] = lambda before: 500 if before < 9 else 200
    policy = {"retry_schedule": [0.5], "max_in_flight": 1}
    endpoint_id = endpoint(client, receiver, "/in", policy=policy, paused=True)
    events(client, 9, "old")
    paused(client, endpoint_id, False)
    eventually(lambda: len(receiver.seen) >= 9, what="nine failures")
    paused(client, endpoint_id, True)
    events(client, 9, "new")
    eventually(lambda: time.time() > receiver.seen[8].at + 0.5, what="the last retry becoming due")
    tried = len(receiver.seen)
    paused(client, endpoint_id, False)
    eventually(lambda: len({one.headers["webhook-id"] for one in receiver.seen}) == 18, what="everything arriving")
    eventually(lambda: len(receiver.seen) == 27, what="every retry arriving")
    names = [one.json["data"]["program"]["name"][:3] for one in receiver.seen[tried:]]
    assert names.index("new") < 9, "a new event waited for all old ones"


def test_endpoints_that_hang_or_fail_hold_up_no_other(receiver: HttpsReceiver, installation: Installation):
    client = installation.start().organization()
    for nth in range(20):
        path = f"/{'hang' if nth < 4 else 'fail' if nth < 8 else 'well'}{nth}"
        receiver.answers[path] = {"hang": lambda _: None, "fail": lambda _: 500}.get(path[1:5], lambda _: 200)
        endpoint(client, receiver, path, policy={"total_timeout": 60, "retry_schedule": [0.1] * 100})
    events(client, 30)

    def well():
        return sum(path.startswith("/well") for path in paths(receiver))

    eventually(lambda: well() == 12 * 30, what="what is due to those who answer arriving")
    assert all(paths(receiver).count(f"/hang{nth}") == 10 for nth in range(4)), "a hung one keeps to its places"
