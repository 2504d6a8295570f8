"""What every test shares: a quiet log, and the databases that the store's rooms are tested on."""

import pytest
import structlog
from servers import Schemas, find_server

from affwire.testing import house

ON_BOTH = ("store", "services", "engine", "conformance")
"""Rooms whose tests that act in a house are run on SQLite and on PostgreSQL."""
SAMPLE = ("test_streams.py", "test_jobs.py", "test_history.py", "test_batches.py", "test_writing.py", "test_own_ids.py")
"""Tests of the API that are run on both: feeds, jobs, lists, many changes in one commit, idempotency."""


@pytest.fixture(autouse=True)
def quiet_log() -> None:
    """A server that was started within a test has the log write to a stream that is closed by now."""
    structlog.configure(
        processors=[structlog.processors.KeyValueRenderer()],
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )


@pytest.fixture(scope="session")
def postgres_url():
    yield from find_server()


@pytest.fixture(scope="session")
def schemas(postgres_url):
    schemas = Schemas(postgres_url)
    yield schemas
    schemas.close()


@pytest.fixture(autouse=True)
def database(request, monkeypatch):
    """Have every house of the test stand on the database at hand; return its name."""
    name = getattr(request, "param", "sqlite")
    if name == "postgres":
        monkeypatch.setattr(house, "open_memory_store", request.getfixturevalue("schemas").store)
    return name


def pytest_generate_tests(metafunc):
    path = metafunc.definition.path
    stands = hasattr(metafunc.module, "MemoryHouse") or {"house", "office"} & set(metafunc.fixturenames)
    if stands and (path.parent.name in ON_BOTH or path.name in SAMPLE):
        metafunc.parametrize("database", ["sqlite", "postgres"], indirect=True)
