"""A record's edit page: its form, and the record as the form has it. Nobody saves over what somebody else changed meanwhile."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from affwire.console.forms import Field, Form
from affwire.console.routes import Action as Act
from affwire.console.routes import Page, Route
from affwire.console.visit import Visit
from affwire.errors import Refused
from affwire.model import canonical
from affwire.services import versions
from affwire.services.actions import Action
from affwire.store.tx import Tx

Find = Callable[[Visit, Tx], Any]
"""Returns the record that the path names. Raises NotFound."""
Change = Callable[[Action, str, dict[str, Any]], Any]
"""Gives the record of an id the fields that differ. Raises errors.Refused."""


def page(title: str, form: Form, action: str, back: str) -> dict[str, Any]:
    """Return what edit.html names: a form that is sent to `action`, and the path `back`."""
    return {"title": title, "form": form, "action": action, "back": back}


def filled(form: Form, shown: Any) -> Form:
    """Return a form that knows from which record it was filled in. `shown`: the record as the API shows it."""
    return replace(form, seen=versions.tag(shown))


def sent(visit: Visit, fields: tuple[Field, ...], record: Any = None) -> Form:
    """Return the form as it was sent, with what was seen when it was opened."""
    return replace(Form.sent(fields, visit.sent, record), seen=visit.sent("seen"))


def check(visit: Visit, shown: Any) -> None:
    """Raise PreconditionFailed unless the record is what the form was filled in from. In the transaction that saves."""
    versions.check(shown, visit.sent("seen"))


def routes(
    path: str, find: Find, fields: tuple[Field, ...], *, called: Callable[[Any], str], change: Change
) -> tuple[Route, ...]:
    """Return the routes of the edit page of a record of the registry, whose own page is at `path`."""

    def edit(visit: Visit, tx: Tx) -> Mapping[str, Any]:
        record = find(visit, tx)
        return shown(visit, record, filled(Form.of(fields, record), canonical.record(record)))

    async def save(visit: Visit) -> Response:
        record = await visit.read(lambda tx: find(visit, tx))
        form = sent(visit, fields, record)
        changed = form.changes(record)

        def checked(action: Action) -> None:
            check(visit, canonical.record(find(visit, action.tx)))
            change(action, record.id, changed)

        if not form.faults:
            try:
                await visit.act(checked)
            except Refused as error:
                form = form.refused(error.facts.get("field"), error.sentence)
            else:
                said = "is saved" if changed else "stays as it was: nothing was changed"
                return visit.go(_own(visit), f"{called(record)} {said}.")
        return visit.show("edit.html", shown(visit, record, form), 422)

    def shown(visit: Visit, record: Any, form: Form) -> dict[str, Any]:
        return page(f"Edit {called(record)}", form, f"{_own(visit)}/edit", _own(visit))

    return Page(f"{path}/edit", "edit.html", edit, scope="registry"), Act(f"{path}/edit", save)


def _own(visit: Visit) -> str:
    return visit.request.url.path.removesuffix("/edit")
