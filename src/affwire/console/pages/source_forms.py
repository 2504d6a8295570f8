"""A new source, in two steps, its platform first; and the form of one that is there."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from starlette.responses import Response

from affwire.console import editing
from affwire.console.forms import Field, Form
from affwire.console.listing import Badge
from affwire.console.pages.sources import PATH, called, found_in, organization_of, readable
from affwire.console.routes import Action, Page, Route
from affwire.console.visit import Visit
from affwire.dialects.base import Card
from affwire.errors import Refused
from affwire.model.inbound import Source
from affwire.services import sources, views
from affwire.store.tx import Tx

_ONE: Final = f"{PATH}/{{source_id}}"
_OPTION: Final = "option-"
_MODES: Final = (("mirror", "Mirror: it keeps this registry up to date"), ("relay", "Relay: it is only passed on"))
_MATCHES: Final = (("email", "by the platform's id, else by e-mail"), ("id", "only by the platform's id"))


def new(visit: Visit, tx: Tx) -> Mapping[str, Any]:  # noqa: ARG001 -- a view
    """Return the platforms to choose from; or, one chosen, the form of its source. Raises Refused."""
    name = visit.asked("dialect")
    if name is None:
        cards = [one.card for one in visit.desk.dialects.values() if one.card.inbound]
        return {"title": "New source", "cards": cards, "card": None, "worth_of": _worth}
    card = readable(visit, name)
    form = Form.of(_fields(card, new=True), mode="mirror", match="email")
    return _filled(f"New source: {card.title}", card, form, PATH, f"{PATH}/new")


async def create(visit: Visit) -> Response:
    """Create a source, and show its URL; the form again, if something is not right."""
    card = readable(visit, visit.sent("dialect"))
    form = Form.sent(_fields(card, new=True), visit.sent)
    if not form.faults:
        wish = _wish(form)
        wish["options"] = {name: value for name, value in wish.get("options", {}).items() if value}
        try:
            made = await visit.run(
                lambda tx: sources.create(tx, organization_of(visit, tx), visit.desk.dialects, card.name, wish)
            )
        except Refused as error:
            form = form.refused(error.facts.get("field"), error.sentence)
        else:
            return visit.go(
                f"{PATH}/{made.id}",
                f"{called(visit, made)} is created. Paste its URL at the platform; its first message shows here.",
            )
    context = _filled(f"New source: {card.title}", card, form, PATH, f"{PATH}/new")
    return visit.show("sources/edit.html", context, 422)


def edit(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return the form of a source. Raises NotFound."""
    source = found_in(visit, tx)
    card, path = readable(visit, source.dialect), f"{PATH}/{source.id}"
    options = {f"{_OPTION}{name}": value for name, value in source.options.items()}
    form = Form.of(_fields(card, new=False), source, **options)
    form = editing.filled(form, _settings(visit, tx, source))
    return _filled(f"Edit {called(visit, source)}", card, form, f"{path}/edit", path)


async def update(visit: Visit) -> Response:
    """Change a source; the form again, if something is not right. Raises NotFound."""
    source = await visit.read(lambda tx: found_in(visit, tx))
    card, path = readable(visit, source.dialect), f"{PATH}/{source.id}"
    form = editing.sent(visit, _fields(card, new=False))
    if not form.faults:
        try:
            await visit.run(lambda tx: _updated(visit, tx, _wish(form)))
        except Refused as error:
            form = form.refused(error.facts.get("field"), error.sentence)
        else:
            return visit.go(path, f"{form.values['name'] or card.title} is saved.")
    return visit.show(
        "sources/edit.html", _filled(f"Edit {called(visit, source)}", card, form, f"{path}/edit", path), 422
    )


def _updated(visit: Visit, tx: Tx, wish: dict[str, Any]) -> None:
    source = found_in(visit, tx)
    editing.check(visit, _settings(visit, tx, source))
    sources.update(tx, organization_of(visit, tx), visit.desk.dialects, source.id, wish)


def _settings(visit: Visit, tx: Tx, source: Source) -> dict[str, Any]:
    return views.settings(views.source(tx, visit.desk.dialects, source, base=None))


def _fields(card: Card, *, new: bool) -> tuple[Field, ...]:
    """Return what is asked of a source of this dialect."""
    fields = [
        Field("name", "Name", hint="For you; without one it is called after its platform.", part="What it is"),
        Field("mode", "What it does", "choice", required=True, choices=_given(_MODES), part="What it is"),
        Field("match", "Finds affiliates", "choice", required=True, choices=_given(_MATCHES), part="What it is"),
    ]
    if sources.secret_needed(card):
        hint = card.authentication.summary if new else "Given here, it replaces all others at once; empty, they stay."
        fields.append(Field("secret", _secret_title(card), "secret", hint, part="How it is known"))
        none = "Take whatever comes, without any proof"
        fields.append(Field("unverified", none, "check", "The secrets are forgotten.", part="How it is known"))
    fields += [
        Field(
            f"{_OPTION}{name}",
            name.replace("_", " ").capitalize(),
            "choice" if option.choices else "line",
            f"{option.meaning} Else: {option.default}.",
            choices=_given([(one, one) for one in option.choices]) if option.choices else None,
            part="How it is known",
        )
        for name, option in card.options.items()
    ]
    return tuple(fields)


def _given(choices: Sequence[tuple[str, str]]) -> Callable[[], Sequence[tuple[str, str]]]:
    return lambda: choices


def _wish(form: Form) -> dict[str, Any]:
    """Return what the form asks for; a secret left empty is not touched, and an option takes its default."""
    values = dict(form.values)
    options = {name.removeprefix(_OPTION): values.pop(name) for name in list(values) if name.startswith(_OPTION)}
    wish = {name: value for name, value in values.items() if name != "secret" or value}
    return {**wish, "options": options} if options else wish


def _secret_title(card: Card) -> str:
    return "The platform's bearer token" if card.authentication.kind == "bearer" else "The platform's secret"


def _filled(title: str, card: Card, form: Form, action: str, back: str) -> dict[str, Any]:
    return {"title": title, "card": card, "form": form, "action": action, "back": back}


def _worth(card: Card) -> tuple[Badge, Badge]:
    """Return what a source of a platform is worth at best: how its messages are authenticated, and told apart."""
    kind = {"hmac+time": ("signed+time", "good"), "hmac": ("signed", "warn"), "bearer": ("bearer", "warn")}
    text, tone = kind.get(card.authentication.kind, ("no proof", "bad"))
    dedupe = card.inbound.dedupe if card.inbound else "none"
    proof: Any = tone
    return Badge(text, proof), Badge(f"dedupe: {dedupe}", "good" if dedupe == "id" else "warn")


ROUTES: Final[tuple[Route, ...]] = (
    Page(f"{PATH}/new", "sources/edit.html", new, scope="admin"),
    Action(PATH, create, scope="admin"),
    Page(f"{_ONE}/edit", "sources/edit.html", edit, scope="admin"),
    Action(f"{_ONE}/edit", update, scope="admin"),
)
