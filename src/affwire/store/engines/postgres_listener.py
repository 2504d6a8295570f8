"""Hears of other processes' commits (LISTEN). A hint only: who waits also polls, so whatever is missed costs a second."""

import threading
from collections.abc import Callable
from typing import Final

import psycopg
import structlog
from sqlalchemy import Connection

from affwire.errors import AffwireError
from affwire.store.engines.postgres_server import PostgresServer, driver_of, drop

CHANNEL: Final = "affwire_wake"
LOOK_S: Final = 0.25
"""The longest wait before a look whether the engine closes."""
AGAIN_S: Final = 2.0
"""The pause before the server is tried again."""


class Listener:
    """Listens on a thread of its own. `heard` is called there; what `own_pid` sent is left out."""

    def __init__(self, server: PostgresServer, heard: Callable[[], None], own_pid: Callable[[], int]) -> None:
        self._server = server
        self._heard = heard
        self._own_pid = own_pid
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="affwire-listener")
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._listen()
            except (psycopg.Error, AffwireError) as error:
                structlog.get_logger("affwire.store").warning("store.not_listening", reason=type(error).__name__)
                self._closing.wait(AGAIN_S)

    def _listen(self) -> None:
        connection = self._server.open_reader()
        try:
            driver_of(connection).execute(f"LISTEN {CHANNEL}")
            self._hear(connection)
        finally:
            drop(connection)

    def _hear(self, connection: Connection) -> None:
        while not self._closing.is_set():
            told = list(driver_of(connection).notifies(timeout=LOOK_S, stop_after=1))
            if any(one.pid != self._own_pid() for one in told):
                self._heard()
