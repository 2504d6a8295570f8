"""Facets: the parameters of a list's URL that narrow it, what each of them may be, and that anything else is refused."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, Self

from markupsafe import escape

from affwire.errors import NotFound, Refused
from affwire.model import ids
from affwire.rules.forms import is_line
from affwire.services import journal
from affwire.store.tx import Tx

if TYPE_CHECKING:
    from affwire.console.visit import Visit

PERIODS: Final = {"15m": 900_000, "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000}
SINCE: Final = (("15m", "15 minutes"), ("1h", "hour"), ("24h", "day"), ("7d", "7 days"))
OFFERED_BYTES: Final = 3_000
"""Of a field's choices, about: some forty programs; what else there is narrows the list from its own page."""
LABEL_MAX: Final = 40
_OPTION: Final = 26
Choices = Sequence[tuple[str, str]]
"""Values and what they are called."""
Choose = Callable[["Visit", Tx], Choices]
Find = Callable[["Visit", Tx, str], object]


@dataclass(frozen=True, slots=True)
class Facet:
    """A parameter of the URL that narrows a listing. `chips`: its choices stand side by side, and one click takes one.

    Without choices, or if `later`, its field is shown where the URL has it; one that is `typed` is shown always.
    Any other value than its choices is refused, unless it is `free`, or `finds` the record that it names.
    """

    name: str
    title: str
    choices: Choose | None = None
    chips: bool = False
    typed: bool = False
    later: bool = False
    free: bool = False
    finds: Find | None = None

    def check(self, visit: "Visit", tx: Tx, value: str) -> None:
        """Raise Refused("invalid_filter") for a value that there is not, NotFound for a record."""
        if not is_line(value):
            raise Refused(
                "invalid_filter", f"{self.name} is one line, without control characters.", parameter=self.name
            )
        if self.finds is not None:
            if not self.finds(visit, tx, value):
                raise NotFound("record_not_found", f"{self.name}: there is no such record here.", parameter=self.name)
        elif self.choices is not None and not self.free:
            known = [one for one, _ in self.choices(visit, tx)]
            if value not in known:
                raise Refused("invalid_filter", f"{self.name} is one of: {', '.join(known)}.", parameter=self.name)


def told_of(*kinds: str) -> Find:
    """Return what finds the subject of events, of these kinds or of any, whether or not it is in the registry any more."""

    def found(visit: "Visit", tx: Tx, record_id: str) -> bool:
        if (kind := ids.kind_of(record_id)) is None or (kinds and kind not in kinds):
            return False
        return journal.is_known(tx, visit.organization_id, record_id)

    return found


@dataclass(frozen=True, slots=True)
class Offered:
    """The choices that a page has room for, and how many more there are."""

    shown: Choices
    more: int = 0

    @classmethod
    def of(cls, choices: Choices) -> Self:
        """Return as many of the choices as fit into OFFERED_BYTES."""
        sizes = accumulate(_OPTION + _bytes(value) + _bytes(said_of(label)) for value, label in choices)
        fits = sum(1 for size in sizes if size <= OFFERED_BYTES)
        return cls([(value, said_of(label)) for value, label in choices[:fits]], len(choices) - fits)


def _bytes(text: str) -> int:
    return len(escape(text).encode())


def said_of(label: str) -> str:
    """Return a choice's name, cut where it is long."""
    return label if len(label) <= LABEL_MAX else f"{label[: LABEL_MAX - 1]}\u2026"


def record(kind: type[Any]) -> Find:
    """Return what finds a record of that kind in the visitor's organization, a deleted one too."""
    return lambda visit, tx, record_id: tx.registry.get_even_deleted(kind, visit.organization_id, record_id)


def among(names: Iterable[str]) -> Choose:
    """Return what offers these names, each called as it is."""
    choices = [(one, one) for one in names]
    return lambda _visit, _tx: choices


def dialects(title: str) -> Facet:
    """Return the facet of the dialects that are installed."""
    return Facet("dialect", title, lambda visit, _tx: [(one, one) for one in visit.desk.dialects])


WITHIN: Final = Facet("since", "Within the last", lambda _visit, _tx: SINCE, free=True)
"""A period, or any time: `Query.since` reads it."""
