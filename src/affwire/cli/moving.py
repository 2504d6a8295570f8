"""`affwire move`: from the embedded SQLite to PostgreSQL, under the data directory's lock, with a bar to watch."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from affwire.cli.stopped import check_there, lock_alone
from affwire.cli.terminal import log_to_stderr
from affwire.errors import Refused
from affwire.settings import Settings
from affwire.store.datadir import DataDir
from affwire.store.opening import driver
from affwire.store.vault import Vault


def move(settings: Settings, file: Path | None) -> list[dict[str, Any]]:
    """Move everything; return what was moved, table by table. Raises Refused, Conflict, Busy: nothing was moved then."""
    if settings.postgres_url is None:
        raise Refused("no_target", "Name the PostgreSQL to move to: AFFWIRE_DATABASE_URL=postgresql://...")
    driver()
    log_to_stderr()
    data_dir = DataDir(settings.data_dir)
    path = file or data_dir.database
    check_there(path)
    with lock_alone(data_dir, "affwire move"):
        return _watched(path, settings.postgres_url, _vault(settings, data_dir))


def _watched(path: Path, url: str, vault: Vault) -> list[dict[str, Any]]:
    from affwire.store.moving import move as run  # noqa: PLC0415 -- the driver is an extra

    screen = Console(stderr=True)
    rows = TextColumn("{task.fields[rows]:>12,} rows")
    columns = (TextColumn("{task.description:16}"), BarColumn(), rows, TimeRemainingColumn())
    with Progress(*columns, console=screen, disable=not screen.is_terminal) as progress:
        bars: dict[str, Any] = {}

        def watch(table: str, done: int, total: int) -> None:
            if table not in bars and total:
                bars[table] = progress.add_task(table, total=total, rows=total // 2)
            if total:
                progress.update(bars[table], completed=done)

        moved = run(path, url, vault, watch)
    return [{"table": one.table, "rows": one.rows, "checksum": one.checksum} for one in moved]


def _vault(settings: Settings, data_dir: DataDir) -> Vault:
    master_key, following = settings.master_keys
    return Vault.from_settings(master_key, data_dir.master_key, following)
