"""Does one's trouble delay another? Each case is run with and without the trouble, in turns; medians are compared.

    python bench/fairness.py [sick burst pile retries storm] [--rounds 3] [--endpoints 1000] [--rate 50] [--seconds 20] ...

Every trial is a whole affwire in a process of its own, with a HTTPS sink in another; one JSON line a trial, one a comparison.
"""

import argparse
import asyncio
import json
import math
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import structlog
import trustme
import uvloop

from affwire.app import House, open_house
from affwire.model.endpoints import Endpoint
from affwire.model.events import Actor
from affwire.model.registry import Organization
from affwire.services import endpoints, organizations, programs
from affwire.services.actions import Caller
from affwire.services.events import acting
from affwire.settings import Settings

Figures = dict[str, float]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FAILED = b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno"


class Talk(asyncio.Protocol):
    """A connection of the sink: /hang is never answered, /fail with 500, /all at first, /most two of three times."""

    def __init__(self, seen: list[tuple[float, str, str]], tried: set[tuple[str, str]]) -> None:
        self.seen, self.tried, self.data = seen, tried, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            lines = self.data[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
            size = end + 4 + int(headers["content-length"])
            if len(self.data) < size:
                return
            self.data = self.data[size:]
            self.answer(lines[0].split()[1], headers["webhook-id"])

    def answer(self, path: str, event_id: str) -> None:
        self.seen.append((time.monotonic(), path, event_id))
        if path.startswith("/hang"):
            return
        first = (path, event_id) not in self.tried and (path.startswith("/all") or len(self.tried) % 3 > 0)
        failing = path.startswith("/fail") or (path.startswith(("/all", "/most")) and first)
        self.tried.add((path, event_id))
        self.transport.write(FAILED if failing else OK)


def sink(certificate: str, pipe: Connection) -> None:
    """Serve in a process of its own until told to stop; hand over what was seen when asked."""

    async def main() -> None:
        seen: list[tuple[float, str, str]] = []
        tried: set[tuple[str, str]] = set()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Talk(seen, tried), "127.0.0.1", 0, ssl=tls, backlog=4096)
        pipe.send(server.sockets[0].getsockname()[1])
        while await loop.run_in_executor(None, pipe.recv) == "seen":
            pipe.send(seen)

    with suppress(EOFError):
        uvloop.run(main())


@dataclass
class Stage:
    """An open house, its sink, and when each event was due (seconds on the monotonic clock, the same in both processes)."""

    house: House
    url: str
    pipe: Connection
    due: dict[str, float] = field(default_factory=dict)
    committed: dict[str, float] = field(default_factory=dict)

    async def organization(self, slug: str) -> Organization:
        fields = {"slug": slug, "name": slug, "timezone": "UTC", "unlimited_endpoints": True}
        return (await self.house.store.run(lambda tx: organizations.create(tx, fields)))[0]

    async def endpoints(self, owner: Organization, paths: list[str], **fields: Any) -> list[str]:
        """Create `standard` endpoints at the sink, in one transaction; return their ids."""
        guard = self.house.app.state.desk.guard
        wishes = [endpoints.Wish(url=await guard.judge(self.url + path), fields=fields) for path in paths]
        made = await self.house.store.run(
            lambda tx: [endpoints.create(tx, owner, self.house.dialects, "standard", wish) for wish in wishes]
        )
        return [one[0].id for one in made]

    async def change(self, owner: Organization, due: float | None = None) -> str:
        """Make one event, due at that time, and note when it was."""
        due = time.monotonic() if due is None else due

        def make(tx: Any) -> str:
            with acting(tx, Caller(owner.id, Actor("operator")), self.house.dialects) as action:
                programs.create(action, {"name": "Spring"})
            return action.events[0].id

        event_id: str = await self.house.store.run(make)
        self.due[event_id] = due
        self.committed[event_id] = time.monotonic()
        return event_id

    async def many(self, owner: Organization, count: int, at_once: int = 32) -> None:
        """Make events as fast as so many clients can."""
        left = iter(range(count))

        async def client() -> None:
            for _ in left:
                await self.change(owner)

        await asyncio.gather(*(client() for _ in range(at_once)))

    async def at_rate(self, owners: list[Organization], rate: float, seconds: float) -> set[str]:
        """Make events due at even distances, whatever becomes of the earlier ones; return their ids."""
        began, tasks = time.monotonic(), []
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(due - time.monotonic(), 0))
            tasks.append(asyncio.create_task(self.change(owners[number % len(owners)], due)))
        return set(await asyncio.gather(*tasks))

    async def change_all(self, owner: Organization, **fields: Any) -> None:
        """Change all endpoints of an organization."""
        wish = endpoints.Wish(fields=fields)

        def change(tx: Any) -> None:
            for one in tx.registry.find(Endpoint, owner.id):
                endpoints.update(tx, owner, self.house.dialects, one.id, wish)

        await self.house.store.run(change)

    async def has_work(self, few: float) -> bool:
        """Return whether more than a few deliveries wait for their time or are under way."""
        counts = await self.house.store.read(lambda tx: tx.outbox.counts())
        return sum(counts.get(status, 0) for status in ("pending", "leased")) > few

    def seen(self) -> list[tuple[float, str, str]]:
        self.pipe.send("seen")
        return list(self.pipe.recv())

    def waits(self, events: set[str], path: str = "/well") -> list[float]:
        """Return the ms from when each event was due to its first arrival at each path of that kind."""
        first: dict[tuple[str, str], float] = {}
        for at, where, event_id in self.seen():
            if event_id in events and where.startswith(path):
                first.setdefault((event_id, where), (at - self.due[event_id]) * 1000)
        return sorted(first.values())

    async def waits_of(self, events: set[str], count: int, seconds: float = 120) -> list[float]:
        """Return as `waits` does when `count` have arrived, or with what has arrived after that time."""
        end = time.monotonic() + seconds
        while len(waits := self.waits(events)) < count and time.monotonic() < end:  # noqa: ASYNC110 -- another process has it
            await asyncio.sleep(0.5)
        return waits


