"""The command `affwire`: one Typer app; what goes wrong is one sentence and exit code 1 or 2, never a traceback."""

import typer

from affwire import __version__
from affwire.cli import asking, deliveries, endpoints, running
from affwire.cli.terminal import AsJson, show_json

app = typer.Typer(
    name="affwire",
    help="The wire between affiliate programs and everything that must know about them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def version(*, as_json: AsJson = False) -> None:
    """Print the version.

    Example: affwire version
    """
    if as_json:
        show_json({"version": __version__})
    else:
        print(__version__)


for command in (running.serve, running.demo, running.migrate, running.doctor, asking.dialects, asking.guard):
    app.command()(command)
app.add_typer(endpoints.app, name="endpoints")
app.add_typer(deliveries.app, name="deliveries")


def main() -> None:
    """Run the command line."""
    app()
