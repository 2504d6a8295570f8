"""Facets: the parameters of a list's URL that narrow it, what each of them may be, and that anything else is refused."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from affwire.errors import NotFound, Refused
from affwire.model import ids
from affwire.store.tx import Tx

if TYPE_CHECKING:
    from affwire.console.visit import Visit

PERIODS: Final = {"15m": 900_000, "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000}
SINCE: Final = (("15m", "15 minutes"), ("1h", "hour"), ("24h", "day"), ("7d", "7 days"))
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
        if self.finds is not None:
            if not self.finds(visit, tx, value):
                raise NotFound("record_not_found", f"{self.name}: there is no such record here.", parameter=self.name)
        elif self.choices is not None and not self.free:
            known = [one for one, _ in self.choices(visit, tx)]
            if value not in known:
                raise Refused("invalid_filter", f"{self.name} is one of: {', '.join(known)}.", parameter=self.name)


def an_id(*kinds: str) -> Find:
    """Return what knows ids of these kinds by their form, of any without one: for records that others than we may keep."""
    return lambda _visit, _tx, text: (kind := ids.kind_of(text)) is not None and (not kinds or kind in kinds)


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
