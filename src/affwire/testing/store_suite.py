"""One suite for every storage engine, ours and third parties'. A check is a function of an engine's opener.

    @pytest.mark.parametrize("check", store_suite.CHECKS, ids=store_suite.name)
    def test_my_engine(check):
        check(open_my_engine)

The opener takes `make_tx` and `prepare` (see engines/base.py) and returns an engine on an empty database.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from affwire.errors import AffwireError, Broken, Busy, Conflict
from affwire.store.engines.base import Engine, MakeTx, Prepare
from affwire.store.tables import meta, metadata
from affwire.store.tx import Tx
from affwire.store.vault import Vault
from affwire.testing.card_suite import Unfit, demand
from affwire.world import World

Work = Callable[[Tx], Any]
Opener = Callable[[MakeTx, Prepare], Engine]
Check = Callable[[Opener], None]

WAIT_S: Final = 10
"""Seconds after which a check gives up on an answer."""


def name(check: Check) -> str:
    """Return what a check proves, as a test's id."""
    return check.__name__


def make_tx(connection: Connection) -> Tx:
    """Return a transaction of a fixed time and key."""
    return Tx(connection, World(), Vault(b"k" * 32), 1)


def prepare(connection: Connection) -> None:
    """Make the one small table the works of this suite write to."""
    metadata.create_all(connection, tables=[meta])


def insert(row: str, value: str = "") -> Work:
    """Return a work that writes a row and returns its name."""

    def work(tx: Tx) -> str:
        tx.connection.execute(meta.insert().values(name=row, value=value))
        return row

    return work


def insert_then_refuse(row: str) -> Work:
    """Return a work that writes a row and then thinks better of it."""

    def work(tx: Tx) -> None:
        insert(row)(tx)
        raise Conflict("no", "No.")

    return work


def names(tx: Tx) -> list[str]:
    """Return the names of all rows, sorted; a work by itself."""
    return list(tx.connection.execute(meta.select().order_by(meta.c.name)).scalars())


class Held:
    """A work that keeps its thread busy until let go, so that others gather behind it."""

    def __init__(self) -> None:
        self.entered, self.gone = threading.Event(), threading.Event()

    def __call__(self, _: Tx) -> None:
        self.entered.set()
        demand(self.gone.wait(WAIT_S), "a held work was never let go")


def gather(engine: Engine, works: list[Work]) -> list[Future[Any]]:
    """Have `works` meet in line, and return their futures when all are done."""
    if engine.inline:
        return [engine.submit(work) for work in works]
    held = Held()
    engine.submit(held)
    held.entered.wait(WAIT_S)
    futures = [engine.submit(work) for work in works]
    held.gone.set()
    for future in futures:
        future.exception(WAIT_S)
    return futures


def a_work_is_kept_and_its_result_returned(opener: Opener) -> None:
    """What a work wrote is read by the next, and its result comes back."""
    with _opened(opener) as engine:
        demand(engine.submit(insert("a")).result(WAIT_S) == "a", "the result did not come back")
        demand(engine.read(names).result(WAIT_S) == ["a"], "the row was not kept")


def a_refused_work_leaves_nothing(opener: Opener) -> None:
    """What a work raises is raised, and what it wrote is undone."""
    with _opened(opener) as engine:
        _raises(Conflict, engine.submit(insert_then_refuse("a")))
        demand(engine.read(names).result(WAIT_S) == [], "a refused work's row was kept")
        demand(engine.submit(insert("b")).result(WAIT_S) == "b", "no work is taken after a refusal")


def a_refusal_undoes_nobody_elses_work(opener: Opener) -> None:
    """Works that meet in line are kept or undone each by itself."""
    with _opened(opener) as engine:
        works = [insert("a"), insert_then_refuse("b"), insert("c"), insert_then_refuse("d"), insert("e")]
        refused = [future.exception() is not None for future in gather(engine, works)]
        demand(refused == [False, True, False, True, False], f"refused: {refused}")
        demand(engine.read(names).result(WAIT_S) == ["a", "c", "e"], "a refusal undid another's row")


