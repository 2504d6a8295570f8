"""The command `affwire`: one Typer app; what goes wrong is one sentence and exit code 1 or 2, never a traceback."""

import io
import sys
from collections.abc import Callable
from typing import Final

import typer

from affwire import __version__
from affwire.cli import (
    asking,
    deliveries,
    endpoints,
    events,
    importing,
    inbox,
    keeping,
    registry,
    running,
    sources,
    tools,
    users,
    watching,
)
from affwire.cli.nouns import NOUNS
from affwire.cli.terminal import AsJson, show_json

app = typer.Typer(
    name="affwire",
    help="The wire between affiliate programs and everything that must know about them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

COMMANDS: Final[tuple[Callable[..., None], ...]] = (
    *(running.serve, running.worker, running.demo, running.migrate, running.doctor, watching.stats),
    *(keeping.backup, keeping.restore, keeping.move),
    *(asking.dialects, asking.guard),
    *(events.why, events.render, events.diff, events.trigger, events.listen),
    *(tools.convert, tools.verify, tools.explain_signature, tools.check),
)
"""The commands that stand alone, in the order of the help; the groups follow."""


@app.command()
def version(*, as_json: AsJson = False) -> None:
    """Print the version.

    Example: affwire version
    """
    if as_json:
        show_json({"version": __version__})
    else:
        print(__version__)


for command in COMMANDS:
    app.command()(command)
app.command("import")(importing.import_file)
app.command()(importing.reconcile)
for noun in NOUNS:
    app.add_typer(registry.group(noun), name=noun.name)
app.add_typer(endpoints.app, name="endpoints")
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(sources.app, name="sources")
app.add_typer(inbox.app, name="inbox")
app.add_typer(users.app, name="users")
app.add_typer(keeping.secrets_app, name="secrets")


def main() -> None:
    """Run the command line; what the terminal's encoding does not have is shown as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="affwire")
