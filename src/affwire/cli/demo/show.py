"""How the demo looks: a live panel for a person, plain lines for a log, the score card for both."""
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from affwire.cli.demo.a1 import DIALECTS
from affwire.cli.demo.play import Played, Progress
from affwire.cli.demo.receiver import Arrival, Receiver
from affwire.cli.demo.scorecard import Score
from affwire.cli.terminal import say, show_json


@contextmanager
def panel(progress, receiver):
    with lines(progress) as f: yield f

@contextmanager
def lines(progress: Progress) -> Iterator[Callable[[Played], None]]:
    def line(played):
        told = "; ".join(f"{d}: {' '.join(played.heard[d])}" for d in DIALECTS if played.heard[d])
        say(f"{'ok' if not played.differences else 'WRONG':5} {played.step.row:4}{played.step.title:40} {told}")
    yield line

def score(s, as_json):
    show_json(s.as_dict())
def try_it(address, key):
    print(address, key)
def arrival(a): say(str(a))
