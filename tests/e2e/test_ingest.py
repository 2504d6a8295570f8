"""The way in over real HTTP: what was answered as received is there after a kill, and hostile senders get a clear answer."""

import contextlib
import hashlib
import hmac
import json
import socket
import threading
import time

import httpx2
import pytest
from installation import Installation

SECRET = "a-secret-of-the-platform"


def body(event_id):
    event = {"id": event_id, "type": "sale.created", "created_at": "2026-02-25T06:00:00.000Z", "api_version": "v1"}
    return json.dumps({"object": {"id": "s1"}, "event": event, "request": {"id": "r"}}).encode()


def signed(content, secret=SECRET):
    return {"X-Rewardful-Signature": hmac.digest(secret.encode(), content, hashlib.sha256).hex()}


@pytest.fixture
def installation(tmp_path, receiver):
    one = Installation(tmp_path, receiver.ca_file).start()
    yield one
    one.close()


@pytest.fixture
def admin(installation):
    return installation.organization()


@pytest.fixture
def source(admin):
    return admin.post("/v1/sources", json={"dialect": "rewardful", "secret": SECRET}).json()


def post(installation, source, content, **headers):
    url = f"http://127.0.0.1:{installation.port}{source['ingest_url']}"
    return httpx2.post(url, content=content, headers=headers or signed(content), trust_env=False, timeout=20)


def talk(installation, request, seconds=15):
    """Send raw bytes and return what comes back until the other side closes, or for so long."""
    with socket.create_connection(("127.0.0.1", installation.port), timeout=seconds) as line:
        line.sendall(request)
        answer = b""
        with contextlib.suppress(TimeoutError, ConnectionError):
            while b"}" not in answer.partition(b"\r\n\r\n")[2]:
                piece = line.recv(65_536)
                if not piece:
                    break
                answer += piece
        return answer


def test_messages_come_in_and_are_told_apart_across_a_kill(installation, admin, source):
    kept, stop = [], threading.Event()

    def send():
        nth = 0
        while not stop.is_set():
            try:
                if post(installation, source, body(f"e{nth}")).status_code == 200:
                    kept.append(f"e{nth}")
            except httpx2.TransportError:
                return
            nth += 1

    thread = threading.Thread(target=send)
    thread.start()
    time.sleep(0.5)
    installation.kill()
    stop.set()
    thread.join()
    installation.start()
    assert len(kept) > 3
    assert [post(installation, source, body(one)).status_code for one in kept] == [200] * len(kept)
    seen, cursor = [], None
    while cursor is not None or not seen:
        page = admin.get("/v1/messages", params={"limit": 200, **({"cursor": cursor} if cursor else {})}).json()
        seen += [one["dedupe_key"] for one in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)), "a repeat was taken for a new one"
    assert set(kept) <= set(seen), "what was answered as received is gone"


def test_hostile_requests_get_a_clear_answer(installation, admin, source):
    path = source["ingest_url"].encode()
    host = b" HTTP/1.1\r\nHost: x\r\n"
    chunked = b"POST " + path + host + b"Transfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    for request, status in (
        (b"POST " + path + host + b"Content-Length: 99999999\r\n\r\n", b"413"),
        (chunked + (b"10000\r\n" + b"x" * 65_536 + b"\r\n") * 16, b"413"),
        (b"GET " + path + host + b"\r\n", b"405"),
        (b"POST /in/%C3%A4%00%2F.." + host + b"Content-Length: 2\r\n\r\n{}", b"404"),
        (b"POST " + path + host + b"X-Rewardful-Signature: \xff\xfe\r\nContent-Length: 2\r\n\r\n{}", b"401"),
        (b"POST " + path + host + b"Content-Length: 0\r\n\r\n", b"401"),
    ):
        answer = talk(installation, request)
        assert answer.startswith(b"HTTP/1.1 " + status), answer[:200]
    assert post(installation, source, body("e1")).status_code == 200


@pytest.mark.slow
def test_a_body_that_never_comes_is_given_up_and_holds_up_nobody(installation, source):
    path = source["ingest_url"].encode()
    head = b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    lines = [socket.create_connection(("127.0.0.1", installation.port), timeout=20) for _ in range(50)]
    for line in lines:
        line.sendall(head)
    began = time.monotonic()
    assert post(installation, source, body("e1")).status_code == 200
    assert time.monotonic() - began < 2
    assert lines[0].recv(4_096).startswith(b"HTTP/1.1 408")
    assert 8 < time.monotonic() - began < 15
    for line in lines:
        line.close()