def works_are_carried_out_in_order(opener: Opener) -> None:
    """A work sees what was in line before it."""
    with _opened(opener) as engine:
        rows = [f"{number:03}" for number in range(100)]
        *_, last = gather(engine, [*map(insert, rows), names])
        demand(last.result() == rows, "a work did not see those before it")


def a_databases_error_is_the_works_own(opener: Opener) -> None:
    """A broken constraint is raised to its work alone, without the values."""
    with _opened(opener) as engine:
        engine.submit(insert("a")).result(WAIT_S)
        error = _raises(DBAPIError, engine.submit(insert("a", "whsec_top")))
        demand("whsec_top" not in str(error), "an error repeats the values it met")
        demand(engine.read(names).result(WAIT_S) == ["a"], "the rows are not as before")


def a_read_cannot_write(opener: Opener) -> None:
    """A write in a read is refused, and writes go on."""
    with _opened(opener) as engine:
        _raises(DBAPIError, engine.read(insert("a")))
        demand(engine.read(names).result(WAIT_S) == [], "a read wrote")
        demand(engine.submit(insert("b")).result(WAIT_S) == "b", "no work is taken after a read")


def a_wake_follows_the_commit_that_asked(opener: Opener) -> None:
    """Whoever listens is called once per commit that asked, and sees what it wrote; a refusal wakes nobody."""
    with _opened(opener) as engine:
        rung: list[int] = []
        engine.on_wake(lambda: rung.append(1))
        engine.submit(insert("a")).result(WAIT_S)
        engine.submit(_waking(insert("b"))).result(WAIT_S)
        engine.submit(_waking(insert_then_refuse("c"))).exception(WAIT_S)
        engine.submit(insert("d")).result(WAIT_S)
    demand(rung == [1], f"woken {len(rung)} times instead of once")


def a_failing_wake_stops_nothing(opener: Opener) -> None:
    """A listener that raises keeps neither answers nor commits back."""
    with _opened(opener) as engine:
        engine.on_wake(_fail)
        engine.submit(lambda tx: tx.wake()).result(WAIT_S)
        demand(engine.submit(insert("a")).result(WAIT_S) == "a", "no work is taken after a failing wake")


def stop_iteration_is_answered(opener: Opener) -> None:
    """StopIteration, which no asyncio future can carry, comes back as errors.Broken."""
    with _opened(opener) as engine:
        _raises(Broken, engine.submit(lambda _: next(iter(()))))


def a_closed_engine_takes_no_work(opener: Opener) -> None:
    """Closing twice is closing once, and afterwards everything is refused."""
    engine = opener(make_tx, prepare)
    engine.close()
    engine.close()
    for ask in (engine.submit, engine.read):
        try:
            ask(names)
        except Busy:
            continue
        demand(False, f"{ask.__name__} took work after close")


CHECKS: Final[tuple[Check, ...]] = (
    a_work_is_kept_and_its_result_returned,
    a_refused_work_leaves_nothing,
    a_refusal_undoes_nobody_elses_work,
    works_are_carried_out_in_order,
    a_databases_error_is_the_works_own,
    a_read_cannot_write,
    a_wake_follows_the_commit_that_asked,
    a_failing_wake_stops_nothing,
    stop_iteration_is_answered,
    a_closed_engine_takes_no_work,
)


def _opened(opener: Opener) -> closing[Engine]:
    return closing(opener(make_tx, prepare))


def _waking(work: Work) -> Work:
    def waking(tx: Tx) -> Any:
        tx.wake()
        tx.wake()
        return work(tx)

    return waking


def _fail() -> None:
    raise ValueError("a listener's own fault")


def _raises(kind: type[AffwireError | DBAPIError], future: Future[Any]) -> BaseException:
    error = future.exception(WAIT_S)
    if not isinstance(error, kind):
        raise Unfit(f"{kind.__name__} was due, not {error!r}")
    return error
