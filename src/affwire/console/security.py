"""What keeps a browser's session its own: cookies, the token of each form, where a request comes from, the headers.

Rule: a request that changes something is refused unless its own page sent it (OWASP ASVS 3.3, 3.4, 3.5).
"""

import hmac
from hashlib import sha256
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from affwire.errors import Forbidden

SECURE_NAME: Final = "__Host-affwire"
PLAIN_NAME: Final = "affwire"
"""On localhost over plain http, where no browser keeps a Secure cookie."""
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def harden(response: Response) -> None:
    """Add the headers that every answer of the console has; what is not a static file is kept nowhere."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")


def is_local(request: Request, public_url: str | None) -> bool:
    """Return whether the browser speaks plain http with this very machine."""
    if public_url is not None and public_url.startswith("https:"):
        return False
    return (urlsplit(f"//{request.headers.get('host', '')}").hostname or "") in _LOCAL


def token_of(request: Request, public_url: str | None) -> str | None:
    """Return the session's token that the browser sent."""
    return request.cookies.get(PLAIN_NAME if is_local(request, public_url) else SECURE_NAME) or None


def give(response: Response, request: Request, public_url: str | None, token: str) -> None:
    """Have the browser keep the session's token until it is closed."""
    local = is_local(request, public_url)
    response.set_cookie(
        PLAIN_NAME if local else SECURE_NAME, token, path="/", secure=not local, httponly=True, samesite="lax"
    )


def take(response: Response, request: Request, public_url: str | None) -> None:
    """Have the browser forget it."""
    local = is_local(request, public_url)
    response.delete_cookie(
        PLAIN_NAME if local else SECURE_NAME, path="/", secure=not local, httponly=True, samesite="lax"
    )


def origin_of(request: Request) -> str:
    """Return the address that a request comes from, as the proxy in front of us tells it, if there is one.

    Only the last hop is believed, the one that the proxy itself saw, and only of a peer in our own network.
    """
    peer = request.client.host if request.client else ""
    told = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    try:
        return told if told and ip_address(peer).is_private and ip_address(told) else peer
    except ValueError:
        return peer


def form_token(session_token: str, purpose: str = "form") -> str:
    """Return what every form of a session carries: nobody else can make it, and it does not tell the session's token."""
    return hmac.new(session_token.encode(), purpose.encode(), sha256).hexdigest()


def check_form_token(session_token: str, given: str) -> None:
    """Raise Forbidden for a form that this session's page did not make."""
    if not hmac.compare_digest(form_token(session_token).encode(), given.encode("utf-8", "replace")):
        raise Forbidden("form_expired", "This form belongs to another session; load the page again and repeat it.")


def came_from(request: Request) -> str | None:
    """Return the page of this console, with its query, that a request says it came from."""
    told = urlsplit(request.headers.get("referer", ""))
    if told.netloc != request.headers.get("host", "") or not told.path.startswith("/"):
        return None
    return f"{told.path}?{told.query}" if told.query else told.path


def check_origin(request: Request, public_url: str | None) -> None:
    """Raise Forbidden unless a page of this console sent the request, as the browser itself says."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        genuine = site == "same-origin"
    else:
        origin = request.headers.get("origin", "")
        own = {f"{scheme}://{request.headers.get('host', '')}" for scheme in ("http", "https")} | {public_url}
        genuine = origin in own
    if not genuine:
        raise Forbidden("other_origin", "The request did not come from a page of this console; nothing was done.")
