"""`affwire import`: seed a running server from a file, in chunks through /v1/batches, without telling any receiver.

Rule: every chunk is all or nothing and has an Idempotency-Key made of what it holds, so that a repeat does no harm.
"""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once

import json
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from affwire.cli import completion
from affwire.cli.resuming import State, Tally, telling_how_to_go_on
from affwire.cli.talking import talking
from affwire.cli.terminal import FAILED, AsJson, say, sentences, show_json
from affwire.errors import Refused

if TYPE_CHECKING:
    from affwire.cli.client import Client
    from affwire.cli.lines import Line
    from affwire.cli.twice import Rehearsal

CHUNK: Final = 500
"""Lines of one batch: some hundred milliseconds of the server's writer."""
BAD_LINES_MAX: Final = 100
"""Bad lines after which an import stops: the file is another than was thought."""


def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON lines, or CSV with a head line.")],
    *,
    kind: Annotated[
        str, typer.Option(help="What the lines are: affiliates, programs, memberships, ...")
    ] = "affiliates",
    source: Annotated[
        str | None,
        typer.Option(
            "--from", help="The platform whose export it is: rewardful, ...", autocompletion=completion.dialects
        ),
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Create or change by the id in external_ids under this namespace.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Have every line checked, and change nothing.")] = False,
    emit: Annotated[bool, typer.Option("--emit", help="Write events and tell the endpoints.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on behind what an earlier run finished.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import records from a file, quietly unless --emit.

    Example: affwire import affiliates.csv --by crm --dry-run

    With --from, a platform's export: programs, affiliates and memberships, under the platform's own ids (ext:rewardful:...);
    links, promo codes, groups and memberships that are over are left out, with their number on stderr. Read are its REST
    API's lists, webhook bodies as JSON lines, and of rewardful and insert_affiliate CSV, too.

    Quietly: no event is written and no endpoint told. A line of JSON may also be an operation of its own: {"method",
    "path", "body"}. Bad lines are told with their number and left out; the exit code is then 1. After Ctrl-C (exit 130)
    or a failure, --resume goes on.
    """
    with sentences():
        from affwire.cli.client import open_client

        how = {"kind": kind, "by": by, "emit": emit} | ({"from": source} if source else {})
        left_out: Counter[str] = Counter()
        read = _reader(file, kind, by, source, left_out)
        state = State(file, how)
        tally = Tally(rehearsal=_rehearsal() if dry_run else None)
        if resume:
            state.restore(tally)
        again = _again(file, kind, by, source, emit=emit)
        with (
            open_client() as client,
            telling_how_to_go_on(tally, again),
            progress(file, counted=source is None) as step,
        ):
            for chunk in chunks(read(client), tally):
                send(client, chunk, tally, state, emit=emit)
                step(tally)
                if tally.bad >= BAD_LINES_MAX:
                    say(f"affwire: {tally.bad} bad lines; stopped behind line {tally.shown}.")
                    break
            else:
                if not dry_run:
                    state.forget()
        tell(tally, left_out, as_json=as_json)
        if tally.bad:
            raise typer.Exit(FAILED)


def reconcile(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An export, as import --from reads it.")],
    source: Annotated[str, typer.Option("--from", help="The platform.", autocompletion=completion.dialects)],
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Write what is missing or differs here, with events.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the drift between registry and export.

    Example: affwire reconcile affiliates.json --from rewardful --apply

    Exit 1 while there is any. Missing here, missing there, and fields that differ, but for what the platform cannot tell
    apart. --apply writes through the API, so that endpoints are told; what is missing there is never taken away.
    """
    with talking() as client:
        from affwire.cli.reconciling import reconcile as run

        if not run(client, file, source, apply=apply, as_json=as_json):
            raise typer.Exit(FAILED)


def _reader(
    file: Path, kind: str, by: str | None, source: str | None, left_out: Counter[str]
) -> "Callable[[Client], Iterator[Line]]":
    """Return what reads the file; of a platform's export, with an eye on what the server has. Raises Refused."""
    if source is None:
        from affwire.cli.lines import read_lines

        lines = read_lines(file, kind, by)
        return lambda _: lines
    from affwire.cli.seeding import reader

    if by is not None:
        raise Refused("invalid_import", "--by is for lines of your own; an export has the platform's ids.")
    return reader(file, source, left_out)


def _again(file: Path, kind: str, by: str | None, source: str | None, *, emit: bool) -> list[str]:
    """Return what to type to have the same import once more."""
    what = ["--from", source] if source else ["--kind", kind, *(["--by", by] if by else [])]
    return ["affwire", "import", str(file), *what, *["--emit"][:emit]]


def _rehearsal() -> "Rehearsal":
    from affwire.cli.twice import Rehearsal

    return Rehearsal()


def chunks(lines: "Iterator[Line]", tally: Tally) -> "Iterator[list[Line]]":
    """Return the lines behind what is done already, in chunks."""
    while (line := next(lines, None)) is not None and line.number <= tally.line:
        tally.seen += 1
    following = lines if line is None else chain([line], lines)
    while chunk := list(islice(following, CHUNK)):
        yield chunk


def send(client: "Client", chunk: "list[Line]", tally: Tally, state: State, *, emit: bool) -> None:
    """Send a chunk; a line that is refused is told and left out, and the rest is sent again."""
    from affwire.cli.client import Unanswered

    rest = [line for line in chunk if tally.bad < BAD_LINES_MAX and not _is_bad(line, tally)]
    while rest and tally.bad < BAD_LINES_MAX:
        operations = [line.operation for line in rest]
        batch = {"emit": emit, "dry_run": tally.rehearsal is not None, "operations": operations}
        try:
            client.post("/v1/batches", batch, headers=_headers(batch, rest[0].number))
        except Unanswered as error:
            index = error.facts.get("operation")
            if not isinstance(index, int) or not 0 <= index < len(rest):
                raise
            line = rest.pop(index)
            tally.refused[line.number] = error.sentence
            _note(tally, line.shown, error.sentence)
            state.keep(tally)
        else:
            _note_taken(rest, tally)
            break
    if tally.bad < BAD_LINES_MAX:
        tally.line, tally.place = chunk[-1].number, chunk[-1].place
        tally.seen += len(chunk)
        tally.refused.clear()
        state.keep(tally)


def _note_taken(lines: "list[Line]", tally: Tally) -> None:
    tally.done += len(lines)
    if tally.rehearsal:
        for line in lines:
            tally.rehearsal.take(line)


def _is_bad(line: "Line", tally: Tally) -> bool:
    problem = (
        line.problem or tally.refused.get(line.number) or (tally.rehearsal.problem(line) if tally.rehearsal else None)
    )
    if problem is not None:
        _note(tally, line.shown, problem)
    return problem is not None


def _note(tally: Tally, number: int, sentence: str) -> None:
    tally.bad += 1
    tally.problems.append({"line": number, "problem": sentence})
    say(f"line {number}: {sentence}")


def _headers(batch: dict[str, Any], first: int) -> dict[str, str]:
    """Return the key under which this very chunk is carried out once, however often it is sent (within a day)."""
    digest = sha256(json.dumps(batch, sort_keys=True).encode()).hexdigest()
    return {"Idempotency-Key": f"affwire-import-{first}-{digest}"}


def tell(tally: Tally, left_out: Counter[str], *, as_json: bool) -> None:
    """Print what became of the file; `left_out`: of an export, what no operation writes."""
    dry_run = tally.rehearsal is not None
    if as_json:
        shown = {"dry_run": dry_run, "imported": tally.done, "bad": tally.bad, "problems": tally.problems}
        show_json(shown | ({"left_out": dict(left_out)} if left_out else {}))
        return
    if left_out:
        from affwire.cli.seeding import say_left_out

        say_left_out(left_out)
    would = "would be imported" if dry_run else "imported"
    print(f"{tally.done} {would}, {tally.bad} bad.")


class progress:  # noqa: N801 -- used as a context manager, like a function
    """A bar on stderr while a file is imported; nothing where nobody watches."""

    def __init__(self, file: Path, *, counted: bool = True) -> None:
        self._file, self._counted = file, counted

    def __enter__(self) -> Callable[[Tally], None]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        from affwire.cli.lines import count

        screen = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=screen, disable=not screen.is_terminal)
        task = self._bar.add_task(
            self._file.name, total=count(self._file) if screen.is_terminal and self._counted else None
        )
        self._bar.start()
        return lambda tally: self._bar.update(task, completed=tally.seen)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
