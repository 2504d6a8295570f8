"""libcurl's multi handle on the running event loop: many handles at once, each with someone who is told of its end.

The one rule: the event loop watches one descriptor, behind which the kernel watches all sockets. So a turn of the loop
serves everything that is ready, and hands over the interpreter's lock once instead of once per socket.
"""

import asyncio
import contextlib
import select
import selectors
from collections.abc import Callable
from typing import Final, Protocol

import pycurl

EVENTS_MAX: Final = 256
"""Sockets served in one turn of the loop: what else runs on it waits so long."""

_IN: Final = 0x001  # the kernel's EPOLLIN and EPOLLOUT
_OUT: Final = 0x004
_MASKS: Final = {
    pycurl.POLL_NONE: 0,
    pycurl.POLL_IN: _IN,
    pycurl.POLL_OUT: _OUT,
    pycurl.POLL_INOUT: _IN | _OUT,
    pycurl.POLL_REMOVE: 0,
}


Ended = Callable[[Exception | None], None]
"""Hears once of a transfer's end: of the error that ended it, or None. It may have the handle carried again."""


class Closed(Exception):  # it ends a transfer from within and never leaves this room
    """The multi handle was closed while this was under way."""


class Multi:
    """Belongs to the event loop in which it is first used. At most `connections_max` connections are open at once."""

    def __init__(self, connections_max: int) -> None:
        self.closed = False
        self.opened = 0
        """How many sockets were opened. While this stays, a descriptor that was watched is the same socket still."""
        self._watched = _watched()
        self._masks: dict[int, int] = {}
        self._idle: dict[int, tuple[int, int]] = {}
        self._ended: dict[pycurl.Curl, Ended] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.Handle | None = None
        self._is_soon = False
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, connections_max)
        self._multi.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, connections_max)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop it belongs to. To ask asyncio which one runs is a call of the kernel, each time."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self._watched.fileno(), self._on_ready)
        return self._loop

    @property
    def under_way(self) -> int:
        """How many handles are carried just now."""
        return len(self._ended)

    def carry(self, curl: pycurl.Curl, ended: Ended) -> None:
        """Have a handle do its transfer and tell `ended` of the end. Not to be called by libcurl's callbacks."""
        self._multi.add_handle(curl)
        self._ended[curl] = ended

    def end(self, curl: pycurl.Curl, error: Exception | None) -> None:
        """End a handle's transfer with this error; nothing if it has ended. Not to be called by libcurl's callbacks."""
        if ended := self.drop(curl):
            ended(error)

    def drop(self, curl: pycurl.Curl) -> Ended | None:
        """End a handle's transfer and tell nobody; return who was to be told. Not to be called by libcurl's callbacks."""
        ended = self._ended.pop(curl, None)
        if ended:
            with contextlib.suppress(pycurl.error):
                self._multi.remove_handle(curl)
        return ended

    def close(self) -> None:
        """End what is under way with Closed, close every connection. Idempotent."""
        if self.closed:
            return
        self.closed = True
        for curl in list(self._ended):
            self.end(curl, Closed())
        if self._timer:
            self._timer.cancel()
        if self._loop and not self._loop.is_closed():
            self._loop.remove_reader(self._watched.fileno())
        self._multi.close()
        self._watched.close()

    # What libcurl asks for: which sockets to watch, and when to come back at the latest.

    def _on_socket(self, what: int, fd: int, *_: object) -> None:
        before, mask = self._masks.get(fd, 0), _MASKS[what]
        if mask == before:
            return
        if mask:
            self._watch(fd, before, mask)
        else:
            del self._masks[fd]
            self._idle[fd] = (before, self.opened)

    def _watch(self, fd: int, before: int, mask: int) -> None:
        self._masks[fd] = mask
        left = self._idle.pop(fd, None)
        if left == (mask, self.opened):  # a kept-alive connection, watched since its last request
            return
        try:
            self._watched.modify(fd, mask) if before or left else self._watched.register(fd, mask)
        except (FileNotFoundError, KeyError):  # another socket under the number of one that was closed
            self._watched.register(fd, mask)

    def _on_timer(self, timeout_ms: int) -> None:
        if timeout_ms == 0 and self._is_soon:  # said once per handle, however many are added in a row
            return
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._is_soon = False
        if timeout_ms < 0 or self.closed:
            return
        if timeout_ms == 0:  # soon, never at once: libcurl cannot be entered from its own callback
            self._timer, self._is_soon = self.loop.call_soon(self._on_time), True
        else:
            self._timer = self.loop.call_later(timeout_ms / 1000, self._on_time)

    def _on_time(self) -> None:
        self._timer, self._is_soon = None, False
        self._act([(pycurl.SOCKET_TIMEOUT, 0)])

    def _on_ready(self) -> None:
        ready = self._watched.poll(0, EVENTS_MAX)
        for fd in [fd for fd, _ in ready if fd in self._idle]:
            self._forget(fd)
        self._act([(fd, mask) for fd, mask in ready if fd in self._masks])

    def _forget(self, fd: int) -> None:
        """Watch an idle connection no more: its far side closed it, which libcurl will see by itself."""
        del self._idle[fd]
        with contextlib.suppress(OSError, KeyError):
            self._watched.unregister(fd)

    def _act(self, events: list[tuple[int, int]]) -> None:
        try:
            for fd, mask in events:
                # What is neither (a connection that broke) libcurl learns by reading.
                ready = (pycurl.CSELECT_OUT if mask & _OUT else 0) | (pycurl.CSELECT_IN if mask & ~_OUT else 0)
                self._multi.socket_action(fd, ready)
        except pycurl.error as error:  # the handle is in no state to tell of ends
            for curl in list(self._ended):
                self.end(curl, error)
        else:
            self._take_ended()

    def _take_ended(self) -> None:
        left = 1
        while left and not self.closed:
            left, done, failed = self._multi.info_read()
            for curl in done:
                self.end(curl, None)
            for curl, code, message in failed:
                self.end(curl, pycurl.error(code, message))


class _Watched(Protocol):
    """Sockets that the kernel watches: `select.epoll`, or what stands in for it elsewhere."""

    def fileno(self) -> int: ...
    def register(self, fd: int, mask: int, /) -> None: ...
    def modify(self, fd: int, mask: int, /) -> None: ...
    def unregister(self, fd: int, /) -> None: ...
    def poll(self, timeout: float, maxevents: int, /) -> list[tuple[int, int]]: ...
    def close(self) -> None: ...


class Selected:
    """The same over the standard library's selectors, for machines without epoll. Somewhat slower."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def fileno(self) -> int:
        return int(self._selector.fileno())  # kqueue has one, as epoll has

    def register(self, fd: int, mask: int, /) -> None:
        self._selector.register(fd, _events(mask))

    def modify(self, fd: int, mask: int, /) -> None:
        self._selector.modify(fd, _events(mask))

    def unregister(self, fd: int, /) -> None:
        self._selector.unregister(fd)

    def poll(self, timeout: float, maxevents: int, /) -> list[tuple[int, int]]:
        return [(key.fd, _mask(events)) for key, events in self._selector.select(timeout)[:maxevents]]

    def close(self) -> None:
        self._selector.close()


def _events(mask: int) -> int:
    return (selectors.EVENT_READ if mask & _IN else 0) | (selectors.EVENT_WRITE if mask & _OUT else 0)


def _mask(events: int) -> int:
    return (_IN if events & selectors.EVENT_READ else 0) | (_OUT if events & selectors.EVENT_WRITE else 0)


def _watched() -> _Watched:
    return select.epoll() if hasattr(select, "epoll") else Selected()
