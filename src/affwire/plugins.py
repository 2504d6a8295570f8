"""Finds dialects: the built-in folders, and packages that name themselves under the entry point `affwire.dialects`.

An entry point's value is `package:attribute`, the attribute being what a built-in folder calls `dialect`.
"""

from collections.abc import Mapping
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


def _built_in() -> list[Dialect]:
    folders = (module.name for module in iter_modules(builtin.__path__) if module.ispkg)
    return [import_module(f"{builtin.__name__}.{name}").dialect for name in folders]


def _installed() -> list[Dialect]:
    return [point.load() for point in entry_points(group=GROUP)]
