"""Keeps secrets at rest: AES-256-GCM, each ciphertext bound to the place it belongs to.

    v1.<key id>.<base64url of nonce, ciphertext and tag>

Rule: nothing is written under a key that the database does not know (check, at every start).
"""

import base64
import contextlib
import hashlib
import os
import secrets
import stat
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, insert, select

from affwire.errors import Broken, Refused
from affwire.store.datadir import sync_directory
from affwire.store.tables import meta

KEY_BYTES: Final = 32
MASTER_KEY_CHARACTERS_MIN: Final = 32
"""Shorter text holds too little that cannot be guessed."""
_NONCE_BYTES: Final = 12
"""Random, as NIST SP 800-38D 8.2.2 allows for up to 2^32 ciphertexts under one key."""
_TAG_BYTES: Final = 16
_FORMAT: Final = "v1"
CHECK_NAME: Final = "vault_check"
CHECK_TEXT: Final = b"affwire"
"""A known text, sealed under the database's key, and its name in `meta`: it tells which key that is."""


class Vault:
    """Seals under `key`, opens under it and any of `others` (32 bytes each).

    `rotating`: the file of a rotation that did not come to its end; its key is among the others.
    """

    def __init__(
        self, key: bytes, *others: bytes, unsaved: Path | None = None, rotating: tuple[Path, Path] | None = None
    ) -> None:
        self.key_id = key_id_of(key)
        self._keys = {key_id_of(one): one for one in (*others, key)}
        self._ciphers = {name: AESGCM(one) for name, one in self._keys.items()}
        self._unsaved = unsaved
        self._rotating = rotating

    @classmethod
    def from_settings(cls, master_key: str | None, key_file: Path, following: str | None = None) -> "Vault":
        """Return the vault of `master_key` (AFFWIRE_MASTER_KEY), else of the key in `key_file`, else of a new key.

        `following` (AFFWIRE_NEXT_MASTER_KEY) is known to it, too: the key that a rotation brings in while this process runs.
        A new key is written to `key_file` by `check`, and only for a database that knows no key yet.
        Raises errors.Refused: the text is too short, the file is open to others or holds no key.
        """
        others = (key_from_text(following),) if following else ()
        if master_key:
            return cls(key_from_text(master_key), *others)
        new_file = next_key_file(key_file)
        if key_file.exists() and new_file.exists():
            return cls(_read_key(key_file), _read_key(new_file), *others, rotating=(new_file, key_file))
        if key_file.exists():
            return cls(_read_key(key_file), *others)
        return cls(secrets.token_bytes(KEY_BYTES), *others, unsaved=key_file)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The names of all keys it opens with."""
        return tuple(sorted(self._keys))

    def seal(self, plain: bytes, context: str, key_id: str | None = None) -> str:
        """Return `plain` encrypted; `context` names its place ("org_x/ep_y/secret") and is needed to open it.

        Under this vault's own key, or the one that is named. errors.Broken: that one is not here.
        """
        if self._unsaved:
            raise Broken("vault_unchecked", "The vault's new key is not kept anywhere yet: call check first.")
        key_id = key_id or self.key_id
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher(key_id).encrypt(nonce, plain, _bound(key_id, context))
        return f"{_FORMAT}.{key_id}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, context: str) -> bytes:
        """Return what was sealed for `context`; errors.Broken if it was not, or by a key that is not here."""
        key_id, box = _parse(sealed)
        cipher = self._cipher(key_id)
        try:
            return cipher.decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], _bound(key_id, context))
        except InvalidTag as error:
            raise Broken("secret_damaged", f"The secret of {context} is damaged or was moved there.") from error

    def check(self, connection: Connection) -> None:
        """Make sure that the database's secrets are sealed under a key of this vault; call it in a transaction.

        On a database without secrets it leaves a known text for later starts, and keeps a new key in its file first.
        Raises errors.Refused ("wrong_master_key", "master_key_missing"): nothing has been written then.
        """
        sealed = connection.execute(select(meta.c.value).where(meta.c.name == CHECK_NAME)).scalar()
        if sealed is None:
            self._save()
            value = self.seal(CHECK_TEXT, CHECK_NAME)
            connection.execute(insert(meta).values(name=CHECK_NAME, value=value))
        else:
            self._prove(sealed)
            self._end_rotation(_parse(sealed)[0])

    def rotated(self, key: bytes) -> "Vault":
        """Return the vault that seals under `key` and still opens what this one does."""
        return Vault(key, *self._keys.values())

    def _cipher(self, key_id: str) -> AESGCM:
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise Broken(
                "unknown_key", f"A secret was sealed under the key {key_id}, which is not here.", key_id=key_id
            )
        return cipher

    def _end_rotation(self, key_id: str) -> None:
        """Of two key files the database knows one: that is the master key, and the rotation has happened or has not."""
        if self._rotating is None:
            return
        following, key_file = self._rotating
        if key_id == self.key_id:
            following.unlink(missing_ok=True)
        else:
            adopt_key(key_file)
        self.key_id, self._rotating = key_id, None
        sync_directory(key_file.parent)

    def _save(self) -> None:
        if self._unsaved:
            write_key(self._unsaved, self._keys[self.key_id])
            self._unsaved = None

    def _prove(self, sealed: str) -> None:
        if self._unsaved:
            raise Refused(
                "master_key_missing",
                f"The database's master key is not at {self._unsaved}: put the file back, or set AFFWIRE_MASTER_KEY.",
            )
        try:
            self.open(sealed, CHECK_NAME)
        except Broken as error:
            raise Refused(
                "wrong_master_key",
                "The master key is not the one this database was made with: "
                "restore the former AFFWIRE_MASTER_KEY or key file.",
                key_id=self.key_id,
            ) from error


def key_of(sealed: str) -> str:
    """Return the name of the key that something is sealed under. Raises Broken("secret_unreadable")."""
    return _parse(sealed)[0]


def key_id_of(key: bytes) -> str:
    """Return the name of a key, which tells nothing about it; ValueError unless it has 32 bytes."""
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
    return hashlib.sha256(b"affwire key id\0" + key).hexdigest()[:12]


def next_key_file(key_file: Path) -> Path:
    """Return where a rotation keeps the new key until the database is under it."""
    return key_file.with_name(f"{key_file.name}.next")


def former_key_file(key_file: Path, key_id: str) -> Path:
    """Return where a key is kept that was the master key once."""
    return key_file.with_name(f"{key_file.name}.former-{key_id}")


def adopt_key(key_file: Path) -> None:
    """Make the new key of a rotation the master key: the database is under it. The former is kept for older backups."""
    former = former_key_file(key_file, key_id_of(_read_key(key_file)))
    if not former.exists():
        os.link(key_file, former)
    next_key_file(key_file).replace(key_file)
    sync_directory(key_file.parent)


def key_from_text(text: str) -> bytes:
    """Return the key in `text`: base64 of 32 bytes, else the SHA-256 of any text of 32 characters or more."""
    text = text.strip()
    with contextlib.suppress(ValueError):
        key = _decode(text)
        if len(key) == KEY_BYTES:
            return key
    if len(text) < MASTER_KEY_CHARACTERS_MIN:
        raise Refused(
            "master_key_short",
            f"AFFWIRE_MASTER_KEY must have at least {MASTER_KEY_CHARACTERS_MIN} characters: "
            "make one with `openssl rand -base64 32`.",
        )
    return hashlib.sha256(text.encode()).digest()


def _decode(text: str) -> bytes:
    """Return the bytes of base64 in either alphabet, padded or not; ValueError if it is none."""
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    return base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)


def _bound(key_id: str, context: str) -> bytes:
    return f"{_FORMAT}.{key_id}.{context}".encode()


def _parse(sealed: str) -> tuple[str, bytes]:
    version, _, rest = sealed.partition(".")
    key_id, _, text = rest.partition(".")
    with contextlib.suppress(ValueError):
        box = base64.b64decode(text, altchars=b"-_", validate=True)
        canonical = base64.urlsafe_b64encode(box).decode() == text
        if version == _FORMAT and canonical and len(box) >= _NONCE_BYTES + _TAG_BYTES:
            return key_id, box
    raise Broken("secret_unreadable", "A stored secret is not in a format this version knows.")


def _read_key(path: Path) -> bytes:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Refused("key_file_exposed", f"Others can read the master key: run `chmod 600 {path}`.", mode=oct(mode))
    try:
        key = _decode(path.read_text().strip())
    except (ValueError, OSError) as error:
        raise Refused("key_file_unreadable", f"There is no master key in {path}: restore it from a backup.") from error
    if len(key) != KEY_BYTES:
        raise Refused("key_file_unreadable", f"There is no master key in {path}: restore it from a backup.")
    return key


def write_key(path: Path, key: bytes) -> None:
    """Write a new key so that it is there after a power loss, before anything is sealed under it."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Refused("key_file_unwritable", f"Cannot write the new master key to {path}: {error.strerror}.") from error
    with os.fdopen(handle, "wb") as file:
        file.write(base64.urlsafe_b64encode(key) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    sync_directory(path.parent)
