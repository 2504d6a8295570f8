"""Signing in and out: by a link that works once, or by address and password. What a link's page shows uses nothing up.

A mail scanner that follows a link finds a button and presses none, and the token leaves the URL with the button.
"""

import asyncio
from typing import Final

from starlette.responses import RedirectResponse, Response

from affwire.console import security
from affwire.console.app_paths import HOME, SIGN_IN
from affwire.console.desk import Desk
from affwire.console.routes import Action, Open, Route
from affwire.console.visit import SEE_OTHER, Guest, Visit
from affwire.errors import Refused, Unauthorized
from affwire.model.users import User
from affwire.rules.forms import EMAIL_MAX, URL_MAX
from affwire.services import sessions, users
from affwire.store.tx import Tx

_TEMPLATE: Final = "sign_in/page.html"
LINK: Final = "affwire users link operator@localhost --operator"
_WRONG: Final = "Address or password is not right."
_STALE: Final = "This link was used, a newer one was made, or its 15 minutes are over."


async def sign_in(guest: Guest) -> Response:
    """Show the form, or the button of a link."""
    token = guest.asked("token")
    good = token is not None and await guest.desk.store.read(lambda tx: sessions.link_is_good(tx, token))
    wrong = _STALE if token is not None and not good else None
    return _page(guest, token=token if good else None, wrong=wrong)


async def by_password(guest: Guest) -> Response:
    """Sign in by address and password; 401 on the same page if they are not right, 429 after too many."""
    desk, email = guest.desk, guest.sent("email").strip()[:EMAIL_MAX]
    try:
        attempt = desk.attempts.begin(email, security.origin_of(guest.request), desk.world.now())
        await asyncio.sleep(attempt.wait_ms / 1_000)
        user = await _known(desk, email, guest.sent("password"))
        session = await desk.store.run(lambda tx: sessions.open_session(tx, user))
        desk.attempts.succeeded(attempt)
        return await _signed_in(guest, session)
    except Refused as error:
        wrong = _WRONG if isinstance(error, Unauthorized) else error.sentence
        return _page(guest, error.http_status, wrong=wrong, email=email)


async def _known(desk: Desk, email: str, password: str) -> User:
    """Return whose address and password these are; it takes as long if nobody has that address. Raises Unauthorized."""
    user = await desk.store.read(lambda tx: users.by_address(tx, email))
    async with desk.attempts.hashing:
        genuine = await asyncio.to_thread(users.matches, password, user.password_hash if user else None)
    if user is None or not genuine:
        raise Unauthorized("wrong_password", _WRONG)
    return user


async def by_link(guest: Guest) -> Response:
    """Use a link up."""
    token = guest.sent("token")
    try:
        session = await guest.desk.store.run(lambda tx: sessions.redeem(tx, token))
    except Unauthorized:
        return _page(guest, 401, wrong=_STALE)
    return await _signed_in(guest, session)


async def sign_out(visit: Visit) -> Response:
    """End the session, here and in the store."""

    def closed(tx: Tx) -> None:
        sessions.close(tx, visit.token)

    await visit.desk.store.run(closed)
    response = RedirectResponse(SIGN_IN, SEE_OTHER)
    response.headers["Clear-Site-Data"] = '"cache"'
    security.take(response, visit.request, visit.desk.public_url)
    return response


async def _signed_in(guest: Guest, token: str) -> Response:
    """Go on with a session of its own, and end the one that this browser had."""
    public_url = guest.desk.public_url
    former = security.token_of(guest.request, public_url)
    if former is not None:
        await guest.desk.store.run(lambda tx: sessions.close(tx, former))
    response = RedirectResponse(_local(guest.sent("next")), SEE_OTHER)
    security.give(response, guest.request, public_url, token)
    return response


def _page(
    guest: Guest, status: int = 200, *, token: str | None = None, wrong: str | None = None, email: str = ""
) -> Response:
    following = _local(guest.asked("next") or guest.sent("next"))
    context = {"token": token, "wrong": wrong, "email": email, "following": following, "command": _command(guest)}
    return guest.page(_TEMPLATE, status, title="Sign in", **context)


def _command(guest: Guest) -> str:
    """Return what makes a link; to a browser on the server's own machine with what a shell there needs."""
    request, desk = guest.request, guest.desk
    peer = request.client.host if request.client else ""
    near = desk.public_url is None and security.is_local(request, None) and peer in {"127.0.0.1", "::1"}
    return f"{desk.machine.shell}\n{LINK}" if near and desk.machine.finds(None) else LINK


def _local(path: str) -> str:
    """Return where to go on within the console: a path, never another host."""
    plain = path.startswith("/") and len(path) <= URL_MAX and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if plain and not path.startswith(SIGN_IN) else HOME


ROUTES: Final[tuple[Route, ...]] = (
    Open(SIGN_IN, sign_in),
    Open(SIGN_IN, by_password, method="POST"),
    Open(f"{SIGN_IN}/link", by_link, method="POST"),
    Action("/sign-out", sign_out, scope="read"),
)
