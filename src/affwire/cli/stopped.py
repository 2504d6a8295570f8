"""The data directory for a command alone, where the server must be stopped: the sentence tells who has it and what to type."""

from pathlib import Path
from typing import Final

from affwire.errors import Conflict, Refused
from affwire.store.datadir import DataDir, DataDirLock

TAKEN: Final = "data_dir_locked"


def lock_alone(data_dir: DataDir, command: str) -> DataDirLock:
    """Take the directory. Raises Conflict("data_dir_locked") naming the process that has it and `command` as what comes next."""
    try:
        return data_dir.lock()
    except Conflict as taken:
        if taken.code != TAKEN:
            raise
        holder = str(taken.facts["process"])
        stop = f"Stop it (kill {holder})" if holder.isdigit() else "Stop it"
        raise Conflict(
            TAKEN,
            f"The server must not run meanwhile: process {holder} holds {data_dir.lock_file}. {stop}, then type: {command}",
            **taken.facts,
        ) from taken


def check_there(database: Path) -> None:
    """Raise Refused("no_database") before a directory is made for nothing."""
    if not database.exists():
        sentence = f"There is no database at {database}; where it is, say with --data-dir or AFFWIRE_DATA_DIR."
        raise Refused("no_database", sentence, path=str(database))
