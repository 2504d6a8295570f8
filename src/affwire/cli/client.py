"""The terminal's way to a running server: the operator's own machine talking to the operator's own affwire.

Rule: the only place outside destinations/ that opens a connection, and only to AFFWIRE_URL; no proxy, no redirect.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx2

from affwire.errors import AffwireError, Refused

DEFAULT_URL: Final = "http://127.0.0.1:8787"
TIMEOUT_S: Final = 30.0
"""The longest a person at a terminal is left waiting; the server judges a URL within 2 s and commits within one."""

API_KEY: Final = "Set AFFWIRE_API_KEY to a key of the organization."
ADMIN_KEY: Final = (
    "Set AFFWIRE_ADMIN_KEY to the operator's key, or AFFWIRE_ADMIN_KEY_FILE to the file that holds it (admin-key in the "
    "data directory); on the server's own machine AFFWIRE_DATA_DIR=... is enough."
)
ADVICE: Final = {
    "invalid_key": "Set AFFWIRE_API_KEY to a valid one (for organizations and backups: AFFWIRE_ADMIN_KEY).",
    "operator_key_needed": ADMIN_KEY,
    "organization_key_needed": API_KEY,
    "program_has_members": "At a terminal that is --force.",
}
"""What to do about a problem of that code, at a terminal."""


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

    def post(self, path: str, body: Any = None, **patience: Any) -> Any:
        """Send a JSON body (or none) and return what the server answers; `timeout` (s, None: for ever) may be another."""
        return self._answer("POST", path, json=body, **patience)

    def patch(self, path: str, body: Any) -> Any:
        """Send changes and return what the server answers."""
        return self._answer("PATCH", path, json=body)

    def put(self, path: str, body: Any) -> Any:
        """Send a whole record and return what the server answers."""
        return self._answer("PUT", path, json=body)

    def delete(self, path: str, **query: Any) -> None:
        """Delete what is at the path."""
        self._answer("DELETE", path, params=query)

    def get_bytes(self, path: str) -> bytes:
        """Return what the server answers, as it came."""
        response = self._asked("GET", path)
        if not response.is_success:
            raise _refused(response)
        return response.content

    def deliver(self, path: str, headers: Sequence[tuple[str, str]], body: bytes) -> tuple[int, str]:
        """Post a webhook to the server's own door, without the key; return its status and answer."""
        request = self._http.build_request("POST", path, headers=[*headers], content=body)
        request.headers.pop("Authorization", None)
        request.headers.update(dict(headers))
        response = self._sent(lambda: self._http.send(request))
        return response.status_code, response.text

    def _answer(self, method: str, path: str, **more: Any) -> Any:
        response = self._asked(method, path, **more)
        if not response.is_success:
            raise _refused(response)
        return _body(response, self.address)

    def _asked(self, method: str, path: str, **more: Any) -> httpx2.Response:
        return self._sent(lambda: self._http.request(method, path, **more))

    def _sent(self, send: Callable[[], httpx2.Response]) -> httpx2.Response:
        try:
            return send()
        except httpx2.TimeoutException:
            raise Unanswered("server_slow", f"{self.address} did not answer within {TIMEOUT_S:g} s.") from None
        except httpx2.HTTPError as error:
            raise _away(self.address, error) from None


@contextmanager
def open_client(
    url: str | None = None, key: str | None = None, *, needs_key: bool = True, operator: bool = False
) -> Iterator[Client]:
    """Yield a client for `url` and `key`, else AFFWIRE_URL and AFFWIRE_API_KEY, else what the data directory holds.

    `operator`: the operator's key goes first, where there is one. Raises Refused if they are not usable.
    """
    address, headers = _address_and_headers(url, key, needs_key=needs_key, operator=operator)
    try:
        http = httpx2.Client(base_url=address, headers=headers, timeout=TIMEOUT_S, trust_env=False)
    except (httpx2.InvalidURL, ValueError) as error:
        raise _unusable(error) from None
    with http:
        yield Client(http, address)


