"""Templates: Jinja2 that escapes everything and takes no name that is not there."""

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES: Final = Path(__file__).parent / "templates"


def environment() -> Environment:
    """Return the templates of the console."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


class Templates:
    """The templates, each compiled when it is first used."""

    def __init__(self) -> None:
        self._environment = environment()

    def render(self, name: str, **context: Any) -> str:
        """Return a page; jinja2.UndefinedError where it wants what it is not given."""
        return self._environment.get_template(name).render(context)

    def block(self, name: str, macro: str, *values: Any) -> str:
        """Return what a macro of a template makes of values."""
        module = self._environment.get_template(name).module
        return str(getattr(module, macro)(*values))
