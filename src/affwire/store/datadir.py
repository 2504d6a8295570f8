"""The data directory: where everything lives, and the lock that keeps it one server's own.

Rule: whoever opens the database file holds the lock. The system frees it when its process dies, however it dies.
"""

import fcntl
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from affwire.errors import Conflict, Refused

_PID_BYTES_MAX: Final = 20
_LINE_MAX: Final = 1_000


class DataDir:
    """Paths inside the directory, which `lock` makes (for its owner alone, 0700) if it is missing."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self.database: Final = path / "affwire.db"
        self.master_key: Final = path / "master-key"
        self.admin_key: Final = path / "admin-key"
        self.api_key: Final = path / "api-key"
        self.address: Final = path / "address"
        self.backups: Final = path / "backups"
        self.lock_file: Final = path / "lock"

    def lock(self) -> "DataDirLock":
        """Take the directory for this process.

        Raises errors.Conflict ("data_dir_locked") while another process has it, errors.Refused if it cannot be made.
        """
        self.make()
        try:
            handle = os.open(self.lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(handle, _PID_BYTES_MAX).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise self._taken(holder) from error
        os.truncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        return DataDirLock(handle)

    def make(self) -> None:
        """Make the directory so that a power loss cannot take it away with what was acknowledged in it.

        Raises errors.Refused if it cannot be made.
        """
        try:
            missing = [path for path in (self.path, *self.path.parents) if not path.exists()]
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in missing:
                sync_directory(path.parent)
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> Refused:
        return Refused(
            "data_dir_unusable",
            f"Cannot use the data directory {self.path}: {error.strerror}.",
            path=str(self.path),
        )

    def _taken(self, holder: str) -> Conflict:
        return Conflict(
            "data_dir_locked",
            f"Another affwire (process {holder}) is using {self.path}: stop it, talk to it over HTTP (AFFWIRE_URL), "
            "or choose another directory with AFFWIRE_DATA_DIR.",
            path=str(self.path),
            process=holder,
        )


class DataDirLock:
    """The right to use a data directory, until released. A context manager."""

    def __init__(self, handle: int) -> None:
        self._handle: int | None = handle

    def release(self) -> None:
        """Let others have the directory. Idempotent."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def write_private(path: Path, text: str) -> None:
    """Put a line into a file that its owner alone may read (0600), whole or not at all, in the place of a former one."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"{text}\n")
    new.replace(path)


def read_private(path: Path) -> str | None:
    """Return the line that a file of ours holds which nobody else may touch, None where there is none.

    Others' files are not believed: a folder that came from elsewhere must not tell commands where to take a key.
    """
    try:
        with path.open(encoding="utf-8") as file:
            about = os.fstat(file.fileno())
            if about.st_uid != os.geteuid() or stat.S_IMODE(about.st_mode) & 0o077:
                return None
            return file.read(_LINE_MAX).strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def sync_directory(path: Path) -> None:
    """Flush a directory's entries: a new file is only sure to be found again after this."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
