"""The commands of the registry: list, get, create, update, delete and the actions of every noun, made from the table.

Rule: one implementation for all nouns; a command only carries what was typed to the server and shows its answer.
"""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from affwire.cli import completion
from affwire.cli.nouns import Field, Noun
from affwire.cli.talking import at, talking
from affwire.cli.terminal import AsJson, say, show, show_json, show_table, tell

if TYPE_CHECKING:
    from affwire.cli.client import Client

Limit = Annotated[int, typer.Option(min=1, max=200, help="How many at most.")]
Cursor = Annotated[str | None, typer.Option(help="Go on where a list ended.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="JSON or text; a.b=value sets a member; may be repeated."),
]
As = Annotated[
    str | None, typer.Option("--as", help="Show it as this dialect's object.", autocompletion=completion.dialects)
]

ASKS: Final = "They ask the server at AFFWIRE_URL, with the key in AFFWIRE_API_KEY."
"""Stands under the help of every group that talks with a server."""

Run = Callable[..., None]
_AS_JSON: Final = inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=AsJson)


def group(noun: Noun) -> typer.Typer:
    """Return the commands of a noun as an app of their own."""
    asks = ASKS.replace("AFFWIRE_API_KEY", "AFFWIRE_ADMIN_KEY") if noun.operator else ASKS
    app = typer.Typer(no_args_is_help=True, help=f"{noun.name.capitalize()}: {_listed(noun)}.", epilog=asks)
    add_commands(app, noun)
    return app


def add_commands(app: typer.Typer, noun: Noun) -> None:
    """Add the commands of a noun to an app."""
    for verb in noun.verbs:
        make, does, example = _VERBS[verb]
        _add(app, f"{noun.name} {verb}", make(noun), does.format(article(noun)), example.format(noun.sample))
    for action, does in noun.actions:
        _add(app, f"{noun.name} {action}", _acting(noun, action), does, "ID")


def article(noun: Noun) -> str:
    """Return the noun with its indefinite article."""
    return f"{'an' if noun.one[0] in 'aeiouAEIOU' else 'a'} {noun.one}"


def show_page(page: dict[str, Any], columns: tuple[str, ...], *, nothing: str, as_json: bool) -> None:
    """Print one page of a list, the id first; people are told where it goes on, or `nothing`."""
    if as_json:
        show_json(page)
        return
    if not page["data"]:
        say(nothing)
        return
    rows = [[record["id"], *map(record.get, columns[1:])] for record in page["data"]]
    more = page["next_cursor"]
    show_table(columns, rows)
    if more:
        say(f"Go on with --cursor {more}")


def show_list(path: str, columns: tuple[str, ...], *, nothing: str, as_json: bool, **query: Any) -> None:
    """Ask the server for one page of a list, and print it as `show_page` does."""
    with talking() as client:
        show_page(client.get(path, **query), columns, nothing=nothing, as_json=as_json)


def _nothing(noun: Noun, *, chosen: bool) -> str:
    if chosen:
        return f"There is no such {noun.one}."
    make = f"; make one: affwire {noun.name} create {noun.sample}" if noun.sample else "."
    return f"There is no {noun.one} yet{make}"


def _listed(noun: Noun) -> str:
    return ", ".join((*noun.verbs, *(action for action, _ in noun.actions)))


def _add(app: typer.Typer, path: str, command: Run, does: str, example: str) -> None:
    shown = f"{does}\n\nExample: affwire {path} {example}".rstrip()
    app.command(path.partition(" ")[2], help=shown)(command)


def _listing(noun: Noun) -> Run:
    def run(client: "Client", *, limit: int, cursor: str | None, as_json: bool, **filters: Any) -> None:
        page = client.get(f"/v1/{noun.name}", limit=limit, cursor=cursor, **filters)
        chosen = cursor is not None or any(value is not None for value in filters.values())
        show_page(page, noun.columns, nothing=_nothing(noun, chosen=chosen), as_json=as_json)

    return _command(noun, run, *map(_option, noun.filters), _keyword("limit", Limit, 50), _keyword("cursor", Cursor))


