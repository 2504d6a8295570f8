"""Lookups are bounded, shared and kept apart: a slow name never holds up another."""

import asyncio
import socket
import threading
import time
from typing import Any

import pytest

from affwire.destinations import resolver as module
from affwire.destinations.addresses import parse
from affwire.destinations.resolver import SLOW_THREADS_MAX, THREADS_MAX, SystemResolver, ask_system

ONE = (parse("93.184.216.34"),)


class Asked:
    """A name server that counts its questions and may hold some of them back."""

    def __init__(self) -> None:
        self.hosts: list[str] = []
        self.release = threading.Event()
        self.most = self.now = 0

    def __call__(self, host: str) -> tuple[Any, ...]:
        self.hosts.append(host)
        self.now += 1
        self.most = max(self.most, self.now)
        if host.startswith("slow"):
            self.release.wait(5)
        self.now -= 1
        return () if host.startswith("empty") else ONE


def play(scene: Any) -> Asked:
    """Run a scene with a resolver that asks `Asked`."""

    async def run() -> None:
        resolver = SystemResolver(asked)
        try:
            await scene(resolver, asked)
        finally:
            asked.release.set()
            resolver.close()

    asked = Asked()
    asyncio.run(run())
    return asked


def test_an_answer_is_kept_for_a_while() -> None:
    async def scene(resolver: SystemResolver, _: Asked) -> None:
        assert [await resolver.lookup("a.example", 1_000) for _ in range(3)] == [ONE] * 3

    assert play(scene).hosts == ["a.example"]


def test_an_answer_is_asked_for_again_once_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FRESH_MS", 0)
    monkeypatch.setattr(module, "EMPTY_MS", 0)

    async def scene(resolver: SystemResolver, _: Asked) -> None:
        for host in ("a.example", "a.example", "empty.example", "empty.example"):
            await resolver.lookup(host, 1_000)

    assert len(play(scene).hosts) == 4


def test_no_answer_is_kept_for_less_long_than_an_answer() -> None:
    assert module.EMPTY_MS < module.FRESH_MS <= 5_000


def test_one_name_is_looked_up_once_for_everybody_who_waits() -> None:
    async def scene(resolver: SystemResolver, _: Asked) -> None:
        assert await asyncio.gather(*(resolver.lookup("a.example", 1_000) for _ in range(50))) == [ONE] * 50

    assert play(scene).hosts == ["a.example"]


def test_a_late_answer_is_no_answer_and_is_not_asked_for_twice() -> None:
    async def scene(resolver: SystemResolver, asked: Asked) -> None:
        started = time.monotonic()
        assert await resolver.lookup("slow.example", 30) == ()
        assert await resolver.lookup("slow.example", 30) == ()
        assert time.monotonic() - started < 1
        asked.release.set()
        assert await resolver.lookup("slow.example", 1_000) == ONE

    assert play(scene).hosts == ["slow.example"]


def test_a_cancelled_wait_leaves_the_lookup_to_others() -> None:
    async def scene(resolver: SystemResolver, asked: Asked) -> None:
        waiting = asyncio.create_task(resolver.lookup("slow.example", 5_000))
        await asyncio.sleep(0.01)
        other = asyncio.create_task(resolver.lookup("slow.example", 5_000))
        await asyncio.sleep(0.01)
        waiting.cancel()
        asked.release.set()
        assert await other == ONE

    play(scene)


def test_names_that_were_slow_leave_the_threads_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EMPTY_MS", 0)
    monkeypatch.setattr(module, "FRESH_MS", 0)

    async def scene(resolver: SystemResolver, asked: Asked) -> None:
        hosts = [f"slow{n}.example" for n in range(THREADS_MAX)]
        await asyncio.gather(*(resolver.lookup(host, 30) for host in hosts))
        asked.release.set()
        await asyncio.gather(*(resolver.lookup(host, 1_000) for host in hosts))
        asked.release.clear()
        stuck = [asyncio.create_task(resolver.lookup(host, 200)) for host in hosts]
        await asyncio.sleep(0.01)
        assert asked.now <= SLOW_THREADS_MAX
        assert await resolver.lookup("quick.example", 1_000) == ONE
        asked.release.set()
        await asyncio.gather(*stuck)

    assert play(scene).most <= THREADS_MAX


def test_a_full_lane_gives_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_MAX", 0)

    async def scene(resolver: SystemResolver, _: Asked) -> None:
        assert await resolver.lookup("a.example", 1_000) == ()

    assert play(scene).hosts == []


def test_memory_for_names_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NAMES_MAX", 3)

    async def scene(resolver: SystemResolver, _: Asked) -> None:
        for number in range(10):
            await resolver.lookup(f"a{number}.example", 1_000)
        assert len(resolver._kept) <= 3

    play(scene)


def test_the_machines_answer_is_read_without_repetitions(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(host: bytes, *_: Any, **__: Any) -> list[Any]:
        assert host == b"a.example"
        families = (socket.AF_INET, socket.AF_INET6)
        texts = ("1.1.1.1", "1.1.1.1", "fe80::1%eth0", "::ffff:10.0.0.1")
        return [(families[":" in text], socket.SOCK_STREAM, 6, "", (text, 0)) for text in texts]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert [str(address) for address in ask_system("a.example")] == ["1.1.1.1", "fe80::1", "10.0.0.1"]


def test_a_failure_of_the_machines_resolver_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert ask_system("a.example") == ()


def test_localhost_is_found_on_this_machine() -> None:
    async def scene() -> Any:
        resolver = SystemResolver()
        answer = await resolver.lookup("localhost", 2_000)
        resolver.close()
        return answer

    assert parse("127.0.0.1") in asyncio.run(scene())
