"""An endpoint's form: URL, what it hears, and what it overrides of its dialect's promise."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import structs
from starlette.responses import Response

from affwire.console import editing, policies
from affwire.console.forms import Field, Form
from affwire.console.pages.endpoint import ONE, find, update
from affwire.console.pages.endpoints import FIELDS, PATH, TOKEN
from affwire.console.routes import Action, Page, Route
from affwire.console.visit import Visit
from affwire.console.words import apart
from affwire.dialects.base import Card
from affwire.errors import Refused
from affwire.model.endpoints import Endpoint
from affwire.model.events import EVENT_TYPES, OPERATIONAL
from affwire.rules.matching import covers
from affwire.services import views
from affwire.services.endpoints import Wish, card_of
from affwire.store.tx import Tx

_TYPES: Final = Field("event_types", "Events", "lines", hint="One a line, * at the end allowed; empty: all.")


def edit(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return the endpoint's form. Raises NotFound."""
    endpoint = find(visit, tx)
    form = Form.of(_fields(visit, endpoint), endpoint, bearer_token="", **policies.texts(endpoint.policy))
    return _edited(endpoint, editing.filled(form, views.endpoint(tx, visit.desk.dialects, endpoint)))


async def save(visit: Visit) -> Response:
    """Change an endpoint; the form again, if something is not right. Raises NotFound."""
    endpoint = await visit.read(lambda tx: find(visit, tx))
    form = editing.sent(visit, _fields(visit, endpoint))
    parts, form = policies.read(form)
    if form.faults:
        return visit.show("edit.html", _edited(endpoint, form), 422)
    try:
        wish = await _wish(visit, endpoint, form, parts)
        await visit.run(lambda tx: _updated(visit, tx, wish))
    except Refused as error:
        form = form.refused(str(error.facts.get("field", "")).partition("/")[0], error.sentence)
        return visit.show("edit.html", _edited(endpoint, form), 422)
    return visit.go(
        f"{PATH}/{endpoint.id}", f"{apart(form.values['description'] or endpoint.called)} is saved.", tab="settings"
    )


def _updated(visit: Visit, tx: Tx, wish: Wish) -> None:
    endpoint = find(visit, tx)
    editing.check(visit, views.endpoint(tx, visit.desk.dialects, endpoint))
    update(visit, tx, endpoint.id, wish)


def _fields(visit: Visit, endpoint: Endpoint) -> tuple[Field, ...]:
    dialect = visit.desk.dialects.get(endpoint.dialect)
    token = (TOKEN,) if dialect is not None and dialect.card.authentication.kind == "bearer" else ()
    return (*FIELDS, _TYPES, *token, *policies.FIELDS)


async def _wish(visit: Visit, endpoint: Endpoint, form: Form, parts: Mapping[str, Any]) -> Wish:
    """Return what the form changes. Raises Refused for an unknown event, or a URL that the guard does not let pass."""
    _check_events(card_of(visit.desk.dialects, endpoint.dialect), form.values["event_types"])
    fields = {name: form.values[name] for name in ("description", "event_types")}
    wish = Wish(fields={**fields, "policy": dict(parts)})
    if form.values.get("bearer_token"):
        wish = structs.replace(wish, bearer_token=form.values["bearer_token"])
    if form.values["url"] == endpoint.url:
        return wish
    try:
        judged = await visit.desk.guard.judge(form.values["url"])
    except Refused as error:
        raise Refused(error.code, error.sentence, field="url") from error
    return structs.replace(wish, url=judged)


def _check_events(card: Card, patterns: list[str]) -> None:
    known = [*EVENT_TYPES, *OPERATIONAL, *(word.name for word in card.words)]
    for pattern in patterns:
        if not any(covers(pattern, name) for name in known) and card.word(pattern) is None:
            raise Refused(
                "unknown_event_type",
                f"{pattern!r} is neither an event nor a word of {card.title}.",
                field="event_types",
            )


def _edited(endpoint: Endpoint, form: Form) -> dict[str, Any]:
    path = f"{PATH}/{endpoint.id}"
    return {
        "title": f"Edit {apart(endpoint.called)}",
        "form": form,
        "action": f"{path}/edit",
        "back": path,
    }


ROUTES: Final[tuple[Route, ...]] = (
    Page(f"{ONE}/edit", "edit.html", edit, scope="admin"),
    Action(f"{ONE}/edit", save, scope="admin"),
)
