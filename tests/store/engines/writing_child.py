"""Writes rows and names each on stdout once it was acknowledged, until killed (see test_sqlite.py)."""

import sys
from pathlib import Path

from affwire.store.engines.sqlite import open_sqlite
from affwire.testing.store_suite import insert, make_tx, prepare


def say(name: str) -> None:
    sys.stdout.write(f"{name}\n")
    sys.stdout.flush()


def main(path: Path, cycle: str) -> None:
    engine = open_sqlite(path, make_tx, prepare=prepare)
    for number in range(1_000_000):
        future = engine.submit(insert(f"{cycle}-{number}"))
        future.add_done_callback(lambda done: done.exception() or say(done.result()))
        if number % 7 == 0:
            future.result()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
