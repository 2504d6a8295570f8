"""`affwire stats`: how the installation does, as a panel on a terminal, as lines in a pipe, as JSON for a program.

Rule: one interval is two readings; what it says of the queue is of the second one.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from typing import Any, Final

from affwire.cli.client import Client, Unanswered, open_client, operator_key, reading
from affwire.cli.readings import Reading, between, read
from affwire.cli.stats_panel import live
from affwire.cli.terminal import say, show_facts, show_json, show_line, show_table
from affwire.model.times import rfc3339

EVERY_MIN: Final = 0.05
"""Seconds: oftener than that the asking itself would be the load."""

_PASSING: Final = frozenset({"server_away", "server_slow"})

Interval = dict[str, Any]


async def stats(*, watch: bool, every: float, also: Sequence[str], as_json: bool) -> None:
    """Show one interval, or with `watch` one after the other until the reader has enough.

    `also`: addresses of further processes (workers, API servers) that are counted in.
    """
    with ExitStack() as stack:
        key = operator_key()
        first = stack.enter_context(open_client(key=key, needs_key=False))
        clients = [first, *(stack.enter_context(open_client(url, key, needs_key=False)) for url in also)]
        intervals = _intervals(clients, max(every, EVERY_MIN), patient=watch)
        if not watch:
            _show_one(await anext(intervals), as_json=as_json)
        elif as_json or not sys.stdout.isatty():
            async for interval in intervals:
                show_json(interval, at_once=True) if as_json else print(line(interval), flush=True)
        else:
            await live(intervals, first.address)


def line(interval: Interval) -> str:
    """Return an interval as one line of name=value pairs, for a log or a pipe."""
    queue = interval["queue"]
    shown = {
        "events/s": interval["events_per_second"],
        "attempts/s": interval["attempts_per_second"],
        "failed/s": interval["failed_per_second"],
        "messages/s": interval["messages_per_second"],
        "in_flight": interval["in_flight"],
        "pending": queue["pending"] + queue["behind"],
        "held": queue["held"],
        "oldest_ms": interval["oldest_due_ms"],
        "attempt_p95_ms": interval["attempt_p95_ms"],
        "arrival_p95_ms": interval["arrival_p95_ms"],
        "tripped": interval["endpoints"]["tripped"],
    }
    pairs = (f"{name}={'-' if value is None else value}" for name, value in shown.items())
    return f"{interval['at']} {' '.join(pairs)}"


async def _intervals(clients: Sequence[Client], every: float, *, patient: bool) -> AsyncIterator[Interval]:
    """Yield interval after interval; who is `patient` waits for a server that is away for a while."""
    before = await asyncio.to_thread(_read, clients)
    while True:
        await asyncio.sleep(every)
        try:
            after = await asyncio.to_thread(_read, clients)
            overview = await asyncio.to_thread(clients[0].get, "/v1/stats")
        except Unanswered as answer:
            if not patient or answer.code not in _PASSING:
                raise
            say(answer.sentence)
            continue
        with reading(clients[0]):
            yield {"at": rfc3339(time.time_ns() // 1_000_000), **between(before, after), **overview}
        before = after


def _read(clients: Sequence[Client]) -> Reading:
    with reading(clients[0]):
        return read([client.get_bytes("/metrics").decode() for client in clients], time.monotonic())


def _show_one(interval: Interval, *, as_json: bool) -> None:
    if as_json:
        show_json(interval)
        return
    worst = interval.pop("worst_endpoints")
    show_facts([(name, value) for name, value in interval.items() if value is not None])
    if worst:
        show_line("")
        columns = ("endpoint_id", "host", "state", "failures_in_row", "oldest_due_ms", "last_error")
        show_table(
            ("ENDPOINT", "HOST", "STATE", "FAILURES", "WAITS MS", "LAST ERROR"), [_row(one, columns) for one in worst]
        )


def _row(record: dict[str, Any], columns: Sequence[str]) -> list[Any]:
    return [record[name] for name in columns]
