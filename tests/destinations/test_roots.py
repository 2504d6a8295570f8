"""The operator's authority adds to the machine's."""

import os
import tempfile
from pathlib import Path

import pytest

from affwire.destinations.roots import BUNDLE, Roots, system_roots

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


@pytest.mark.parametrize("name", ["none.pem", "."])
def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be read: (No such file|Is a directory)"):
        Roots(tmp_path / name)


def test_the_bundle_lies_in_the_folder_it_is_given_and_not_in_a_shared_one(machine: Path, tmp_path: Path) -> None:
    assert machine
    (tmp_path / "own.pem").write_text(PEM)
    roots = Roots(tmp_path / "own.pem", tmp_path)
    assert roots.path == tmp_path / BUNDLE
    assert roots.path.stat().st_mode & 0o777 == 0o600
    assert PEM in roots.path.read_text()
    roots.close()
    assert not roots.path.exists()


def test_what_a_killed_process_left_is_replaced(machine: Path, tmp_path: Path) -> None:
    assert machine
    (tmp_path / "own.pem").write_text(PEM)
    for left in (tmp_path / BUNDLE, tmp_path / f"{BUNDLE}.new"):
        left.write_text("old")
        left.chmod(0o644)
    roots = Roots(tmp_path / "own.pem", tmp_path)
    assert roots.path
    assert roots.path.stat().st_mode & 0o777 == 0o600
    assert "old" not in roots.path.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([BUNDLE, "machine.pem", "own.pem"])


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="only Linux has files in memory that a path can open")
def test_a_killed_process_leaves_no_bundle_behind(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    (tmp_path / "own.pem").write_text(PEM)
    roots = Roots(tmp_path / "own.pem")
    assert roots.path
    assert [roots.path.read_text().count(text) for text in ("machine", PEM)] == [1, 1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["machine.pem", "own.pem"]
    roots.close()
    assert not roots.path.exists()


def test_where_every_file_has_a_name_the_bundle_is_in_a_private_folder_that_goes_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("affwire.destinations.roots._NAMELESS", False)
    (tmp_path / "own.pem").write_text(PEM)
    roots = Roots(tmp_path / "own.pem")
    assert roots.path
    folder = roots.path.parent
    assert folder.stat().st_mode & 0o777 == 0o700
    roots.close()
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "own.pem").write_text(PEM)
    with pytest.raises(FileNotFoundError):
        Roots(tmp_path / "own.pem", tmp_path / "none")


def test_a_machine_told_a_missing_file_falls_back_to_a_known_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/does/not/exist.pem")
    path = system_roots()
    assert path is None or path.is_file()
