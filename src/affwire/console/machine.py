"""The server's own machine, for whoever pastes a command into a shell there: what finds server and key, never the key itself."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from affwire.model.registry import NUMBER_FIRST, Organization
from affwire.store.datadir import DataDir, write_private


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the data is, and with it the keys that commands find."""

    data_dir: DataDir

    def keep(self, organization: Organization, key: str) -> Path | None:
        """Keep the first organization's key where commands find it; return where, None if it is not kept."""
        if organization.number != NUMBER_FIRST:
            return None
        write_private(self.data_dir.api_key, key)
        return self.data_dir.api_key.absolute()

    def finds(self, organization: Organization | None) -> bool:
        """Whether a command finds the key that it needs: of the organization, or where there is none of the operator."""
        if organization is None:
            return self.data_dir.admin_key.exists()
        return organization.number == NUMBER_FIRST and self.data_dir.api_key.exists()

    @property
    def shell(self) -> str:
        """The line after which a shell finds affwire, this server and its keys."""
        return f"export AFFWIRE_DATA_DIR={quote(str(self.data_dir.path.absolute()))}{_path()}"


def _path() -> str:
    """Return what a shell needs that would not find the command by its name."""
    place = Path(sys.executable).parent
    if shutil.which("affwire") or not (place / "affwire").exists():
        return ""
    return f' PATH={quote(str(place))}:"$PATH"'
