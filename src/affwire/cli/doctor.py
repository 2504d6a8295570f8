"""`affwire doctor`: is this machine, this configuration and this data fit to serve? It changes nothing.

Each check returns one Finding; a check never raises for what it came to find.
"""

import os
import platform
import resource
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from rich.text import Text
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from affwire.app import open_guard
from affwire.cli.client import Unanswered, open_client
from affwire.cli.terminal import console
from affwire.destinations.roots import Roots
from affwire.errors import AffwireError, Conflict, Refused
from affwire.plugins import load_dialects
from affwire.settings import Settings, load
from affwire.store import schema
from affwire.store.datadir import DataDir, read_private
from affwire.store.engines.base import Limits
from affwire.store.engines.sqlite_file import SqliteFile, has_wal_reset_bug, sqlite_version
from affwire.store.opening import driver
from affwire.store.vault import Vault

PYTHON_MIN: Final = (3, 11)
OPEN_FILES_MIN: Final = 4_096
"""A thousand requests under way, as many callers of the API, and room: below that a busy server runs dry."""
FREE_BYTES_MIN: Final = 1 << 30
"""A day's bodies of a busy server; SQLite fails closed on a full disk, but nothing is accepted then."""

State = Literal["ok", "warn", "fail"]
_COLOURS: Final[dict[State, str]] = {"ok": "green", "warn": "yellow", "fail": "bold red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: `says` is the fact, `do` what to do about it (empty when it is ok)."""

    check: str
    state: State
    says: str
    do: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def examine(data_dir: Path | None) -> list[Finding]:
    """Return every finding, in the order a server would meet them."""
    findings = [_python(), _sqlite(), _open_files()]
    try:
        settings = load(data_dir=data_dir)
    except Refused as refusal:
        return [*findings, Finding("settings", "fail", refusal.sentence, "Correct it; the rest was not checked.")]
    checks: tuple[Callable[[Settings], Finding], ...] = (_listening, _networks, _authorities, _disk)
    return [*findings, *(check(settings) for check in checks), *_data(settings), _dialects()]


def show(findings: list[Finding]) -> None:
    """Print one line per finding, and what to do under those that are not well."""
    out = console()
    for finding in findings:
        line = Text.assemble((f"{finding.state:5}", _COLOURS[finding.state]), f"{finding.check:13}", finding.says)
        out.print(line, soft_wrap=True)
        if finding.do:
            out.print(Text(" " * 18 + finding.do), soft_wrap=True)


def _python() -> Finding:
    if sys.version_info < PYTHON_MIN:
        return Finding("python", "fail", f"Python {platform.python_version()}", "Use Python 3.11 or newer.")
    return Finding("python", "ok", f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")


def _sqlite() -> Finding:
    if has_wal_reset_bug():
        return Finding(
            "sqlite",
            "warn",
            f"SQLite {sqlite_version()} can lose commits when two connections write and checkpoint at once",
            "affwire writes through one connection and is safe; let nothing else write to the file, or use 3.51.3 or newer.",
        )
    return Finding("sqlite", "ok", f"SQLite {sqlite_version()}")


def _open_files() -> Finding:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < OPEN_FILES_MIN:
        return Finding(
            "open files", "warn", f"{hard} at most", f"Raise the hard limit (ulimit -Hn) to {OPEN_FILES_MIN}."
        )
    return Finding("open files", "ok", "no limit" if hard == resource.RLIM_INFINITY else f"{hard} at most")


def _listening(settings: Settings) -> Finding:
    place = f"{settings.host}:{settings.port}"
    if settings.host in {"127.0.0.1", "::1", "localhost"}:
        return Finding("listening", "ok", place)
    return Finding("listening", "warn", f"{place}, in clear", "Let a proxy that speaks TLS stand before it.")


def _networks(settings: Settings) -> Finding:
    try:
        open_guard(settings).close()
    except Refused as refusal:
        return Finding("networks", "fail", refusal.sentence, "Write CIDRs separated by commas.")
    if settings.allow_http and not settings.allow_networks:
        return Finding("networks", "warn", "plain http is allowed, but no network", "Set AFFWIRE_ALLOW_NETWORKS, too.")
    allowed = f"public addresses and {settings.allow_networks}" if settings.allow_networks else "public addresses only"
    return Finding("networks", "ok", f"deliveries may go to {allowed}")


def _authorities(settings: Settings) -> Finding:
    try:
        roots = Roots(settings.ca_file)
    except (OSError, ValueError) as error:
        return Finding("authorities", "fail", f"AFFWIRE_CA_FILE: {error}", "Name a readable PEM file of certificates.")
    own, found = f" and {settings.ca_file}" if settings.ca_file else "", roots.path
    roots.close()
    if found is None:
        return Finding("authorities", "warn", "this machine has no bundle of authorities", "Install ca-certificates.")
    return Finding("authorities", "ok", f"the machine's{own}")


def _disk(settings: Settings) -> Finding:
    place = next(
        path for path in (settings.data_dir.absolute(), *settings.data_dir.absolute().parents) if path.exists()
    )
    free = shutil.disk_usage(place).free
    if free < FREE_BYTES_MIN:
        return Finding(
            "disk", "warn", f"{free >> 20} MiB free at {place}", "Make room, or shorten AFFWIRE_RETENTION_DAYS."
        )
    return Finding("disk", "ok", f"{free >> 30} GiB free at {place}")


def _data(settings: Settings) -> Iterator[Finding]:
    data_dir = DataDir(settings.data_dir)
    if settings.postgres_url:
        yield _postgres(settings.postgres_url, settings, data_dir)
        return
    if not data_dir.path.exists():
        yield Finding("data", "ok", f"{data_dir.path} is not there yet; the server makes it when it starts")
        return
    yield _modes(data_dir)
    try:
        with data_dir.lock():
            yield Finding("lock", "ok", "no server is running on this data")
            yield _database(settings, data_dir)
    except Conflict as taken:
        yield Finding("lock", "ok", f"a server (process {taken.facts['process']}) is running on this data")
        yield _server(data_dir)
    except Refused as refusal:
        yield Finding("lock", "fail", refusal.sentence, "Give the directory to the user who runs affwire.")


def _modes(data_dir: DataDir) -> Finding:
    files = (data_dir.path, data_dir.database, data_dir.master_key, data_dir.admin_key, data_dir.api_key)
    exposed = [str(path) for path in files if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    if exposed:
        do = f"Run: chmod go= {' '.join(exposed)}"
        return Finding("data", "fail", f"others may read or write {', '.join(exposed)}", do)
    if not os.access(data_dir.path, os.W_OK | os.X_OK):
        return Finding("data", "fail", f"{data_dir.path} cannot be written", "Give it to the user who runs affwire.")
    return Finding("data", "ok", f"{data_dir.path}, its owner's alone")


def _database(settings: Settings, data_dir: DataDir) -> Finding:
    """Look into the database; the caller holds the lock."""
    try:
        path = settings.database_path or data_dir.database
        if not path.exists():
            return Finding("database", "ok", f"{path} is not there yet; the server makes it when it starts")
        return _looked_into(path, settings, data_dir)
    except AffwireError as error:
        return Finding("database", "fail", error.sentence, "Nothing was changed.")
    except DBAPIError as error:
        return Finding("database", "fail", f"it cannot be read: {error.orig}", "Restore a backup.")


def _postgres(url: str, settings: Settings, data_dir: DataDir) -> Finding:
    try:
        described = driver().describe_at(url, lambda connection: _fits(connection, settings, data_dir))
    except AffwireError as error:
        return Finding("database", "fail", error.sentence, "Nothing was changed.")
    except DBAPIError as error:
        return Finding("database", "fail", f"it cannot be read: {error.orig}", "Look at the server's own log.")
    server, found = described
    says = f"{server.place} is PostgreSQL {server.version}"
    if not server.fsync:
        do = "Set fsync=on: a power loss may destroy the whole database."
        return Finding("database", "fail", f"{says} with fsync=off", do)
    if found is not None:
        return Finding("database", "warn", f"{says} with schema {found}", "The next start brings it up to date.")
    return Finding("database", "ok", f"{says} with schema {schema.head()}, and the master key fits")


def _fits(connection: Connection, settings: Settings, data_dir: DataDir) -> str | None:
    """Return the schema if it is an old one; raises AffwireError if schema or master key do not fit."""
    found = schema.current(connection)
    if found is None or found < schema.head():
        return found or "none"
    schema.check(connection)
    master_key, following = settings.master_keys
    Vault.from_settings(master_key, data_dir.master_key, following).check(connection)
    return None


def _looked_into(path: Path, settings: Settings, data_dir: DataDir) -> Finding:
    master_key, following = settings.master_keys
    file = SqliteFile(path, Limits())
    connection = file.open_reader()
    try:
        found = schema.current(connection)
        if found is None or found < schema.head():
            return Finding(
                "database", "warn", f"{path} has schema {found or 'none'}", "The next start brings it up to date."
            )
        schema.check(connection)
        Vault.from_settings(master_key, data_dir.master_key, following).check(connection)
    finally:
        connection.close()
        file.dispose()
    return Finding("database", "ok", f"{path} has schema {found}, and the master key fits")


def _server(data_dir: DataDir) -> Finding:
    url = os.environ.get("AFFWIRE_URL") or read_private(data_dir.address)
    try:
        with open_client(url, needs_key=False) as client:
            client.get("/readyz")
            return Finding("server", "ok", f"{client.address} is ready")
    except Unanswered as error:
        return Finding("server", "fail", error.sentence, "Look at its log; set AFFWIRE_URL if it listens elsewhere.")
    except Refused as refusal:
        return Finding("server", "fail", refusal.sentence, "Correct AFFWIRE_URL.")


def _dialects() -> Finding:
    try:
        found = load_dialects()
    except Exception as error:  # noqa: BLE001 -- an installed package may fail in any way, and that is what is looked for
        return Finding("dialects", "fail", f"{type(error).__name__}: {error}", "Uninstall the package that brings it.")
    return Finding("dialects", "ok", ", ".join(found))
