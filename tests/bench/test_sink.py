"""The benchmark's receiver: scripts decide by the event's number, arrivals are counted once a path."""

import http.client
import ssl
from collections.abc import Iterator

import pytest
from bench_path import Arrivals, Script, Sink


@pytest.fixture(scope="module")
def sink(tmp_path_factory) -> Iterator[Sink]:
    sink = Sink.start(tmp_path_factory.mktemp("sink"))
    yield sink
    sink.stop()


def post(sink: Sink, path: str, number: int) -> int:
    tls = ssl.create_default_context(cafile=str(sink.ca_file))
    http_client = http.client.HTTPSConnection("127.0.0.1", sink.port, context=tls, timeout=10)
    http_client.request("POST", path, f'{{"email":"event-{number:09d}@example.org"}}')
    status = http_client.getresponse().status
    http_client.close()
    return status


def test_a_script_without_rules_accepts_at_once() -> None:
    assert Script("/7/ok", 0).answer(1) == (200, 0.0)


def test_a_script_hangs_fails_and_delays_as_its_path_says() -> None:
    assert [Script(f"/7/{rule}", 0).answer(1) for rule in ("hang", "fail", "delay-50")] == [
        (0, 0.0),
        (500, 0.0),
        (200, 0.05),
    ]


def test_a_percentage_of_first_tries_fails_and_every_second_try_succeeds() -> None:
    script = Script("/7/first-fails-20", 0)
    first = [script.answer(number)[0] for number in range(1_000)]
    assert 150 < first.count(500) < 250
    assert {script.answer(number)[0] for number in range(1_000)} == {200}


def test_the_same_events_are_slow_in_every_run() -> None:
    waits = [[Script("/7/slow-10-500", 0).answer(number)[1] for number in range(500)] for _ in range(2)]
    assert waits[0] == waits[1]
    assert 30 < waits[0].count(0.5) < 70


def test_arrivals_are_told_by_number_path_and_status(sink) -> None:
    assert [post(sink, "/a/ok", 3), post(sink, "/a/ok", 3), post(sink, "/b/fail", 4)] == [200, 200, 500]
    assert sink.count() == 2
    taken = sink.take()
    assert list(taken.numbers) == [3, 3, 4]
    assert {number: len(times) for (_, number), times in taken.accepted().items()} == {3: 2}
    assert sink.count() == 0


def test_waiting_ends_when_nothing_comes_any_more(sink) -> None:
    sink.take()
    sink.wait(1, patience_s=0.05)
    assert sink.count() == 0


def test_speed_is_from_the_first_arrival_to_the_last() -> None:
    arrivals = Arrivals()
    for at in (1.0, 1.5, 2.0):
        arrivals.times.append(at)
    assert arrivals.per_second() == 2.0
    assert Arrivals().per_second() == 0.0
