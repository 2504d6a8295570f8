"""The commands that keep the data safe: backup, restore, secrets. Only their arguments are here."""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once

from pathlib import Path
from typing import Annotated

import typer

from affwire.cli.running import DataDirOption
from affwire.cli.terminal import AsJson, say, sentences, settings, show_json

secrets_app = typer.Typer(no_args_is_help=True, help="The master key that seals secrets at rest.")

File = Annotated[Path, typer.Argument(help="The backup's file.")]


def backup(file: File, *, data_dir: DataDirOption = None, as_json: AsJson = False) -> None:
    """Copy the database to a file, while the server goes on.

    Example: affwire backup affwire-backup.db

    It holds every change that was answered before the command began. The keys are not in it: keep the file master-key
    (or AFFWIRE_MASTER_KEY) elsewhere. Without a server the database is copied under the data directory's lock.
    """
    with sentences():
        from affwire.cli.backup import backup as run

        made = run(settings(data_dir=data_dir), file)
    if as_json:
        show_json(made)
    else:
        say(f"{made['path']}: {made['bytes']:,} bytes.")


def restore(file: File, *, data_dir: DataDirOption = None, as_json: AsJson = False) -> None:
    """Put a backup in place; the server must be stopped.

    Example: affwire restore affwire-backup.db

    The former database is kept beside it. What the backup still had to send is held, and its endpoints are paused,
    because it may have arrived since: look with `affwire deliveries list`, then resume an endpoint or cancel.
    """
    with sentences():
        from affwire.cli.backup import restore as run

        done = run(settings(data_dir=data_dir), file)
    if as_json:
        show_json(done)
        return
    say(f"{done['database']} is restored" + (f"; the former one is {done['replaced']}." if done["replaced"] else "."))
    say(f"{done['held_deliveries']} deliveries are held, {done['paused_endpoints']} endpoints paused.")


def move(
    file: Annotated[
        Path | None, typer.Option("--from", help="The SQLite file; default: affwire.db in the data dir.")
    ] = None,
    data_dir: DataDirOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Move everything from SQLite to the PostgreSQL at AFFWIRE_DATABASE_URL.

    Example: affwire move --data-dir ./affwire-data

    The server must be stopped, and the PostgreSQL empty. All of it is one transaction: every table is counted and its
    checksum compared before it is committed, and the file stays as it is. The master key stays the same: set it, too.
    """
    with sentences():
        from affwire.cli.moving import move as run

        try:
            moved = run(settings(data_dir=data_dir), file)
        except KeyboardInterrupt:
            say("Stopped. All of it is one transaction: run the command again.")
            raise
    if as_json:
        show_json(moved)
        return
    for one in moved:
        say(f"{one['table']:16} {one['rows']:>12,} rows  checksum {one['checksum']}")
    say("All of it is in PostgreSQL, and the same there. Start with AFFWIRE_DATABASE_URL and the same master key.")


@secrets_app.command("rotate-key")
def rotate_key(
    to: Annotated[Path | None, typer.Option("--to", help="A file with the new key; default: make one.")] = None,
    data_dir: DataDirOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Seal every secret under a new master key.

    Example: affwire secrets rotate-key

    On SQLite the server must be stopped. All or nothing, and repeatable: a crash leaves the database under the former key
    or under the new one, and either start finds its key. With AFFWIRE_MASTER_KEY set, name the new key by --to or
    AFFWIRE_NEXT_MASTER_KEY, and change the setting afterwards. On PostgreSQL servers and workers go on: each must know
    the new key beforehand (AFFWIRE_NEXT_MASTER_KEY), and to repeat the command goes on where it was cut off.
    """
    with sentences():
        from affwire.cli.secrets import rotate_key as run

        done = run(settings(data_dir=data_dir), to)
    if as_json:
        show_json(done)
    else:
        say(f"{done['secrets']} secrets are sealed under the new key {done['key_id']}. {done['next']}")
