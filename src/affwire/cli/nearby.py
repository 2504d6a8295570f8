"""A server on this machine, found by its data directory: where it listens, and the keys that lie there.

Rule: a key that lies there goes to the address that lies beside it, and to no other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from affwire.errors import Refused
from affwire.model.registry import NUMBER_FIRST
from affwire.settings import Settings, load
from affwire.store.datadir import DataDir, read_private, write_private


def data_dir() -> DataDir | None:
    """Return the data directory that the settings name, None if they cannot be read."""
    try:
        return DataDir(load().data_dir)
    except Refused:
        return None


def address() -> str | None:
    """Return where the server of the data directory listens, None if none was started there."""
    near = data_dir()
    return read_private(near.address) if near else None


def key(asked: str, *, operator: bool) -> str | None:
    """Return the key that lies beside the address `asked`: the operator's, or that of the first organization."""
    near = data_dir()
    if near is None or read_private(near.address) != asked:
        return None
    return read_private(near.admin_key if operator else near.api_key)


def keep_first_key(asked: str, organization: dict[str, Any]) -> Path | None:
    """Keep the key of the first organization where commands on this machine find it; return where, None if it is not kept.

    Later organizations' keys are not kept: a command without a key would not know which of them is meant.
    """
    near = data_dir()
    if near is None or read_private(near.address) != asked or organization["number"] != NUMBER_FIRST:
        return None
    write_private(near.api_key, organization["api_key"])
    return near.api_key


@contextmanager
def announced(settings: Settings) -> Iterator[None]:
    """Have commands on this machine find a server while the block runs."""
    file = DataDir(settings.data_dir).address
    write_private(file, f"http://{reachable(settings.host)}:{settings.port}")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def reachable(host: str) -> str:
    """Return where this machine finds a server that listens at `host`, as it stands in a URL."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 -- any of ours
