"""A receiver and an installation for a test, both ended with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from installation import HttpsReceiver, Installation


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
