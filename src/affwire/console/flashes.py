"""A flash: what the page after an action says once. It travels in a cookie that only its session can have made."""

import base64
import hmac
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from affwire.console.security import form_token

NAME: Final = "affwire-flash"
SECONDS: Final = 60
TEXT_MAX: Final = 500
_GOOD: Final = {True: "+", False: "-"}


@dataclass(frozen=True, slots=True)
class Flash:
    """A sentence; `good`: whether it tells of a success."""

    text: str
    good: bool = True


def give(response: Response, token: str, flash: Flash, *, secure: bool) -> None:
    """Have the browser bring it along with its next request."""
    text = base64.urlsafe_b64encode((_GOOD[flash.good] + flash.text[:TEXT_MAX]).encode()).decode()
    value = f"{text}.{form_token(token, text)}"
    response.set_cookie(NAME, value, max_age=SECONDS, path="/", secure=secure, httponly=True, samesite="lax")


def found(request: Request, token: str) -> Flash | None:
    """Return what the last action said to this session; None where there is nothing, or it is not ours."""
    text, _, proof = request.cookies.get(NAME, "").partition(".")
    if not text or not hmac.compare_digest(proof.encode(), form_token(token, text).encode()):
        return None
    said = base64.urlsafe_b64decode(text).decode()
    return Flash(said[1:], said[0] == _GOOD[True])


def clear(response: Response, request: Request) -> None:
    """Have the browser forget what was shown."""
    if NAME in request.cookies:
        response.delete_cookie(NAME, path="/")