def _getting(noun: Noun) -> Run:
    def run(client: "Client", *, record_id: str, as_json: bool, as_: str | None = None) -> None:
        record = client.get(at(f"/v1/{noun.name}", record_id), **{"as": as_})
        show(record, as_json=as_json)

    return _command(noun, run, _id(noun), *([_keyword("as_", As)] if noun.rendered else []))


def _creating(noun: Noun) -> Run:
    def run(client: "Client", *, pairs: list[str] | None, as_json: bool, **fields: Any) -> None:
        made = client.post(f"/v1/{noun.name}", _body(pairs, fields))
        show(made, as_json=as_json, form=_show_made)
        if "api_key" in made:
            _keep(client.address, made)

    return _command(noun, run, *map(_option, noun.fields), _keyword("pairs", Set))


def _updating(noun: Noun) -> Run:
    def run(client: "Client", *, record_id: str, pairs: list[str] | None, as_json: bool, **fields: Any) -> None:
        record = client.patch(at(f"/v1/{noun.name}", record_id), _body(pairs, fields))
        tell(record, "is as you wish.", as_json=as_json)

    return _command(noun, run, _id(noun), *map(_option, noun.fields), _keyword("pairs", Set))


def _deleting(noun: Noun) -> Run:
    def run(client: "Client", *, record_id: str, as_json: bool, **how: bool | None) -> None:
        client.delete(at(f"/v1/{noun.name}", record_id), **{name: "true" for name, wished in how.items() if wished})
        tell({"id": record_id, "deleted": True}, "is gone.", as_json=as_json)

    how = [] if noun.deletion is None else [_option(Field(*noun.deletion, bool))]
    return _command(noun, run, _id(noun), *how)


def _acting(noun: Noun, action: str) -> Run:
    def run(client: "Client", *, record_id: str, as_json: bool) -> None:
        record = client.post(f"{at(f'/v1/{noun.name}', record_id)}/{action}")
        tell(record, f"is {record['status']} now.", as_json=as_json)

    return _command(noun, run, _id(noun))


_VERBS: Final[dict[str, tuple[Callable[[Noun], Run], str, str]]] = {
    "list": (_listing, "List what there is, a page at a time.", ""),
    "get": (_getting, "Show {}.", "ID"),
    "create": (_creating, "Create {}, and print its id.", "{}"),
    "update": (_updating, "Change {}: only what is named.", "ID --set description=mine"),
    "delete": (_deleting, "Delete {}.", "ID"),
    "revoke": (_deleting, "Revoke {}: it is refused from now on.", "ID"),
}


def _body(pairs: list[str] | None, fields: dict[str, Any]) -> dict[str, Any]:
    from affwire.cli.assignments import assigned

    return assigned(pairs or (), {name: value for name, value in fields.items() if value is not None})


def _show_made(made: dict[str, Any]) -> None:
    print(made["id"])
    if made.get("api_key"):
        print(made["api_key"])
        say("The second line is the key: keep it now, it is never shown again.")


def _keep(address: str, made: dict[str, Any]) -> None:
    from affwire.cli.nearby import keep_first_key

    if kept := keep_first_key(address, made):
        say(f"Commands on this machine find the key in {kept}.")


def _command(noun: Noun, run: Run, *parameters: inspect.Parameter) -> Run:
    """Return `run` as a command with these parameters: it gets a client, and what was typed."""

    def command(**given: Any) -> None:
        with talking(operator=noun.operator) as client:
            run(client, **given)

    signature = inspect.Signature([*parameters, _AS_JSON])
    command.__signature__ = signature  # type: ignore[attr-defined] # what inspect reads first, and Typer reads inspect
    command.__annotations__ = {one.name: one.annotation for one in signature.parameters.values()}
    return command


def _id(noun: Noun) -> inspect.Parameter:
    argument = Annotated[str, typer.Argument(metavar="ID", help=f"The {noun.one}'s id.")]
    return inspect.Parameter("record_id", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=argument)


def _option(field: Field) -> inspect.Parameter:
    kind: Any = Annotated[field.kind | None, typer.Option(help=field.help)]
    return _keyword(field.name, kind)


def _keyword(name: str, annotation: Any, default: Any = None) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
