"""The command line of the benchmark: which cases of which systems, one after the other; a failure ends one case only."""

import argparse
import signal
import sys
import time
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory

from book import Book
from cases import ANY, OWN, Case
from drivers import DRIVERS
from machine import described
from report import reported
from serving import log_as_the_server_does
from sink import Sink
from stage import SIZES, Stage

RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Run what was asked for; 1 if a case failed."""
    wanted = arguments()
    if wanted.list:
        print("\n".join(listed()))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended also then
    log_as_the_server_does()
    book = Book(wanted.results / f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}.jsonl", head(wanted))
    with TemporaryDirectory(prefix="bench-") as folder:
        sink = Sink.start(Path(folder))
        try:
            failed = sum(run(Stage(system, wanted.size, sink, book), wanted.cases) for system in wanted.system)
        finally:
            sink.stop()
    book.say(f"report: {reported([book.path])}")
    return 1 if failed else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run.py", description="Measure; write JSON lines and a report.")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="a case; all if none is named")
    parser.add_argument("--system", action="append", choices=list(DRIVERS), help="what is measured; may be repeated")
    parser.add_argument("--size", choices=SIZES, default="usual")
    parser.add_argument("--quick", dest="size", action="store_const", const="quick", help="a few minutes")
    parser.add_argument("--full", dest="size", action="store_const", const="full", help="with 5,000,000 pending")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR")
    parser.add_argument("--list", action="store_true", help="name the cases")
    wanted = parser.parse_args()
    wanted.system = wanted.system or ["affwire"]
    wanted.cases = wanted.cases or [*ANY, *OWN]
    for name in wanted.cases:
        if name not in {*ANY, *OWN}:
            parser.error(f"there is no case {name!r}; there are {', '.join([*ANY, *OWN])}")
    return wanted


def run(stage: Stage, cases: list[str]) -> int:
    """Run cases on one system; return how many failed. A failure is told and written down, and the next case runs."""
    failed = 0
    for name in cases:
        why = cannot(stage.system, name)
        if why:
            stage.book.cannot(name, stage.system, why)
            continue
        stage.book.say(f"{stage.system}: {name}")
        try:
            found(name)(stage)
        except Exception as error:  # noqa: BLE001 -- whatever goes wrong in one case, the others are still worth their time
            failed += 1
            stage.book.say(traceback.format_exc())
            stage.book.cannot(name, stage.system, f"it failed: {type(error).__name__}: {error}"[:300])
        stage.sink.take()
    return failed


def cannot(system: str, case: str) -> str | None:
    """Return why a system has no such case."""
    if case in OWN and system != "affwire":
        return "it looks into affwire itself"
    return DRIVERS[system]().cannot.get(case)


def found(name: str) -> Case:
    return ANY[name] if name in ANY else OWN[name]


def listed() -> list[str]:
    """Return a line a case, from its module's docstring."""
    every = {**ANY, **OWN}
    lines = ((name, __import__(case.__module__, fromlist=["run"]).__doc__ or "") for name, case in every.items())
    return [f"{name:<10} {text.splitlines()[0]}" for name, text in lines]


def head(wanted: argparse.Namespace) -> dict[str, object]:
    notes = {system: DRIVERS[system]().notes for system in wanted.system}
    return {"machine": described(), "size": wanted.size, "systems": notes}
