"""What two records of a file may not share, for a dry run: there the server forgets each chunk before it sees the next.

Rule: only what the server would have taken counts, and a record named by an id of its own may be changed by a later line.
"""

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any, Final

from affwire.store.registry import email_key

if TYPE_CHECKING:
    from affwire.cli.lines import Line

_CREATING: Final = ("POST", "PUT")


class Rehearsal:
    """The values that earlier lines hold, each of which only one record may have."""

    def __init__(self) -> None:
        self._holder: dict[tuple[str, Hashable], tuple[Hashable, int]] = {}
        self._held: dict[Hashable, dict[str, Hashable]] = {}

    def problem(self, line: "Line") -> str | None:
        """Return what an earlier line has that this one may not have, None if there is nothing."""
        record = _record(line)
        for held in _unique(line.operation or {}):
            holder, number = self._holder.get(held, (record, 0))
            if holder != record:
                return f"It has the same {held[0]} as line {number}."
        return None

    def take(self, line: "Line") -> None:
        """Note what a line that was taken holds from now on."""
        record, names = _record(line), dict(_unique(line.operation or {}))
        former = self._held.get(record, {})
        for name in former.keys() & names.keys():
            self._holder.pop((name, former[name]), None)
        for held in names.items():
            self._holder[held] = (record, line.number)
        if isinstance(record, str):
            self._held[record] = {**former, **names}


def _record(line: "Line") -> Hashable:
    """A record is what a PUT names; whatever a POST makes is another one."""
    operation = line.operation or {}
    return str(operation["path"]) if operation.get("method") == "PUT" else line.number


def _unique(operation: dict[str, Any]) -> Iterator[tuple[str, Hashable]]:
    """Yield the names and values of what only one record of the organization may have."""
    body, kind = operation.get("body"), _kind(operation)
    if not isinstance(body, dict) or kind is None:
        return
    own = body.get("external_ids")
    for namespace, value in own.items() if isinstance(own, dict) else ():
        yield f"external_ids.{namespace}", (kind, str(value))
    if kind == "affiliates" and isinstance(body.get("email"), str):
        yield "e-mail address", email_key(body["email"])
    for names in (("affiliate_id", "program_id"), ("membership_id", "code")):
        if all(body.get(name) for name in names):
            yield " and ".join(names), tuple(str(body[name]) for name in names)


def _kind(operation: dict[str, Any]) -> str | None:
    """Return the kind of record that an operation makes: `affiliates` of /v1/affiliates/ext:crm:7; None: it makes none."""
    steps = str(operation.get("path")).partition("?")[0].strip("/").split("/")
    made = operation.get("method") in _CREATING and len(steps) == (2 if operation["method"] == "POST" else 3)
    return steps[1] if made else None
