"""Makes the benchmark's modules importable, and names what the tests here use of them."""

import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench"
sys.path.append(str(BENCH))

from book import beside  # noqa: E402 -- after the path
from goals import judged  # noqa: E402
from load import NUMBER, Events, Load, Messages, percentiles, send  # noqa: E402
from plots import bars, lines, number  # noqa: E402
from processes import Watch, watching  # noqa: E402
from report import reported  # noqa: E402
from sink import MARK, Arrivals, Script, Sink  # noqa: E402

__all__ = [
    "BENCH",
    "MARK",
    "NUMBER",
    "Arrivals",
    "Events",
    "Load",
    "Messages",
    "Script",
    "Sink",
    "Watch",
    "bars",
    "beside",
    "judged",
    "lines",
    "number",
    "percentiles",
    "reported",
    "send",
    "watching",
]
