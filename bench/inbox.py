"""The inbox figures: the way in at its limit, at half of it, and beside a flood of forgeries; and what is done with it.

Every load comes from processes of its own over plain HTTP on loopback, signed before the clock runs, each id unique.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from book import Figures
from load import Heard, Load, Messages, bodies, send, senders
from serving import SECRET, Serving, messages, serving, source

from affwire.app import open_store
from affwire.destinations.guard import Guard, Rules
from affwire.engine.normaliser import Normaliser
from affwire.model.inbound import Kept, Source
from affwire.model.registry import Organization
from affwire.plugins import load_dialects
from affwire.services import endpoints
from affwire.settings import Settings
from affwire.store.datadir import DataDir
from affwire.world import World

RATE_HALF = 2_500
"""A quarter of what the door takes alone, half of what it takes with everything behind it."""
FLOOD = 2_500
"""Forgeries a second: as many as genuine messages."""
AGAIN = 10
WARM_S = 0.5
"""Of the same load before the clock runs."""


def limit(kind: str, seconds: float) -> Figures:
    """As many as 64 connections bring: messages a second, and CPU-seconds of the server's process per 1,000."""
    with serving(kind) as server, senders(1) as pool:
        pool.submit(send, _load(server, seconds=min(WARM_S, seconds), label="warm")).result()
        before = server.cpu_s()
        heard = pool.submit(send, _load(server, seconds=seconds)).result()
        used = server.cpu_s() - before
    _all_taken(heard)
    done = heard.statuses[200]
    return {"per_second": done / heard.seconds, "cpu_s_per_1000": used / done * 1000}


def half(kind: str, seconds: float, rate: int = RATE_HALF) -> Figures:
    """At a steady rate, due at its time whatever is answered: ms from then to the answer."""
    with serving(kind) as server, senders(1) as pool:
        pool.submit(send, _load(server, seconds=min(WARM_S, seconds), label="warm")).result()
        heard = pool.submit(send, _load(server, seconds=seconds, rate=rate)).result()
    _all_taken(heard)
    return {"rate_reached": heard.statuses[200] / heard.seconds, **heard.percentiles()}


def flooded(kind: str, seconds: float, rate: int = RATE_HALF, flood: int = FLOOD) -> Figures:
    """The same beside as many forgeries: genuine ones a second at that rate and at the limit, each with and without."""
    with serving(kind) as server, senders(2) as pool:
        pool.submit(send, _load(server, seconds=min(WARM_S, seconds), label="warm")).result()
        steady = _load(server, seconds=seconds, rate=rate, label="steady")
        forgeries = Messages(server.path, SECRET, "forged", genuine=False)
        forged = Load(server.port, forgeries, seconds, rate=flood)
        both = pool.submit(send, steady), pool.submit(send, forged)
        beside, refused = (one.result() for one in both)
        alone = pool.submit(send, _load(server, seconds=seconds, label="alone")).result()
        both = pool.submit(send, _load(server, seconds=seconds, label="limit")), pool.submit(send, forged)
        under, _ = (one.result() for one in both)
    assert set(refused.statuses) == {401}, refused.statuses
    for heard in (beside, alone, under):
        _all_taken(heard)
    return {
        "rate_reached": beside.statuses[200] / beside.seconds,
        **beside.percentiles(),
        "forged_per_second": refused.statuses[401] / refused.seconds,
        "limit_alone": alone.statuses[200] / alone.seconds,
        "limit_beside": under.statuses[200] / under.seconds,
    }


def repeated(seconds: float) -> Figures:
    """At the limit, with a tenth of the messages repeats: messages a second, and how many of them were kept twice."""
    with serving("whole") as server, senders(1) as pool:
        warm = pool.submit(send, _load(server, seconds=min(WARM_S, seconds), label="warm")).result()
        heard = pool.submit(send, _load(server, seconds=seconds, again=AGAIN)).result()
        answered = len(heard.taken())
        unique = len(set(bodies_of(answered)))
        kept = _dealt_with(server, len(warm.taken()) + unique) - len(warm.taken())
    _all_taken(heard)
    return {
        "per_second": answered / heard.seconds,
        "answered": answered,
        "repeats": answered - unique,
        "kept": kept,
        "missing": max(unique - kept, 0),
        "kept_twice": max(kept - unique, 0),
        **heard.percentiles(),
    }


def _dealt_with(server: Serving, count: int) -> int:
    """Wait until so many messages are dealt with, or no further one is; return how many are."""
    before = -1
    while (now := server.kept()) not in {before, count}:
        before = now
        time.sleep(1)
    return now


def bodies_of(count: int) -> list[bytes]:
    """Return the first messages of a load with repeats."""
    return [body for _, body in zip(range(count), bodies("a", AGAIN), strict=False)]


async def normalised(mode: str, count: int) -> Figures:
    """Messages wait for the normaliser, each about a new affiliate: applied a second, CPU-seconds per 1,000."""
    with TemporaryDirectory() as name:
        settings, data_dir, dialects = Settings(data_dir=Path(name), port=0), DataDir(Path(name)), load_dialects()
        with data_dir.lock():
            store = open_store(settings, data_dir, World())
            try:
                await source(store, mode)
                guard = Guard(Rules.parse("127.0.0.0/8"))
                url = await guard.judge("https://127.0.0.1:9999/")
                guard.close()
                await store.run(lambda tx: _prepare(tx, dialects, url, count))
                seconds, used = await _rounds(Normaliser(store, dialects))
                applied = await store.read(lambda tx: messages(tx, "applied"))
            finally:
                await store.close()
    assert applied == count, f"{applied} of {count} were applied"
    return {"per_second": count / seconds, "cpu_s_per_1000": used / count * 1000}


async def _rounds(normaliser: Normaliser) -> tuple[float, float]:
    """Have everything normalised; return the seconds it took, and the CPU's."""
    began, cpu = time.perf_counter(), time.process_time()
    while await normaliser.round():
        pass
    return time.perf_counter() - began, time.process_time() - cpu


def _prepare(tx: Any, dialects: Any, url: Any, count: int) -> None:
    [organization] = tx.registry.organizations()
    wish = endpoints.Wish(url=url, fields={"paused": True})
    endpoints.create(tx, organization, dialects, "standard", wish)
    [made] = tx.registry.find(Source, organization.id)
    kept = [
        _kept(tx, organization, made, body, number) for number, body in zip(range(count), bodies("n"), strict=False)
    ]
    tx.inbox.keep(kept)


def _kept(tx: Any, organization: Organization, made: Source, body: bytes, number: int) -> Kept:
    return Kept(
        id=tx.world.new_id("message"),
        organization_id=organization.id,
        source_id=made.id,
        dialect=made.dialect,
        dedupe_key=str(number),
        body=body,
        size=len(body),
        received_at=tx.now,
    )


def _load(server: Serving, *, seconds: float, rate: float | None = None, label: str = "a", again: int = 0) -> Load:
    what = Messages(server.path, SECRET, label, again=again)
    return Load(server.port, what, seconds, rate=rate, most=int(15_000 * seconds))


def _all_taken(heard: Heard) -> None:
    assert set(heard.statuses) == {200}, heard.statuses
