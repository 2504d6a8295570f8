"""What a case is given: a receiver, systems to start, a size, and where its figures go."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import limits
from book import Book, Figures
from drivers import DRIVERS
from drivers.base import Driver
from load import Events, Heard, Load
from sink import Arrivals, Sink

T = TypeVar("T")
SIZES = ("tiny", "quick", "usual", "full")
"""tiny: does it run at all; quick: a minute or two; usual: for reports; full: with millions."""


@dataclass
class Stage:
    """One system under measurement, and everything around it."""

    system: str
    size: str
    sink: Sink
    book: Book

    def pick(self, tiny: T, quick: T, usual: T, full: T | None = None) -> T:
        """Return what fits the size."""
        choices = {"tiny": tiny, "quick": quick, "usual": usual, "full": usual if full is None else full}
        return choices[self.size]

    @contextmanager
    def open(self, make: Callable[[], Driver] | None = None) -> Iterator[Driver]:
        """Start a new installation of the system (or of another), and end it with the block."""
        driver = (make or DRIVERS[self.system])()
        with TemporaryDirectory(prefix="bench-") as name:
            folder = Path(name)
            folder.chmod(0o755)
            try:
                driver.start(folder, self.sink.ca_file)
                self.sink.take()
                yield driver
            finally:
                driver.stop()

    def load(self, driver: Driver, seconds: float, **more: Any) -> Load:
        """Return a load of events for a system; `first` numbers them."""
        port, template = driver.event()
        return Load(port, Events(template, more.pop("first", 0)), seconds, **{"connections": 32, **more})

    def figure(self, name: str, figures: Figures, **beside: Figures) -> None:
        """Write a figure beside its limits."""
        self.book.figure(name, self.system, figures, beside)

    def say(self, text: str) -> None:
        """Tell how far it is."""
        self.book.say(f"  {text}")

    def bare(self) -> Figures:
        """Return the sending client's own speed, now."""
        return limits.client(self.sink, self.pick(500, 10_000, 20_000))

    def settled(self, driver: Driver, seconds: float = 300) -> None:
        """Wait until the system is idle; TimeoutError if it never is."""
        end = time.monotonic() + seconds
        while not driver.idle():
            if time.monotonic() > end:
                raise TimeoutError(f"{driver.name} was not idle within {seconds:g} s")
            time.sleep(0.1)

    def arrived(self, count: int, patience_s: float = 30) -> Arrivals:
        """Wait until so many deliveries were accepted, or none is for a while; return what came in."""
        self.sink.wait(count, patience_s)
        return self.sink.take()


def latencies(heard: Heard, arrivals: Arrivals, first: int = 0) -> list[float]:
    """Return ms from when each event was due to its acceptance at each receiver."""
    dues = heard.dues
    return [(at - dues[number - first]) * 1000 for number, at in arrivals.firsts() if 0 <= number - first < len(dues)]
