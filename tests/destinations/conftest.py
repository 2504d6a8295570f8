"""What the tests of destinations share: a certificate authority, and a house to play scenes in."""

from pathlib import Path

import pytest
import trustme
from receivers import House


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture
def house(authority: trustme.CA, ca_file: Path) -> House:
    return House(authority, ca_file)
