"""Live feeds: every event and every attempt once, in order, resumable; ended by a stop, a revoked key, a reader that left."""

import asyncio
import contextlib
import json

import pytest
from office import refused

from affwire.api import feeds
from affwire.api.pages import cursor
from affwire.model.deliveries import AttemptRecord
from affwire.store.queued import Lease, Settlement, Share

URL = "https://public.test/hooks"
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(feeds, "POLL_MS", 20)
    monkeypatch.setattr(feeds, "GAP_MS", 0)


class Reader:
    """One open feed, read without a socket: what the server sends goes into `blocks` (id, data)."""

    def __init__(self, app, path, key, *, last=None, slow=False):
        url, _, query = path.partition("?")
        headers = [(b"authorization", f"Bearer {key}".encode())] + ([(b"last-event-id", last.encode())] if last else [])
        self.scope = {
            "type": "http", "method": "GET", "path": url, "raw_path": url.encode(), "query_string": query.encode(),
            "headers": headers, "client": ("127.0.0.1", 1), "server": ("test", 80), "scheme": "http", "http_version": "1.1",
            "root_path": "", "asgi": {"version": "3.0"},
        }  # fmt: skip
        self.app, self.slow, self.status, self.text, self.ended = app, slow, None, "", False
        self.left, self.news = asyncio.Event(), asyncio.Event()

    async def _receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        if self.slow:
            await asyncio.sleep(60)
        self.text += message["body"].decode()
        self.news.set()
        self.ended = not message.get("more_body", False)

    @contextlib.asynccontextmanager
    async def open(self):
        task = asyncio.create_task(self.app(self.scope, self._receive, self._send))
        try:
            yield task
        finally:
            self.left.set()
            await asyncio.wait_for(task, 5)

    @property
    def blocks(self):
        parts = (dict(line.split(": ", 1) for line in block.splitlines() if line) for block in self.text.split("\n\n"))
        return [(part["id"], json.loads(part["data"])) for part in parts if "data" in part]

    @property
    def last_id(self):
        return [line[4:] for line in self.text.splitlines() if line.startswith("id: ")][-1]

    async def seen(self, holds):
        async with asyncio.timeout(5):
            while not holds():
                self.news.clear()
                await self.news.wait()

    async def begun(self):
        await self.seen(lambda: self.text)

    async def until(self, count):
        await self.seen(lambda: len(self.blocks) >= count)
        return [data for _, data in self.blocks]


@pytest.fixture
def feed(office):
    def opened(path, key=None, **more):
        return Reader(office.http.app, path, key or office.admin.key, **more)

    return opened


def emails(data):
    return [event["snapshot"]["affiliate"]["email"] for event in data]


def affiliate(office, name):
    return office.admin.made("/v1/affiliates", email=f"{name}@b.test")


async def changed(office, name):
    return await asyncio.to_thread(affiliate, office, name)


async def test_a_feed_shows_what_happens_from_now_on(office, feed):
    await changed(office, "before")
    reader = feed("/v1/events/stream")
    async with reader.open():
        await reader.begun()
        await changed(office, "after")
        assert emails(await reader.until(1)) == ["after@b.test"]
    listed = office.admin.get("/v1/events").json()["data"]
    assert reader.blocks[0][1] == listed[-1]
    assert office.desk.feeds.count == 0


async def test_a_feed_resumes_without_gaps_or_repeats(office, feed):
    for n in range(7):
        affiliate(office, f"a{n}")
    seen, last = [], "0"
    for _ in range(3):
        reader = feed("/v1/events/stream?after=0", last=last)
        async with reader.open():
            await reader.until(1)
        blocks = reader.blocks[:2]
        seen += [data for _, data in blocks]
        last = blocks[-1][0]
    assert emails(seen) == [f"a{n}@b.test" for n in range(6)]