def percentiles(waits: list[float]) -> Figures:
    if len(waits) < 2:
        return {"arrived": len(waits), "p50_ms": math.inf, "p95_ms": math.inf, "p99_ms": math.inf}
    cuts = quantiles(waits, n=100)
    return {"arrived": len(waits), "p50_ms": cuts[49], "p95_ms": cuts[94], "p99_ms": cuts[98], "max_ms": waits[-1]}


async def sick(stage: Stage, wish: argparse.Namespace, *, trouble: bool) -> Figures:
    """Events to many endpoints, of which some hang and some fail: how late the others' deliveries arrive."""
    owners = [await stage.organization(f"o{number}") for number in range(wish.organizations)]
    each, hung, failing = (count // wish.organizations for count in (wish.endpoints, wish.hang, wish.fail))
    for number, owner in enumerate(owners):
        ill = [f"hang{number}-{n}" for n in range(hung)] + [f"fail{number}-{n}" for n in range(failing)]
        well = [f"well{number}-{n}" for n in range(each - hung - failing)]
        await stage.endpoints(owner, (ill if trouble else []) + well, policy={"total_timeout": wish.timeout})
    await stage.at_rate(owners, wish.rate, 3)
    cpu = time.process_time()
    events = await stage.at_rate(owners, wish.rate, wish.seconds)
    cpu = time.process_time() - cpu
    waits = await stage.waits_of(events, len(events) * (each - hung - failing))
    return {**percentiles(waits), "expected": len(events) * (each - hung - failing), "cpu": cpu / wish.seconds}


async def burst(stage: Stage, wish: argparse.Namespace, *, trouble: bool) -> Figures:
    """One organization makes events at a steady rate; another makes 50,000 at once, from 32 clients."""
    quiet, loud = await _two(stage, wish)
    flood = asyncio.create_task(stage.many(loud, wish.burst // wish.loud) if trouble else asyncio.sleep(0))
    return await _quiet_while(stage, quiet, wish, flood)


async def pile(stage: Stage, wish: argparse.Namespace, *, trouble: bool) -> Figures:
    """The same, but the 50,000 were accepted before, wait for paused endpoints, and are let go at once."""
    quiet, loud = await _two(stage, wish, paused=True)
    if trouble:
        await stage.many(loud, wish.burst // wish.loud)
    return await _quiet_while(stage, quiet, wish, asyncio.create_task(stage.change_all(loud, paused=False)))


async def _two(stage: Stage, wish: argparse.Namespace, **fields: Any) -> tuple[Organization, Organization]:
    quiet, loud = await stage.organization("quiet"), await stage.organization("loud")
    await stage.endpoints(quiet, ["well0", "well1"])
    await stage.endpoints(loud, [f"loud{number}" for number in range(wish.loud)], **fields)
    await stage.at_rate([quiet], wish.rate, 2)
    return quiet, loud


async def _quiet_while(
    stage: Stage, quiet: Organization, wish: argparse.Namespace, flood: "asyncio.Task[None]"
) -> Figures:
    """Measure until everything of the flood has arrived, or for the seconds asked for."""
    began, cpu, events = time.monotonic(), time.process_time(), set[str]()
    while time.monotonic() - began < wish.seconds or not flood.done() or await stage.has_work(wish.rate):
        events |= await stage.at_rate([quiet], wish.rate, 1)
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    waits = await stage.waits_of(events, len(events) * 2)
    return {
        **percentiles(waits),
        "committed_p95_ms": quantiles(stage.late[-len(events) :], n=100)[94] * 1000,
        "seconds": seconds,
        "cpu": cpu / seconds,
    }


async def retries(stage: Stage, wish: argparse.Namespace, *, trouble: bool) -> Figures:
    """Old retries wait at an endpoint with a rate, all due, and new events come: how late their first tries arrive."""
    owner = await stage.organization("one")
    policy = {"retry_schedule": [wish.wait] * 9}
    await stage.endpoints(owner, ["most0"], policy=policy)
    if trouble:
        await stage.many(owner, wish.backlog * 3 // 2)
    while len({event_id for _, _, event_id in stage.seen()}) < len(stage.due):  # noqa: ASYNC110 -- as above
        await asyncio.sleep(0.1)
    await stage.change_all(owner, paused=True)
    await asyncio.sleep(wish.wait)
    await stage.change_all(owner, paused=False, policy={**policy, "rate_per_second": wish.rate * 4})
    older = len(stage.seen())
    events = await stage.at_rate([owner], wish.rate, wish.seconds)
    older = len([one for one in stage.seen()[older:] if one[2] not in events])
    await asyncio.sleep(1)
    return {**percentiles(stage.waits(events, "/most")), "older_tries_meanwhile": older}


async def storm(stage: Stage, wish: argparse.Namespace, *, trouble: bool) -> Figures:
    """Many deliveries fail at the same time; when do their second tries arrive?"""
    owner = await stage.organization("one")
    paths = [f"{'all' if trouble else 'well'}{number}" for number in range(wish.endpoints)]
    policy = {"retry_schedule": [wish.wait], "max_in_flight": 10}
    await stage.endpoints(owner, paths, policy=policy, paused=True)
    await stage.many(owner, wish.storm // wish.endpoints)

    await stage.change_all(owner, paused=False)
    wanted = wish.storm * (2 if trouble else 1)
    while len(stage.seen()) < wanted:  # noqa: ASYNC110 -- as above
        await asyncio.sleep(0.5)
    tries: Counter[tuple[str, str]] = Counter()
    last = [at for at, where, event_id in stage.seen() if _nth(tries, (where, event_id)) == (2 if trouble else 1)]
    bins = Counter(int(at - min(last)) for at in last)
    span = max(last) - min(last)
    return {
        "seconds": span,
        "bins": max(bins) + 1,
        "peak": max(bins.values()),
        "peak_of_mean": max(bins.values()) / (len(last) / (max(bins) + 1)),
    }


def _nth(tries: Counter[tuple[str, str]], key: tuple[str, str]) -> int:
    tries[key] += 1
    return tries[key]


CASES: dict[str, Callable[..., Awaitable[Figures]]] = {
    "sick": sick,
    "burst": burst,
    "pile": pile,
    "retries": retries,
    "storm": storm,
}
COMPARED = {"sick": "p99_ms", "burst": "p95_ms", "pile": "p95_ms", "retries": "p99_ms", "storm": "peak_of_mean"}


def trial(name: str, wish: argparse.Namespace, trouble: bool) -> Figures:
    """Run a case in this process, with a sink in another."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[lambda *_: ""])

    async def main(folder: Path) -> Figures:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "cert.pem")
        ours, theirs = Pipe()
        process = get_context("spawn").Process(target=sink, args=(str(folder / "cert.pem"), theirs), daemon=True)
        process.start()
        settings = Settings(data_dir=folder, allow_networks="127.0.0.0/8", ca_file=folder / "ca.pem", port=0)
        try:
            url = f"https://127.0.0.1:{ours.recv()}/"
            async with open_house(settings) as house:
                return await CASES[name](Stage(house, url, ours), wish, trouble=trouble)
        finally:
            process.kill()

    with TemporaryDirectory() as folder:
        return uvloop.run(main(Path(folder)))


def compare(name: str, wish: argparse.Namespace) -> None:
    figures: dict[bool, list[float]] = {False: [], True: []}
    for number in range(wish.rounds):
        for trouble in (False, True):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
                found = alone.submit(trial, name, wish, trouble).result()
            figures[trouble].append(found[COMPARED[name]])
            rounded = {key: round(value, 2) for key, value in found.items()}
            print(json.dumps({"case": name, "round": number, "trouble": trouble, **rounded}), flush=True)
    without, beside = median(figures[False]), median(figures[True])
    line = {"figure": f"fairness: {name}", COMPARED[name]: round(without, 2), "beside": round(beside, 2)}
    print(json.dumps({**line, "ratio": round(beside / without, 2)}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Does one's trouble delay another?")
    parser.add_argument("cases", nargs="*", default=list(CASES))
    for name, default in {
        "rounds": 3,
        "endpoints": 1000,
        "organizations": 50,
        "hang": 100,
        "fail": 100,
        "rate": 50,
        "seconds": 20,
        "timeout": 15,
        "burst": 50_000,
        "loud": 10,
        "backlog": 50_000,
        "storm": 10_000,
        "wait": 5,
    }.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    wish = parser.parse_args()
    for name in wish.cases:
        compare(name, wish)


if __name__ == "__main__":
    main()
