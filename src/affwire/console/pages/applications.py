"""What affiliates see without an account: a program's page, and the links of their mails. Looking changes nothing.

Rule: whoever applies is answered alike, whatever came of it.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.responses import RedirectResponse, Response

from affwire.console import security
from affwire.console.routes import Open, Route
from affwire.console.visit import SEE_OTHER, Guest
from affwire.errors import NotFound, Refused
from affwire.model.mail import Purpose
from affwire.services import application_form, applications, countries, passes
from affwire.services.application_form import LIMITS, REQUIRED, TRAP
from affwire.services.passes import View

APPLY: Final = f"{applications.PATH}{{program_id}}"
_NO_PROGRAM: Final = (
    "This page takes no applications.",
    "The program has closed, or the link is not whole.",
    "Ask whoever gave you the link for the one that works now.",
)
_NO_LINK: Final = (
    "This link is not one of ours.",
    "It was cut off on its way, which happens where mails are forwarded.",
    "Copy the whole link out of the mail, up to its last character.",
)
_STATES: Final[Mapping[str, tuple[str, str]]] = {
    "used": ("This is done.", "The link was used before, or what it is for has happened. There is nothing left to do."),
    "expired": ("This link has expired.", "Apply again to get a new one."),
    "void": ("This link leads nowhere any more.", "What it was about has ended, or the address has changed since."),
}


async def form(guest: Guest) -> Response:
    """Show a program's page; 404 unless it takes applications."""
    return await _page(guest, {}, {})


async def apply(guest: Guest) -> Response:
    """Take an application and go on to the thanks; the form again, if something is not right."""
    sent = {name: guest.sent(name) for name in (*LIMITS, TRAP)}
    try:
        filled = application_form.read(sent)
    except Refused as error:
        return await _page(guest, sent, dict(error.facts.get("fields", {})), 422)
    program_id, desk = guest.path["program_id"], guest.desk
    origin = security.origin_of(guest.request)
    try:
        await desk.store.run(
            lambda tx: applications.apply(
                tx, desk.dialects, program_id, filled, origin=origin, request_id=guest.request_id
            )
        )
    except NotFound:
        return _nothing(guest, _NO_PROGRAM)
    except Refused as error:
        return await _page(guest, sent, {"": error.sentence}, error.http_status)
    return RedirectResponse(f"{guest.request.url.path}/thanks", SEE_OTHER)


async def thanks(guest: Guest) -> Response:
    """Say what happens next, alike to everybody."""
    try:
        page = await guest.desk.store.read(lambda tx: applications.page(tx, guest.path["program_id"]))
    except NotFound:
        return _nothing(guest, _NO_PROGRAM)
    return guest.page("applications/thanks.html", title="Thank you", page=page, mails=guest.desk.mails)


def look(purpose: Purpose) -> Callable[[Guest], Awaitable[Response]]:
    """Return what shows what a link does, with a button: mail scanners open links, and press no buttons."""

    async def shown(guest: Guest) -> Response:
        try:
            view = await guest.desk.store.read(lambda tx: passes.view(tx, purpose, guest.path["pass"]))
        except NotFound:
            return _nothing(guest, _NO_LINK)
        return _link(guest, view)

    return shown


def use(purpose: Purpose) -> Callable[[Guest], Awaitable[Response]]:
    """Return what does what a link is for."""

    async def used(guest: Guest) -> Response:
        text, desk = guest.path["pass"], guest.desk
        try:
            view = await desk.store.run(
                lambda tx: applications.use_link(tx, desk.dialects, purpose, text, guest.request_id, mails=desk.mails)
            )
        except NotFound:
            return _nothing(guest, _NO_LINK)
        except Refused as error:
            view = await desk.store.read(lambda tx: passes.view(tx, purpose, text))
            return _link(guest, view, status=error.http_status)
        return _link(guest, view, done=True)

    return used


def _link(guest: Guest, view: View, *, done: bool = False, status: int = 200) -> Response:
    happened, told = _STATES.get(view.state, ("", ""))
    context = {"view": view, "done": done, "happened": happened, "told": told, "path": guest.request.url.path}
    return guest.page("applications/link.html", status, title=view.program.name, **context)


async def _page(guest: Guest, texts: Mapping[str, str], faults: Mapping[str, str], status: int = 200) -> Response:
    try:
        page = await guest.desk.store.read(lambda tx: applications.page(tx, guest.path["program_id"]))
    except NotFound:
        return _nothing(guest, _NO_PROGRAM)
    return guest.page(
        "applications/page.html",
        status,
        title=f"Apply to {page.program.name}",
        page=page,
        texts=texts,
        faults=faults,
        limits=LIMITS,
        required=REQUIRED,
        trap=TRAP,
        countries=countries.names(),
    )


def _nothing(guest: Guest, said: tuple[str, str, str]) -> Response:
    happened, cause, mend = said
    return guest.page("applications/nothing.html", 404, title=happened, happened=happened, cause=cause, mend=mend)


def _links() -> tuple[Route, ...]:
    return tuple(
        route
        for purpose, path in passes.PATHS.items()
        for route in (
            Open(f"{path}{{pass}}", look(purpose)),
            Open(f"{path}{{pass}}", use(purpose), method="POST"),
        )
    )


ROUTES: Final[tuple[Route, ...]] = (
    Open(APPLY, form),
    Open(APPLY, apply, method="POST"),
    Open(f"{APPLY}/thanks", thanks),
    *_links(),
)
