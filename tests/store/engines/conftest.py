"""Engines that are closed whatever becomes of the test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from affwire.store.engines.base import Engine, Limits
from affwire.store.engines.sqlite import open_sqlite
from affwire.testing import store_suite


@pytest.fixture
def open_engine(tmp_path: Path) -> Iterator[Callable[..., Engine]]:
    """Open the database a.db of the test's own directory, or one in memory."""
    opened: list[Engine] = []

    def open_one(*, memory: bool = False, **limits: int) -> Engine:
        path = None if memory else tmp_path / "a.db"
        engine = open_sqlite(path, store_suite.make_tx, prepare=store_suite.prepare, limits=Limits(**limits))
        opened.append(engine)
        return engine

    yield open_one
    for engine in opened:
        engine.close()


@pytest.fixture
def threaded(open_engine: Callable[..., Engine]) -> Engine:
    """Return an engine whose works share a commit however slow the machine is; its other limits are the usual ones."""
    return open_engine(commit_ms=60_000)
