"""The command `affwire`: one Typer app; a user's mistake is one sentence and exit code 2, never a traceback."""

import typer

from affwire import __version__
from affwire.cli import asking, deliveries, endpoints, running

app = typer.Typer(
    name="affwire",
    help="The wire between affiliate programs and everything that must know about them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def version() -> None:
    """Print the version.

    Example: affwire version
    """
    typer.echo(__version__)


for command in (running.serve, running.demo, running.migrate, running.doctor, asking.dialects, asking.guard):
    app.command()(command)
app.add_typer(endpoints.app, name="endpoints")
app.add_typer(deliveries.app, name="deliveries")


def main() -> None:
    """Run the command line."""
    app()