async def test_a_feed_opened_but_still_empty_can_be_resumed(office, feed):
    affiliate(office, "before")
    reader = feed("/v1/events/stream")
    async with reader.open():
        await reader.begun()
    affiliate(office, "meanwhile")
    again = feed("/v1/events/stream", last=reader.last_id)
    async with again.open():
        assert emails(await again.until(1)) == ["meanwhile@b.test"]


async def test_a_feed_begins_behind_an_event_and_is_filtered(office, feed):
    first = affiliate(office, "a")
    affiliate(office, "b")
    office.admin.made("/v1/programs", name="P")
    affiliate(office, "c")
    event = office.admin.get("/v1/events").json()["data"][0]["id"]
    reader = feed(f"/v1/events/stream?after={event}&type=affiliate.*")
    async with reader.open():
        assert emails(await reader.until(2)) == ["b@b.test", "c@b.test"]
    one = feed(f"/v1/events/stream?after=0&affiliate_id={first['id']}")
    async with one.open():
        assert emails(await one.until(1)) == ["a@b.test"]


async def test_a_quiet_feed_says_that_it_lives_and_how_far_it_looked(office, feed, monkeypatch):
    monkeypatch.setattr(feeds, "HEARTBEAT_S", 0)
    for n in range(3):
        affiliate(office, f"a{n}")
    reader = feed("/v1/events/stream?after=0&type=program.*")
    async with reader.open():
        await reader.seen(lambda: ": alive" in reader.text)
    assert reader.last_id == cursor(3)


async def test_a_feed_holds_only_its_own_organization(office, feed):
    affiliate(office, "a")
    office.stranger.made("/v1/affiliates", email="theirs@b.test")
    reader = feed("/v1/events/stream?after=0", office.stranger.key)
    async with reader.open():
        assert emails(await reader.until(1)) == ["theirs@b.test"]


@pytest.mark.parametrize("path", ["/v1/events/stream", "/v1/deliveries/stream"])
def test_a_feed_that_cannot_be_is_refused_before_it_begins(office, path):
    refused(office.nobody.get(path), 401, "key_missing")
    refused(office.operator.get(path), 403, "organization_key_needed")
    refused(office.admin.get(path, limit=3), 422, "invalid_request")
    refused(office.admin.get(path, after="?"), 422, "invalid_cursor")
    refused(office.admin.send("GET", path, headers={"Last-Event-ID": "x" * 500}), 422, "invalid_cursor")
    assert office.desk.feeds.count == 0


def test_a_feed_of_an_unknown_type_or_event_is_refused(office):
    refused(office.admin.get("/v1/events/stream", type="affiliate.made"), 422, "unknown_event_type")
    refused(office.admin.get("/v1/events/stream", after="evt_none"), 404, "event_not_found")
    refused(office.admin.get("/v1/deliveries/stream", status="lost"), 422, "invalid_request")


async def test_a_feed_ends_with_its_key(office, feed):
    key = office.admin.made("/v1/keys", scope="read", name="x")
    reader = feed("/v1/events/stream", key["api_key"])
    async with reader.open() as task:
        await reader.begun()
        await asyncio.to_thread(office.admin.delete, f"/v1/keys/{key['id']}")
        await changed(office, "secret")
        await asyncio.wait_for(asyncio.shield(task), 5)
    assert reader.ended
    assert reader.blocks == []


async def test_a_stop_ends_every_feed_at_once_and_opens_no_more(office, feed, monkeypatch):
    monkeypatch.setattr(feeds, "POLL_MS", 60_000)
    readers = [feed("/v1/events/stream"), feed("/v1/deliveries/stream")]
    async with readers[0].open() as one, readers[1].open() as two:
        await readers[0].begun()
        await readers[1].begun()
        office.desk.feeds.close()
        await asyncio.wait_for(asyncio.gather(one, two), 2)
    assert all(reader.ended for reader in readers)
    late = feed("/v1/events/stream")
    async with late.open():
        pass
    assert late.status == 503


async def test_too_many_feeds_are_refused(office, feed, monkeypatch):
    monkeypatch.setattr(feeds, "STREAMS_MAX", 1)
    one, two = feed("/v1/events/stream"), feed("/v1/events/stream")
    async with one.open():
        await one.begun()
        async with two.open():
            pass
    assert (one.status, two.status) == (200, 503)


