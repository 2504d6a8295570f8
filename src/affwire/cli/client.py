"""The terminal's way to a running server: the operator's own machine talking to the operator's own affwire.

Rule: the only place outside destinations/ that opens a connection, and only to AFFWIRE_URL; no proxy, no redirect.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote

import httpx2

from affwire.errors import AffwireError, Refused

DEFAULT_URL: Final = "http://127.0.0.1:8787"
TIMEOUT_S: Final = 30.0
"""The longest a person at a terminal is left waiting; the server judges a URL within 2 s and commits within one."""


class Unanswered(AffwireError):
    """The server could not be reached, or would not do it."""


class Client:
    """Speaks JSON with one affwire server. Every failure is Unanswered with a sentence for the person."""

    def __init__(self, http: httpx2.Client, address: str) -> None:
        self._http = http
        self.address = address

    def get(self, path: str, **query: Any) -> Any:
        """Return what the server answers."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._answer("GET", path, params=given)

    def post(self, path: str, body: Any = None) -> Any:
        """Send a JSON body (or none) and return what the server answers."""
        return self._answer("POST", path, json=body)

    def patch(self, path: str, body: Any) -> Any:
        """Send changes and return what the server answers."""
        return self._answer("PATCH", path, json=body)

    def put(self, path: str, body: Any) -> Any:
        """Send a whole record and return what the server answers."""
        return self._answer("PUT", path, json=body)

    def delete(self, path: str, **query: Any) -> None:
        """Delete what is at the path."""
        self._answer("DELETE", path, params=query)

    def _answer(self, method: str, path: str, **more: Any) -> Any:
        try:
            response = self._http.request(method, path, **more)
        except httpx2.TimeoutException:
            raise Unanswered("server_slow", f"{self.address} did not answer within {TIMEOUT_S:g} s.") from None
        except httpx2.HTTPError as error:
            raise Unanswered(
                "server_away",
                f"No affwire answers at {self.address} ({error}): start one with `affwire serve`, or set AFFWIRE_URL.",
            ) from None
        if not response.is_success:
            raise Unanswered("server_refused", _detail(response), status=response.status_code)
        return _body(response, self.address)


@contextmanager
def open_client(url: str | None = None, key: str | None = None, *, needs_key: bool = True) -> Iterator[Client]:
    """Yield a client for `url` and `key`, else AFFWIRE_URL and AFFWIRE_API_KEY. Raises Refused if they are not usable."""
    address = (url or os.environ.get("AFFWIRE_URL") or DEFAULT_URL).rstrip("/")
    key = key or os.environ.get("AFFWIRE_API_KEY")
    if needs_key and not key:
        raise Refused("no_key", "Set AFFWIRE_API_KEY to a key of the organization.")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        http = httpx2.Client(base_url=address, headers=headers, timeout=TIMEOUT_S, trust_env=False)
    except (httpx2.InvalidURL, ValueError) as error:
        raise Refused("invalid_url", f"AFFWIRE_URL or AFFWIRE_API_KEY cannot be used: {error}.") from None
    with http:
        yield Client(http, address)


def at(path: str, record_id: str) -> str:
    """Return the path of one record. Whatever the id holds, it names one step: dots and slashes lead nowhere else."""
    return f"{path}/{quote(record_id, safe='').replace('.', '%2E')}"


@contextmanager
def reading(client: Client) -> Iterator[None]:
    """Show an answer. Raises Unanswered if it is of another shape than what affwire answers."""
    try:
        yield
    except UnicodeError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise Unanswered(
            "not_affwire", f"What answers at {client.address} is not this affwire: its answer is of another shape."
        ) from error


def _body(response: httpx2.Response, address: str) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError:
        raise Unanswered("not_affwire", f"What answers at {address} is not affwire: it speaks no JSON.") from None


def _detail(response: httpx2.Response) -> str:
    """Return the sentence of a problem (RFC 9457), with the places of its errors."""
    try:
        problem = response.json()
        places = [
            f"{error.get('pointer') or error.get('parameter')}: {error['detail']}"
            for error in problem.get("errors", ())
        ]
        return " ".join([problem["detail"], *(place for place in places if problem["detail"] not in place)])
    except (ValueError, KeyError, AttributeError, TypeError):
        return f"The server answered {response.status_code} {response.reason_phrase}."
