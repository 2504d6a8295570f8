"""What is sealed opens only here, only there, and only with the key the database knows."""

import base64
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from affwire.errors import Broken, Refused
from affwire.store.engines.base import Limits
from affwire.store.engines.sqlite_file import SqliteFile
from affwire.store.tables import meta, metadata
from affwire.store.vault import Vault, key_from_text, key_id_of

KEY, OTHER = b"k" * 32, b"o" * 32
CONTEXT = "org_1/ep_1/secret"


@pytest.fixture
def connection() -> Iterator[Connection]:
    file = SqliteFile(None, Limits())
    connection = file.open_writer()
    metadata.create_all(connection, tables=[meta])
    yield connection
    connection.close()
    file.dispose()


def _rows(connection: Connection) -> int:
    return len(connection.execute(meta.select()).all())


@given(st.binary(max_size=200), st.text(max_size=50))
def test_what_is_sealed_opens_in_its_place(plain, context):
    vault = Vault(KEY)
    assert vault.open(vault.seal(plain, context), context) == plain


def test_sealing_twice_gives_different_texts_that_hide_the_plain_one():
    vault = Vault(KEY)
    first, second = vault.seal(b"whsec_top", CONTEXT), vault.seal(b"whsec_top", CONTEXT)
    assert first != second
    assert "whsec" not in first
    assert first.startswith(f"v1.{key_id_of(KEY)}.")


def test_another_place_cannot_open_it():
    vault = Vault(KEY)
    with pytest.raises(Broken, match="secret_damaged"):
        vault.open(vault.seal(b"x", CONTEXT), "org_2/ep_1/secret")


def test_another_key_cannot_open_it():
    with pytest.raises(Broken, match="unknown_key"):
        Vault(OTHER).open(Vault(KEY).seal(b"x", CONTEXT), CONTEXT)


@pytest.mark.parametrize("plain", [b"", b"1", b"22"])
def test_every_single_changed_character_is_noticed(plain):
    vault = Vault(KEY)
    sealed = vault.seal(plain, CONTEXT)
    for place, char in enumerate(sealed):
        changed = sealed[:place] + ("A" if char != "A" else "B") + sealed[place + 1 :]
        with pytest.raises(Broken):
            vault.open(changed, CONTEXT)


@pytest.mark.parametrize(
    "text", ["", "plain", "v1.x", "v2.a.b", "v1.a.b.c", "v1.é.é", "v1.a.=", "..", f"v1.{key_id_of(KEY)}."]
)
def test_what_is_no_sealed_text_is_broken_and_nothing_else(text):
    with pytest.raises(Broken):
        Vault(KEY).open(text, CONTEXT)


@given(st.text())
def test_no_text_at_all_raises_anything_but_broken(text):
    with pytest.raises(Broken):
        Vault(KEY).open(text, CONTEXT)


def test_an_error_tells_neither_the_secret_nor_the_sealed_text():
    vault = Vault(KEY)
    sealed = vault.seal(b"whsec_top", CONTEXT)
    with pytest.raises(Broken) as caught:
        vault.open(sealed, "elsewhere")
    assert sealed not in str(caught.value)


def test_an_older_key_still_opens_and_the_current_one_seals():
    old, both = Vault(OTHER), Vault(KEY, OTHER)
    assert both.open(old.seal(b"x", CONTEXT), CONTEXT) == b"x"
    assert both.seal(b"x", CONTEXT).split(".")[1] == key_id_of(KEY)


def test_a_key_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(b"short")


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("strip", ["", "="])
def test_base64_of_32_bytes_is_the_key_itself(encode, strip):
    key = secrets.token_bytes(32)
    assert key_from_text(f" {encode(key).decode().rstrip(strip or None)}\n") == key


def test_any_other_long_text_becomes_a_key():
    assert len(key_from_text("correct horse battery staple, and more")) == 32
    assert key_from_text("0" * 64) != key_from_text("0" * 65)


def test_short_text_is_refused_without_being_repeated():
    with pytest.raises(Refused, match="at least 32 characters") as caught:
        key_from_text("hunter2hunter2hunter2hunter2123")
    assert "hunter2" not in str(caught.value)


def test_the_first_start_keeps_a_new_key_in_a_file_of_its_owner(connection, tmp_path):
    path = tmp_path / "master-key"
    Vault.from_settings(None, path).check(connection)
    assert path.stat().st_mode & 0o777 == 0o600
    again = Vault.from_settings(None, path)
    again.check(connection)
    assert _rows(connection) == 1


def test_nothing_is_sealed_under_a_key_that_is_not_kept(tmp_path):
    with pytest.raises(Broken, match="vault_unchecked"):
        Vault.from_settings(None, tmp_path / "master-key").seal(b"x", CONTEXT)


def test_a_missing_key_file_is_not_replaced_when_the_database_knows_a_key(connection, tmp_path):
    Vault(KEY).check(connection)
    path = tmp_path / "master-key"
    with pytest.raises(Refused, match="master_key_missing"):
        Vault.from_settings(None, path).check(connection)
    assert not path.exists()


def test_a_wrong_key_is_refused_and_writes_nothing(connection):
    Vault(KEY).check(connection)
    before = connection.execute(meta.select()).all()
    with pytest.raises(Refused) as caught:
        Vault(OTHER).check(connection)
    assert caught.value.code == "wrong_master_key"
    assert connection.execute(meta.select()).all() == before


def test_a_new_key_with_the_former_one_at_hand_passes(connection):
    Vault(OTHER).check(connection)
    Vault(KEY, OTHER).check(connection)


def test_a_key_given_as_text_goes_before_the_file(tmp_path):
    vault = Vault.from_settings("x" * 32, tmp_path / "master-key")
    assert vault.key_id == key_id_of(key_from_text("x" * 32))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_file_that_others_can_read_is_refused_with_the_command_to_run(tmp_path, mode):
    path = _key_file(tmp_path, base64.b64encode(KEY))
    path.chmod(mode)
    with pytest.raises(Refused, match=f"chmod 600 {path}"):
        Vault.from_settings(None, path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"not base64!", base64.b64encode(b"short")])
def test_a_key_file_without_a_key_is_refused(tmp_path, content):
    with pytest.raises(Refused, match="key_file_unreadable"):
        Vault.from_settings(None, _key_file(tmp_path, content))


def test_a_key_file_that_cannot_be_written_is_refused(connection, tmp_path):
    with pytest.raises(Refused, match="key_file_unwritable"):
        Vault.from_settings(None, tmp_path / "missing" / "master-key").check(connection)
    assert _rows(connection) == 0


def _key_file(directory: Path, content: bytes) -> Path:
    path = directory / "master-key"
    path.touch(0o600)
    path.write_bytes(content)
    return path
