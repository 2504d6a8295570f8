"""A record's edit page: its form, and the record as the form has it. Nobody saves over what somebody else changed meanwhile."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import Response

from affwire.console.forms import Field, Form, seen
from affwire.console.visit import Visit
from affwire.errors import Refused
from affwire.services.actions import Action

Change = Callable[[Action, Mapping[str, Any]], Any]
"""Gives a record the fields that differ. Raises errors.Refused."""


def page(title: str, form: Form, action: str, back: str) -> dict[str, Any]:
    """Return what edit.html names: a form that is sent to `action`, and the path `back`."""
    return {"title": title, "form": form, "action": action, "back": back}


def opened(record: Any, fields: tuple[Field, ...], title: str, path: str) -> dict[str, Any]:
    """Return the edit page of a record at `path`, with its values."""
    return _of(title, Form.of(fields, record), path, str(record.updated_at))


async def saved(
    visit: Visit, record: Any, fields: tuple[Field, ...], *, title: str, path: str, change: Change
) -> Response:
    """Change a record as its form was sent, and show it; or the form again (422), with what is not right beside it."""
    seen_at = visit.sent("seen_at")
    form = seen(Form.sent(fields, visit.sent, record), record, seen_at)
    changed = form.changes(record)
    if not form.faults:
        try:
            await visit.act(lambda action: change(action, changed))
        except Refused as error:
            form = form.refused(error.facts.get("field"), error.sentence)
        else:
            return visit.go(path, "Saved." if changed else "Nothing changed.")
    return visit.show("edit.html", _of(title, form, path, seen_at), 422)


def _of(title: str, form: Form, path: str, seen_at: str) -> dict[str, Any]:
    return {**page(title, form, f"{path}/edit", path), "seen_at": seen_at}
