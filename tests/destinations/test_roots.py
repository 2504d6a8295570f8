"""The operator's authority adds to the machine's."""

from pathlib import Path

import pytest

from affwire.destinations.roots import Roots, system_roots

PEM = "-----BEGIN CERTIFICATE-----\nown\n-----END CERTIFICATE-----\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "machine.pem"
    path.write_text("-----BEGIN CERTIFICATE-----\nmachine\n-----END CERTIFICATE-----")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


def test_without_an_own_authority_the_machines_file_is_used(machine: Path) -> None:
    roots = Roots()
    assert roots.path == machine
    roots.close()


def test_an_own_authority_is_added_in_a_file_that_goes_away(machine: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.pem"
    own.write_text(PEM)
    roots = Roots(own)
    assert roots.path
    text = roots.path.read_text()
    assert "machine" in text
    assert PEM in text
    assert roots.path != machine
    roots.close()
    assert not roots.path.exists()


def test_a_file_without_a_certificate_is_named(tmp_path: Path) -> None:
    own = tmp_path / "own.pem"
    own.write_bytes(b"\xff not a certificate")
    with pytest.raises(ValueError, match=r"own\.pem"):
        Roots(own)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Roots(tmp_path / "none.pem")


def test_a_machine_told_a_missing_file_falls_back_to_a_known_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/does/not/exist.pem")
    path = system_roots()
    assert path is None or path.is_file()
