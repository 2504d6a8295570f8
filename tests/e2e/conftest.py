"""A receiver, an installation and workers for a test, all ended with it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from installation import MASTER_KEY, HttpsReceiver, Installation, Worker


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[HttpsReceiver]:
    receiver = HttpsReceiver(tmp_path)
    yield receiver
    receiver.close()


@pytest.fixture
def installation(tmp_path: Path, receiver: HttpsReceiver) -> Iterator[Installation]:
    installation = Installation(tmp_path, receiver.ca_file)
    yield installation
    installation.close()


@pytest.fixture
def house(tmp_path: Path, receiver: HttpsReceiver, schemas: Any) -> Iterator[Installation]:
    """A server in front of PostgreSQL that leaves the delivering to workers."""
    installation = Installation(
        tmp_path, receiver.ca_file, AFFWIRE_DATABASE_URL=schemas.new(), AFFWIRE_MASTER_KEY=MASTER_KEY
    )
    installation.arguments = ("--no-worker",)
    yield installation
    installation.close()


@pytest.fixture
def hire(house: Installation, tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Returns a function that starts a worker, of another program if one is given."""
    hired: list[Worker] = []

    def one(program: str | None = None) -> Worker:
        hired.append(Worker(house, tmp_path / f"worker-{len(hired)}", program=program))
        return hired[-1]

    yield one
    for worker in hired:
        if worker.process.poll() is None:
            worker.end()
