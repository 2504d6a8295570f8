"""The commands that look into messages without a server: convert, verify, explain-signature, check. Only their arguments."""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affwire.cli import completion
from affwire.cli.terminal import FAILED, AsJson, say, sentences, settings, show_json

if TYPE_CHECKING:
    from affwire.cli.proving import Case, Verdict

DialectName = Annotated[str, typer.Option("--dialect", help="Whose webhook it is.", autocompletion=completion.dialects)]
Source = Annotated[str, typer.Option("--from", help="The dialect it is in.", autocompletion=completion.dialects)]
Target = Annotated[str, typer.Option("--to", help="The dialect wanted.", autocompletion=completion.dialects)]
Event = Annotated[
    str | None,
    typer.Option(
        "--event", help="What happened, a canonical type or a word, if the body does not tell or says otherwise."
    ),
]
Lines = Annotated[
    Path | None, typer.Option("--file", exists=True, dir_okay=False, help="JSON lines, a body each, in place of stdin.")
]
Secrets = Annotated[
    list[str] | None, typer.Option("--secret", help="The signing secret or token; repeat it for a rotation.")
]
SecretFile = Annotated[Path | None, typer.Option(help="A file that holds the secret [or AFFWIRE_SECRET].")]
Headers = Annotated[list[str] | None, typer.Option("--header", help="'Name: value', as it came; repeat it.")]
Options = Annotated[list[str] | None, typer.Option("--option", help="name=value: an option of the dialect.")]
Now = Annotated[str | None, typer.Option("--now", help="Judge as of then: RFC 3339, or unix seconds.")]


def convert(
    source: Source, target: Target, event: Event = None, file: Lines = None, *, as_json: AsJson = False
) -> None:
    """Say a message on stdin in another dialect.

    Example: affwire convert --from rewardful --to standard < body.json

    One JSON object out per saying, one per line; each thing that is lost or made up is told on stderr. Exit 1 if nothing
    is said, or the body is no message of the dialect. In its own dialect a message comes back key for key. --json prints
    {"word", "sayings", "lost", "made_up", "reason"}, and of a --file "line", too.
    """
    with sentences():
        from affwire.cli.converting import run

        if not run(source, target, event, file, as_json=as_json):
            raise typer.Exit(FAILED)


def verify(
    dialect: DialectName,
    *,
    secret: Secrets = None,
    header: Headers = None,
    option: Options = None,
    now: Now = None,
    secret_file: SecretFile = None,
    as_json: AsJson = False,
) -> None:
    """Judge a request on stdin; exit 1 if it is not genuine.

    Example: affwire verify --dialect rewardful --secret "$SECRET" --header "X-Rewardful-Signature: ..." < body.json
    """
    with sentences():
        from affwire.cli import proving

        one = _case(dialect, secret=secret, header=header, option=option, now=now, secret_file=secret_file)
        proving.check_headers(one)
        _tell(proving.verify(one), as_json=as_json)


def explain_signature(
    dialect: DialectName,
    *,
    secret: Secrets = None,
    header: Headers = None,
    option: Options = None,
    now: Now = None,
    secret_file: SecretFile = None,
    as_json: AsJson = False,
) -> None:
    """Name the mistake that makes a signature wrong.

    Example: affwire explain-signature --dialect standard --secret "$SECRET" --header "webhook-signature: ..." < body.json

    Exit 0 if it is right, else 1. Every header of the request helps. Known mistakes are tried until one, or two together,
    make the very signature given.
    """
    with sentences():
        from affwire.cli import proving

        one = _case(dialect, secret=secret, header=header, option=option, now=now, secret_file=secret_file)
        if not one.message.headers:
            proving.check_headers(one)
        _tell(proving.explain(one), as_json=as_json)


def check(
    url: Annotated[str, typer.Argument(help="The receiver: https, and a public address unless allowed.")],
    dialect: DialectName,
    *,
    secret: Secrets = None,
    option: Options = None,
    secret_file: SecretFile = None,
    junit: Annotated[Path | None, typer.Option(help="Write the card as JUnit XML, too.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send a receiver all it must bear; print a score card.

    Example: affwire check https://hooks.example.com/in --dialect rewardful --secret "$SECRET" --junit card.xml

    Exit 1 if a mandatory case fails. Each request is the platform's sample with ids of its own and Affwire-Test: 1. On this
    machine's own receiver: AFFWIRE_ALLOW_NETWORKS=127.0.0.0/8. A second --secret is sent as the rotation's other one.
    """
    with sentences():
        from affwire.cli import checking

        scores = checking.check(
            url, dialect, settings(), secrets=secret or (), secret_file=secret_file, options=option or ()
        )
        checking.show(scores, as_json=as_json)
        if junit is not None:
            junit.write_text(checking.junit(scores, dialect), "utf-8")
        if any(score.failed for score in scores):
            raise typer.Exit(FAILED)


def _case(
    dialect: str,
    *,
    secret: list[str] | None,
    header: list[str] | None,
    option: list[str] | None,
    now: str | None,
    secret_file: Path | None,
) -> "Case":
    from affwire.cli import proving
    from affwire.cli.converting import read_stdin

    one = proving.case(
        dialect,
        headers=header or (),
        secrets=secret or (),
        secret_file=secret_file,
        options=option or (),
        now=now,
    )
    return one.with_body(read_stdin())


def _tell(verdict: "Verdict", *, as_json: bool) -> None:
    if as_json:
        show_json({"genuine": verdict.genuine, "found": verdict.found, "mend": verdict.mend or None})
    elif verdict.genuine:
        print(verdict.found)
    else:
        say(f"Not genuine. {verdict.found}")
        if verdict.mend:
            say(verdict.mend)
    if not verdict.genuine:
        raise typer.Exit(FAILED)
