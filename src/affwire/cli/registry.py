"""The commands of the registry: list, get, create, update, delete and the actions of every noun, made from the table.

Rule: one implementation for all nouns; a command only carries what was typed to the server and shows its answer.
"""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from affwire.cli.nouns import Field, Noun
from affwire.cli.terminal import AsJson, say, sentences, show_json, show_record, show_table

if TYPE_CHECKING:
    from affwire.cli.client import Client

Limit = Annotated[int, typer.Option(min=1, max=200, help="How many at most.")]
Cursor = Annotated[str | None, typer.Option(help="Go on where a list ended.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="JSON or text; a.b=value sets a member; may be repeated."),
]
As = Annotated[str | None, typer.Option("--as", help="Show it as this dialect's object.")]

Run = Callable[..., None]
_AS_JSON: Final = inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=AsJson)


def group(noun: Noun) -> typer.Typer:
    """Return the commands of a noun as an app of their own."""
    key = "AFFWIRE_ADMIN_KEY" if noun.operator else "AFFWIRE_API_KEY"
    app = typer.Typer(no_args_is_help=True, help=f"{noun.name.capitalize()}: {_listed(noun)} [AFFWIRE_URL, {key}].")
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


def show_page(page: dict[str, Any], columns: tuple[str, ...], *, as_json: bool) -> None:
    """Print one page of a list, the id first; people are told where it goes on."""
    if as_json:
        show_json(page)
        return
    rows = [[record["id"], *map(record.get, columns[1:])] for record in page["data"]]
    more = page["next_cursor"]
    show_table(columns, rows, whole=("id", "type"))
    if more:
        say(f"Go on with --cursor {more}")


def _listed(noun: Noun) -> str:
    return ", ".join((*noun.verbs, *(action for action, _ in noun.actions)))


def _add(app: typer.Typer, path: str, command: Run, does: str, example: str) -> None:
    shown = f"{does}\n\nExample: affwire {path} {example}".rstrip()
    app.command(path.partition(" ")[2], help=shown)(command)


def _listing(noun: Noun) -> Run:
    def run(client: "Client", *, limit: int, cursor: str | None, as_json: bool, **filters: Any) -> None:
        page = client.get(f"/v1/{noun.name}", limit=limit, cursor=cursor, **filters)
        show_page(page, noun.columns, as_json=as_json)

    return _command(noun, run, *map(_option, noun.filters), _keyword("limit", Limit, 50), _keyword("cursor", Cursor))


def _getting(noun: Noun) -> Run:
    def run(client: "Client", *, record_id: str, as_json: bool, as_: str | None = None) -> None:
        from affwire.cli.client import at

        record = client.get(at(f"/v1/{noun.name}", record_id), **{"as": as_})
        if as_json:
            show_json(record)
        else:
            show_record(record)

    return _command(noun, run, _id(noun), *([_keyword("as_", As)] if noun.rendered else []))


def _creating(noun: Noun) -> Run:
    def run(client: "Client", *, pairs: list[str] | None, as_json: bool, **fields: Any) -> None:
        made = client.post(f"/v1/{noun.name}", _body(pairs, fields))
        if as_json:
            show_json(made)
        else:
            _show_made(made)

    return _command(noun, run, *map(_option, noun.fields), _keyword("pairs", Set))


def _updating(noun: Noun) -> Run:
    def run(client: "Client", *, record_id: str, pairs: list[str] | None, as_json: bool, **fields: Any) -> None:
        from affwire.cli.client import at

        record = client.patch(at(f"/v1/{noun.name}", record_id), _body(pairs, fields))
        _tell(record, "is as you wish.", as_json=as_json)

    return _command(noun, run, _id(noun), *map(_option, noun.fields), _keyword("pairs", Set))


def _deleting(noun: Noun) -> Run:
    def run(client: "Client", *, record_id: str, as_json: bool, **how: bool | None) -> None:
        from affwire.cli.client import at

        client.delete(at(f"/v1/{noun.name}", record_id), **{name: "true" for name, wished in how.items() if wished})
        _tell({"id": record_id, "deleted": True}, "is gone.", as_json=as_json)

    how = [] if noun.deletion is None else [_option(Field(*noun.deletion, bool))]
    return _command(noun, run, _id(noun), *how)


def _acting(noun: Noun, action: str) -> Run:
    def run(client: "Client", *, record_id: str, as_json: bool) -> None:
        from affwire.cli.client import at

        record = client.post(f"{at(f'/v1/{noun.name}', record_id)}/{action}")
        _tell(record, f"is {record['status']} now.", as_json=as_json)

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


def _tell(record: dict[str, Any], became: str, *, as_json: bool) -> None:
    if as_json:
        show_json(record)
    else:
        say(f"{record['id']} {became}")


def _command(noun: Noun, run: Run, *parameters: inspect.Parameter) -> Run:
    """Return `run` as a command with these parameters: it gets a client, and what was typed."""

    def command(**given: Any) -> None:
        with sentences():
            from affwire.cli.client import open_client, operator_key, reading

            with open_client(key=operator_key() if noun.operator else None) as client, reading(client):
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