async def read_lines(path: str, query: Mapping[str, Any], last: str | None, *, silence_s: float) -> AsyncIterator[str]:
    """Yield the lines of a feed behind the message `last`, until it ends.

    Raises Unanswered (server_away also when it breaks, or is silent for `silence_s`) and Refused as `open_client` does.
    """
    address, headers = _address_and_headers()
    headers |= {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
    timeout = httpx2.Timeout(TIMEOUT_S, read=silence_s)
    try:
        http = httpx2.AsyncClient(base_url=address, headers=headers, timeout=timeout, trust_env=False)
    except (httpx2.InvalidURL, ValueError) as error:
        raise _unusable(error) from None
    try:
        async with http, http.stream("GET", path, params=query) as response:
            if not response.is_success:
                await response.aread()
                raise _refused(response)
            async for line in response.aiter_lines():
                yield line
    except httpx2.HTTPError as error:
        raise _away(address, error) from None


def _address_and_headers(
    url: str | None = None, key: str | None = None, *, needs_key: bool = True, operator: bool = False
) -> tuple[str, dict[str, str]]:
    """Return where the server is and what proves who asks. Raises Refused("no_key")."""
    address = (url or os.environ.get("AFFWIRE_URL") or _nearby_address() or DEFAULT_URL).rstrip("/")
    key = key or (operator_key() if operator else None) or (None if operator else os.environ.get("AFFWIRE_API_KEY"))
    if needs_key and not key:
        key = _nearby_key(address, operator=operator)
    key = key or os.environ.get("AFFWIRE_API_KEY")
    if needs_key and not key:
        raise Refused("no_key", ADMIN_KEY if operator else API_KEY)
    return address, {"Authorization": f"Bearer {key}"} if key else {}


def _nearby_address() -> str | None:
    from affwire.cli import nearby  # noqa: PLC0415 -- settings cost time, and most calls name address and key

    return nearby.address()


def _nearby_key(address: str, *, operator: bool) -> str | None:
    from affwire.cli import nearby  # noqa: PLC0415 -- settings cost time, and most calls name address and key

    return nearby.key(address, operator=operator)


def operator_key() -> str | None:
    """Return the operator's key, if the environment holds it: AFFWIRE_ADMIN_KEY, or the file it names."""
    path = os.environ.get("AFFWIRE_ADMIN_KEY_FILE")
    if not path:
        return os.environ.get("AFFWIRE_ADMIN_KEY")
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise Refused("invalid_settings", f"AFFWIRE_ADMIN_KEY_FILE: {path} cannot be read: {error}.") from error


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


def _unusable(error: Exception) -> Refused:
    return Refused("invalid_url", f"AFFWIRE_URL or AFFWIRE_API_KEY cannot be used: {error}.")


def _away(address: str, error: Exception) -> Unanswered:
    return Unanswered(
        "server_away", f"No affwire answers at {address} ({error}): start one with `affwire serve`, or set AFFWIRE_URL."
    )


def _refused(response: httpx2.Response) -> Unanswered:
    operation = _operation(response)
    return Unanswered("server_refused", _detail(response), status=response.status_code, operation=operation)


def _body(response: httpx2.Response, address: str) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError:
        raise Unanswered("not_affwire", f"What answers at {address} is not affwire: it speaks no JSON.") from None


def _operation(response: httpx2.Response) -> int | None:
    """Return which operation of a batch was refused."""
    try:
        operation = response.json().get("operation")
    except (ValueError, AttributeError):
        return None
    return operation if isinstance(operation, int) else None


def _detail(response: httpx2.Response) -> str:
    """Return the sentence of a problem (RFC 9457), with the places of those errors that it does not tell itself."""
    try:
        problem = response.json()
        places = [
            f"{error.get('pointer') or error.get('parameter')}: {error['detail']}"
            for error in problem.get("errors", ())
            if error["detail"] not in problem["detail"]
        ]
        advice = [ADVICE[problem["code"]]] if problem.get("code") in ADVICE else []
        return " ".join([problem["detail"], *places, *advice])
    except (ValueError, KeyError, AttributeError, TypeError):
        return f"The server answered {response.status_code} {response.reason_phrase}."