async def test_a_reader_that_takes_nothing_is_cut(office, feed, monkeypatch):
    monkeypatch.setattr(feeds, "SEND_S", 0.02)
    reader = feed("/v1/events/stream", slow=True)
    async with reader.open() as task:
        await asyncio.wait_for(asyncio.shield(task), 5)
    assert office.desk.feeds.count == 0


async def test_a_wake_is_enough_and_polling_would_do(office, feed, monkeypatch):
    monkeypatch.setattr(feeds, "POLL_MS", 60_000)
    reader = feed("/v1/events/stream")
    async with reader.open():
        await reader.begun()
        await asyncio.sleep(0.02)
        affiliate(office, "a")
        office.desk.feeds.beat()
        assert emails(await reader.until(1)) == ["a@b.test"]


def tried(office, outcome, status, *, number=1):
    """Settle every due delivery with one attempt, as the engine does."""

    def work(tx):
        for endpoint_id in tx.outbox.endpoints_with_work():
            for row in tx.outbox.due([Share(endpoint_id, 50)], now=tx.now):
                lease = Lease(row, tx.now + 1, f"att_{row.id}_{number}")
                [leased] = tx.outbox.lease([lease], now=tx.now, worker="w")
                record = AttemptRecord(
                    delivery_id=row.id,
                    number=number,
                    id=leased.attempt_id,
                    started_at=tx.now,
                    ended_at=tx.now,
                    outcome=outcome,
                    request=b"{}",
                )
                due = tx.now if status == "pending" else None
                tx.outbox.settle([Settlement(leased, status, None, due, 0, record)], tx.now)

    office.desk.store.submit(work).result()


async def test_the_feed_of_deliveries_has_one_message_per_attempt(office, feed):
    endpoint = office.admin.made("/v1/endpoints", url=URL, dialect="standard")
    affiliate(office, "a")
    tried(office, "failed", "pending")
    tried(office, "ok", "delivered", number=2)
    reader = feed("/v1/deliveries/stream?after=0")
    async with reader.open():
        data = await reader.until(2)
    assert [(one["attempt"]["number"], one["attempt"]["outcome"]) for one in data] == [(1, "failed"), (2, "ok")]
    assert not {"request", "response"} & data[0]["attempt"].keys()
    listed = office.admin.get("/v1/deliveries").json()["data"][0]
    assert {name: value for name, value in data[1].items() if name != "attempt"} == listed
    again = feed(
        f"/v1/deliveries/stream?endpoint_id={endpoint['id']}&event_id={listed['event_id']}", last=reader.blocks[0][0]
    )
    async with again.open():
        assert (await again.until(1))[0]["attempt"]["number"] == 2
    failed = feed("/v1/deliveries/stream?after=0&outcome=failed&status=delivered")
    async with failed.open():
        assert (await failed.until(1))[0]["attempt"]["number"] == 1


async def test_a_reader_that_leaves_while_it_is_being_written_to_leaves_no_feed_behind():
    every = feeds.Feeds()

    async def look(position):
        await asyncio.sleep(0)  # a read of the store, which always lets others run
        return feeds.Found([(position + 1, {"n": position})], position + 1)

    for hops in range(60):
        gone = asyncio.Event()

        async def receive(gone=gone):
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message, gone=gone, hops=hops):
            for hop in range(hops % 6):
                if hop == hops // 6 % 6:
                    gone.set()
                await asyncio.sleep(0)
            if hops % 6 == 0 and message.get("body"):
                gone.set()

        stream = feeds.Stream(every, 0, look)
        serving = asyncio.create_task(stream({"type": "http"}, receive, send))
        await asyncio.sleep(0.01)
        gone.set()
        await asyncio.wait({serving}, timeout=2)
        assert serving.done(), f"a feed whose reader left is still written to ({hops})"
        assert every.count == 0
