"""The command that watches an installation: stats. Only its arguments are here."""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once

from contextlib import suppress
from typing import Annotated

import typer

from affwire.cli.terminal import AsJson, sentences


def stats(
    *,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on until Ctrl-C: a panel, or a line each in a pipe.")
    ] = False,
    every: Annotated[float, typer.Option(min=0.05, help="Seconds of an interval.")] = 2,
    also: Annotated[
        list[str] | None, typer.Option("--also", help="Count this process in, too: http://HOST:PORT.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show how the installation does: rates, times, the queue, who makes trouble.

    Example: affwire stats --watch

    On the server's own machine no key is needed; elsewhere it takes the operator's (AFFWIRE_ADMIN_KEY). Rates are of the
    process at AFFWIRE_URL: name other servers and workers (AFFWIRE_WORKER_PORT) with --also.
    """
    with sentences(), suppress(KeyboardInterrupt):
        import asyncio

        from affwire.cli.stats import stats as run

        asyncio.run(run(watch=watch, every=every, also=also or (), as_json=as_json))
