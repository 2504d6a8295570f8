"""The commands that run affwire or look after its data: serve, demo, migrate, doctor. Only their arguments are here."""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once

from pathlib import Path
from typing import Annotated

import typer

from affwire.cli.terminal import FAILED, AsJson, say, sentences, settings, show_json, warn_of_unknown_variables

DataDirOption = Annotated[Path | None, typer.Option("--data-dir", help="Where the data lives [AFFWIRE_DATA_DIR].")]


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [AFFWIRE_HOST].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, 0 for a free one [AFFWIRE_PORT].")] = None,
    data_dir: DataDirOption = None,
    *,
    worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Deliver, too; without, workers do (PostgreSQL).")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Run the API and the engine until Ctrl-C.

    Example: affwire serve --port 8787 --data-dir ./affwire-data
    """
    with sentences():
        from affwire.cli.serve import serve as run

        chosen = settings(host=host, port=port, data_dir=data_dir)
        warn_of_unknown_variables()
        run(chosen, engine=worker, as_json=as_json)


def worker(*, data_dir: DataDirOption = None, as_json: AsJson = False) -> None:
    """Deliver, without an API, until Ctrl-C; needs PostgreSQL.

    Example: affwire worker

    AFFWIRE_DATABASE_URL is postgresql://... Run any number, on any machines, each with the same AFFWIRE_MASTER_KEY: what
    one leaves behind, another takes up.
    """
    with sentences():
        from affwire.cli.serve import work

        chosen = settings(data_dir=data_dir)
        warn_of_unknown_variables()
        work(chosen, as_json=as_json)


def demo(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="No panel, no waiting: exit 1 unless all is as it must.")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="With --check: keep the temporary directory.")] = False,
    as_json: AsJson = False,
) -> None:
    """Watch every change of state arrive in six dialects, and what platforms send come in.

    Example: affwire demo

    It starts a real server and real HTTPS receivers on this machine, sends nothing outside, and leaves the server
    running to be tried out until Ctrl-C. What it makes lives in .demo/.
    """
    with sentences():
        from affwire.cli.demo import run

        raise typer.Exit(run(check=check, keep=keep, as_json=as_json))


def migrate(*, data_dir: DataDirOption = None, as_json: AsJson = False) -> None:
    """Bring the database up to the schema this version needs.

    Example: affwire migrate --data-dir ./affwire-data

    The server does the same when it starts; this is for doing it beforehand. It needs the data directory for itself.
    """
    with sentences():
        from affwire.cli.migrate import migrate as run

        done = run(settings(data_dir=data_dir))
        if as_json:
            show_json(done.as_dict())
        else:
            say(done.sentence)


def doctor(*, data_dir: DataDirOption = None, as_json: AsJson = False) -> None:
    """Check this installation, and say what to mend.

    Example: affwire doctor
    """
    from affwire.cli.doctor import examine, show

    warn_of_unknown_variables()
    findings = examine(data_dir)
    if as_json:
        show_json([finding.as_dict() for finding in findings])
    else:
        show(findings)
    if any(finding.state == "fail" for finding in findings):
        raise typer.Exit(FAILED)
