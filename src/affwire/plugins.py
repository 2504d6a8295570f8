"""Finds dialects: the built-in folders, and packages that name themselves under the entry point `affwire.dialects`.

An entry point's value is `package:attribute`, the attribute being what a built-in folder calls `dialect`.
"""

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from typing import Final

from affwire import dialects as builtin
from affwire.dialects.base import Dialect
from affwire.errors import Broken

GROUP: Final = "affwire.dialects"


def load_dialects() -> Mapping[str, Dialect]:
    """Return every dialect by name, sorted. Raises Broken if two call themselves the same."""
    found: dict[str, Dialect] = {}
    for dialect in (*_built_in(), *_installed()):
        name = dialect.card.name
        if name in found:
            raise Broken("dialect_twice", f"two dialects call themselves {name!r}; uninstall one of them", dialect=name)
        found[name] = dialect
    return dict(sorted(found.items()))


def find_dialect(name: str) -> Dialect:
    """Return one dialect, loading no other built-in one. Raises ValueError, naming what there is, if there is none."""
    if name in _folders():
        return _load(name)
    found = next((dialect for dialect in _installed() if dialect.card.name == name), None)
    if found is None:
        raise ValueError(f"no dialect is called {name!r}; there are: {', '.join(load_dialects())}")
    return found


def _built_in() -> list[Dialect]:
    return [_load(name) for name in _folders()]


@lru_cache
def _folders() -> tuple[str, ...]:
    return tuple(module.name for module in iter_modules(builtin.__path__) if module.ispkg)


def _load(name: str) -> Dialect:
    found: Dialect = import_module(f"{builtin.__name__}.{name}").dialect
    return found


def _installed() -> list[Dialect]:
    return [point.load() for point in entry_points(group=GROUP)]
