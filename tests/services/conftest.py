"""A house to act in, and a look at everything that is in its database."""

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest

from affwire.errors import Refused
from affwire.store import tables
from affwire.testing.house import MemoryHouse


class OpenHouse(MemoryHouse):
    """A house whose whole database can be looked at."""

    def everything(self) -> dict[str, list[Any]]:
        """Return every row of every table."""
        return self.run(
            lambda tx: {
                table.name: [tuple(row) for row in tx.connection.execute(table.select())]
                for table in tables.metadata.sorted_tables
            }
        )

    def read(self, work: Callable[[Any], Any]) -> Any:
        return self.run(work)

    def types(self) -> list[str]:
        return [event.type for event in self.events()]

    @contextmanager
    def refuses(self, code: str, **facts: Any):
        """Expect a refusal with this code and these facts, and that nothing at all was written."""
        before = self.everything()
        with pytest.raises(Refused) as refusal:
            yield refusal
        assert refusal.value.code == code
        assert {name: refusal.value.facts.get(name) for name in facts} == facts
        assert self.everything() == before

    @contextmanager
    def changes_nothing(self):
        """Expect that nothing at all is written, events included."""
        before = self.everything()
        yield
        assert self.everything() == before


@pytest.fixture
def house() -> OpenHouse:
    return OpenHouse()
