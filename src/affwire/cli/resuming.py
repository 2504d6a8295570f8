"""How far an import came, and how it goes on after Ctrl-C or a failure.

Rule: what is noted beside the file is of use only while the file, and the way it is imported, are unchanged.
"""

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from affwire.cli.terminal import say
from affwire.errors import AffwireError, Refused

if TYPE_CHECKING:
    from affwire.cli.twice import Rehearsal

_STATE_SUFFIX: Final = ".affwire-import"


@dataclass(slots=True)
class Tally:
    """What an import has done so far. `line`: the last one of a chunk that is finished; the next run may begin behind it.

    `seen`: the records up to there. `refused`: what the server said of lines of the chunk under way. `rehearsal`: in a dry
    run, what the records hold.
    """

    done: int = 0
    bad: int = 0
    line: int = 0
    seen: int = 0
    refused: dict[int, str] = field(default_factory=dict)
    rehearsal: "Rehearsal | None" = None
    problems: list[dict[str, Any]] = field(default_factory=list)
    place: int | None = None

    @property
    def shown(self) -> int:
        """The line as a person finds it: the record's place where one record is several operations."""
        return self.line if self.place is None else self.place


class State:
    """The note: a small file beside the imported one."""

    def __init__(self, file: Path, how: dict[str, Any]) -> None:
        """Raises Refused("invalid_import") for a pipe or a device: the first look would empty it."""
        if not file.is_file():
            raise Refused("invalid_import", f"{file} is no plain file, which can be read again: write it to one first.")
        self._complained = False
        self._path = file.with_name(file.name + _STATE_SUFFIX)
        with file.open("rb") as content:
            digest = sha256(json.dumps(how, sort_keys=True).encode())
            while block := content.read(1 << 20):
                digest.update(block)
        self._digest = digest.hexdigest()

    def restore(self, tally: Tally) -> None:
        """Have a tally go on where an earlier run was; it stays as it is if there is nothing to go on from."""
        try:
            kept = json.loads(self._path.read_text("utf-8"))
            refused = {int(number): str(told) for number, told in kept["refused"].items()}
            if kept["digest"] == self._digest:
                tally.line, tally.refused = int(kept["line"]), refused
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return

    def keep(self, tally: Tally) -> None:
        """Note how far it came; a dry run leaves no note.

        What was refused belongs to it: the rest of the chunk is then sent again as it was, under the same key.
        """
        if tally.rehearsal:
            return
        note, partial = self._noted(tally), self._path.with_name(f"{self._path.name}.partial")
        try:
            partial.write_text(note, "utf-8")
            partial.replace(self._path)
        except OSError as error:
            self._complain(f"{self._path} cannot be written ({error.strerror}): --resume will begin anew.")

    def _noted(self, tally: Tally) -> str:
        return json.dumps({"digest": self._digest, "line": tally.line, "refused": tally.refused})

    def _complain(self, sentence: str) -> None:
        if not self._complained:
            say(f"affwire: {sentence}")
        self._complained = True

    def forget(self) -> None:
        """Take the note away: there is nothing left to do."""
        self._path.unlink(missing_ok=True)


@contextmanager
def telling_how_to_go_on(tally: Tally, again: list[str]) -> Iterator[None]:
    """When Ctrl-C or a failure cuts an import, tell how far it came and what to type next: `again`, to be resumed."""
    command = f"Go on with: {shlex.join([*again, '--resume'])}"
    try:
        yield
    except AffwireError as error:
        if (tally.line or tally.refused) and not tally.rehearsal:
            error.sentence += f" It is done up to line {tally.shown}. {command}"
        raise
    except KeyboardInterrupt:
        if tally.rehearsal:
            say("affwire: The dry run was cut; nothing was changed.")
        else:
            say(f"affwire: Cut; it is done up to line {tally.shown}, {tally.done} imported. {command}")
        raise
