"""How the demo talks: lines for a log, the score card, what to try next. Its live panel is in panel.py."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Final

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from affwire.cli.demo import crossings
from affwire.cli.demo.a1 import DIALECTS
from affwire.cli.demo.play import Played
from affwire.cli.demo.receiver import Arrival
from affwire.cli.demo.scorecard import Score
from affwire.cli.terminal import console, say, show_json
from affwire.store.datadir import DataDir

_TITLE_WIDTH: Final = 38
_SIGNED: Final = {
    "growi": "a static header",
    "affonso": "HMAC (time, body)",
    "rewardful": "HMAC (body)",
    "insert_affiliate": "a bearer token",
    "tamio": "HMAC (body)",
    "standard": "Standard Webhooks",
}


@contextmanager
def lines() -> Iterator[Callable[[Played], None]]:
    """Yield what writes one line for each step."""

    def line(played: Played) -> None:
        told = "; ".join(
            f"{dialect}: {', '.join(played.heard[dialect])}" for dialect in DIALECTS if played.heard[dialect]
        )
        verdict = "WRONG" if played.differences else "ok"
        say(f"{verdict:5} {played.step.row:4}{played.step.title:{_TITLE_WIDTH}} {told}")

    yield line


def score(result: Score, *, as_json: bool) -> None:
    """Print the score card on stdout, and on stderr whatever is not as it must be."""
    if as_json:
        show_json(result.as_dict())
    else:
        console().print(_card(result))
    sys.stdout.flush()
    for difference in result.differences:
        say(f"differs: {difference}")


def try_it(address: str, data: DataDir, *, console: str, until: str) -> None:
    """Tell how to talk to the server that goes on running."""
    say(
        f"\nConsole: {console}\n"
        f"(the link signs in once, until {until})\n"
        "It shows what went out, and under Inbox what came in; the menu at its top has an organization for each crossing.\n"
        f"\nThe server is at {address}. In another terminal:\n\n"
        f"  export AFFWIRE_DATA_DIR={quote(str(data.path.absolute()))} AFFWIRE_URL={address}\n"
        f'  export AFFWIRE_API_KEY=$(cat "$AFFWIRE_DATA_DIR/{data.api_key.name}")\n'
        f"  {_command()} deliveries list --status exhausted\n"
        '  curl -s "$AFFWIRE_URL/v1/affiliates" \\\n'
        '    -H "Authorization: Bearer $AFFWIRE_API_KEY" \\\n'
        "    -H 'Content-Type: application/json' -d '{\"email\": \"jo@example.org\"}'\n\n"
        "Another link to sign in with:\n\n"
        f"  {again(data)}\n\n"
        "What then arrives is told here. Ctrl-C ends it.\n"
    )


def again(data: DataDir) -> str:
    """Return what makes another link, in a terminal that has been told nothing."""
    folder = quote(str(data.path.absolute()))
    return f"AFFWIRE_DATA_DIR={folder} {_command()} users link operator@localhost --operator"


def arrival(came: Arrival) -> None:
    """Print one line for a request that came after the play."""
    clock = time.strftime("%H:%M:%S", time.localtime(came.at / 1000))
    told = f"{came.heard.word}, verified" if came.heard else f"refused: {came.wrong}"
    after = f", {came.at - came.heard.said_at:.0f} ms after the fact" if came.heard and came.heard.said_at else ""
    say(f"{clock}  {came.mailbox:16}  {told}{after}")


def _command() -> str:
    """Return how to call affwire in another terminal: by its name if that is found, else as it was called here."""
    if shutil.which("affwire"):
        return "affwire"
    if sys.argv[0].endswith(".py"):
        return f"{quote(sys.executable)} -m affwire"
    return quote(str(Path(sys.argv[0]).absolute()))


def _card(result: Score) -> Panel:
    whole = Table.grid(padding=(0, 2, 0, 0))
    whole.add_row(_numbers(result), _dialects(result))
    both = Group(whole, Text(""), crossings.table(result.crossed)) if result.crossed else whole
    ok = not result.differences
    title = (
        "everything arrived as it must, out and in"
        if ok
        else f"{len(result.differences)} things are not as they must be"
    )
    return Panel(both, title=title, border_style="green" if ok else "red", expand=False)


def _numbers(result: Score) -> Table:
    latency = " / ".join(f"{value:g}" for value in result.latency_ms.values())
    rows = [
        ("actions", result.actions),
        ("events", result.events),
        *((f"deliveries {status}", count) for status, count in result.deliveries.items()),
        ("retries", result.retries),
        ("duplicates", result.duplicates),
        ("forgeries refused", result.forgeries_refused),
        ("ms to arrive, p50 / p95", latency),
        ("seconds", result.seconds),
    ]
    return _table(rows)


def _dialects(result: Score) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    table.add_row(Text("said", style="dim"), "", Text("and verified by", style="dim"))
    for dialect in DIALECTS:
        said = Text(str(result.said[dialect]), style="green")
        table.add_row(Text(dialect, style="bold"), said, Text(_SIGNED[dialect], style="dim"))
    return table


def _table(rows: list[tuple[str, object]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    for name, value in rows:
        table.add_row(name, Text(str(value), style="bold"))
    return table
