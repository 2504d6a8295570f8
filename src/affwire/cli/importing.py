"""`affwire import`: seed a running server from a file, in chunks through /v1/batches, without telling any receiver.

Rule: every chunk is all or nothing and has an Idempotency-Key made of what it holds, so that a repeat does no harm.
"""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from affwire.cli.terminal import FAILED, AsJson, say, sentences, show_json

if TYPE_CHECKING:
    from affwire.cli.client import Client
    from affwire.cli.lines import Line

CHUNK: Final = 500
"""Lines of one batch: some hundred milliseconds of the server's writer."""
BAD_LINES_MAX: Final = 100
"""Bad lines after which an import stops: the file is another than was thought."""
_STATE_SUFFIX: Final = ".affwire-import"


@dataclass(slots=True)
class Tally:
    """What an import has done so far. `line`: the last one of a chunk that is finished; the next run may begin behind it."""

    done: int = 0
    bad: int = 0
    line: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)


def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON lines, or CSV with a head line.")],
    *,
    kind: Annotated[
        str, typer.Option(help="What the lines are: affiliates, programs, memberships, ...")
    ] = "affiliates",
    by: Annotated[
        str | None, typer.Option(help="Create or change by the id in external_ids under this namespace.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Have every line checked, and change nothing.")] = False,
    emit: Annotated[bool, typer.Option("--emit", help="Write events and tell the endpoints.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on behind what an earlier run finished.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import records, quietly: no event is written and no endpoint told, unless --emit.

    Example: affwire import affiliates.csv --by crm --dry-run

    A line of JSON may also be an operation of its own: {"method", "path", "body"}. Bad lines are told with their number
    and left out; the exit code is then 1.
    """
    with sentences():
        from affwire.cli.client import open_client
        from affwire.cli.lines import read_lines

        state = State(file, {"kind": kind, "by": by, "emit": emit})
        start = state.line() if resume else 0
        tally = Tally(line=start)
        with open_client() as client, progress(file) as step:
            for chunk in chunks(read_lines(file, kind, by), start):
                send(client, chunk, tally, emit=emit, dry_run=dry_run)
                if not dry_run:
                    state.keep(tally.line)
                step(tally)
                if tally.bad >= BAD_LINES_MAX:
                    say(f"affwire: {tally.bad} bad lines; stopped behind line {tally.line}.")
                    break
            else:
                state.forget()
        tell(tally, dry_run=dry_run, as_json=as_json)
        if tally.bad:
            raise typer.Exit(FAILED)


class State:
    """How far an import came: a small file beside the imported one, of use only while that one is unchanged."""

    def __init__(self, file: Path, how: dict[str, Any]) -> None:
        self._path = file.with_name(file.name + _STATE_SUFFIX)
        with file.open("rb") as content:
            digest = sha256(json.dumps(how, sort_keys=True).encode())
            while block := content.read(1 << 20):
                digest.update(block)
        self._digest = digest.hexdigest()

    def line(self) -> int:
        """Return the line behind which to go on, 0 if there is nothing to go on from."""
        try:
            kept = json.loads(self._path.read_text("utf-8"))
            return int(kept["line"]) if kept["digest"] == self._digest else 0
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def keep(self, line: int) -> None:
        """Note that all up to a line is done."""
        self._path.write_text(json.dumps({"digest": self._digest, "line": line}), "utf-8")

    def forget(self) -> None:
        """Take the note away: there is nothing left to do."""
        self._path.unlink(missing_ok=True)


def chunks(lines: "Iterator[Line]", start: int) -> "Iterator[list[Line]]":
    """Return the lines behind `start` in chunks."""
    following = (line for line in lines if line.number > start)
    while chunk := list(islice(following, CHUNK)):
        yield chunk


def send(client: "Client", chunk: "list[Line]", tally: Tally, *, emit: bool, dry_run: bool) -> None:
    """Send a chunk; a line that is refused is told and left out, and the rest is sent again."""
    from affwire.cli.client import Unanswered

    rest = [line for line in chunk if tally.bad < BAD_LINES_MAX and not _is_bad(line, tally)]
    while rest and tally.bad < BAD_LINES_MAX:
        batch = {"emit": emit, "dry_run": dry_run, "operations": [line.operation for line in rest]}
        try:
            client.post("/v1/batches", batch, headers=_headers(batch, rest[0].number))
        except Unanswered as error:
            index = error.facts.get("operation")
            if not isinstance(index, int) or not 0 <= index < len(rest):
                raise
            _note(tally, rest.pop(index).number, error.sentence)
        else:
            tally.done += len(rest)
            break
    if tally.bad < BAD_LINES_MAX:
        tally.line = chunk[-1].number


def _is_bad(line: "Line", tally: Tally) -> bool:
    if line.problem is not None:
        _note(tally, line.number, line.problem)
    return line.problem is not None


def _note(tally: Tally, number: int, sentence: str) -> None:
    tally.bad += 1
    tally.problems.append({"line": number, "problem": sentence})
    say(f"line {number}: {sentence}")


def _headers(batch: dict[str, Any], first: int) -> dict[str, str]:
    """Return the key under which this very chunk is carried out once, however often it is sent (within a day)."""
    digest = sha256(json.dumps(batch, sort_keys=True).encode()).hexdigest()
    return {"Idempotency-Key": f"affwire-import-{first}-{digest}"}


def tell(tally: Tally, *, dry_run: bool, as_json: bool) -> None:
    """Print what became of the file."""
    if as_json:
        show_json({"dry_run": dry_run, "imported": tally.done, "bad": tally.bad, "problems": tally.problems})
        return
    would = "would be imported" if dry_run else "imported"
    print(f"{tally.done} {would}, {tally.bad} bad.")


class progress:  # noqa: N801 -- used as a context manager, like a function
    """A bar on stderr while a file is imported; nothing where nobody watches."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __enter__(self) -> Callable[[Tally], None]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), disable=not Console(stderr=True).is_terminal)
        with self._file.open("rb") as content:
            total = sum(1 for _ in content)
        task = self._bar.add_task(self._file.name, total=total)
        self._bar.start()
        return lambda tally: self._bar.update(task, completed=tally.line)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
