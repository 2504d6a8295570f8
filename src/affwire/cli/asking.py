"""The commands that answer from what is installed, without a server: dialects, guard. Only their arguments are here."""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once

from pathlib import Path
from typing import Annotated

import typer

from affwire.cli import completion
from affwire.cli.terminal import FAILED, USAGE, AsJson, say, sentences, settings, show_json

Name = Annotated[str | None, typer.Argument(help="Show this dialect's whole card.", autocompletion=completion.dialects)]
Url = Annotated[str | None, typer.Argument(help="The URL to judge, by the settings in force.")]
Vectors = Annotated[Path | None, typer.Option(allow_dash=True, help="A JSON list of vectors; - reads stdin.")]


def dialects(name: Name = None, *, as_json: AsJson = False) -> None:
    """List the installed dialects, or show the card of one.

    Example: affwire dialects rewardful
    """
    with sentences():
        from affwire.cli import cards

        if name is None:
            cards.show_all(as_json=as_json)
        else:
            cards.show_one(name, as_json=as_json)


def guard(url: Url = None, *, vectors: Vectors = None, as_json: AsJson = False) -> None:
    """Judge a URL, or a file of vectors, as deliveries are.

    Example: affwire guard https://hooks.example.com/in

    A URL is looked up and judged by the settings in force; exit 1 if it is refused. Vectors bring their own answers, are
    judged by the defaults, and give one line of JSON each: {"input", "verdict": "refuse" | "allow", "why"}.
    """
    if (url is None) == (vectors is None):
        say("affwire: Name either a URL or --vectors FILE.")
        raise typer.Exit(USAGE)
    with sentences():
        from affwire.cli import guard as judging

        if vectors is not None:
            for verdict in judging.judge_vectors(vectors):
                show_json(verdict)
            return
        found = judging.judge_url(url or "", settings())
    if as_json:
        show_json(found)
    else:
        print(f"{found['verdict']}: {found['why']}")
    if found["verdict"] == "refuse":
        raise typer.Exit(FAILED)
