"""Recipes: the same thing done without the console, as curl, the command line and Python would. No secret is ever in one."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from affwire.services.journal import MASK

KEY: Final = "AFFWIRE_API_KEY"
BODY_MAX: Final = 8_000
"""Characters of a body that a command line still holds well."""

Recipe = tuple[str, str]
"""What it does, and its text."""


def delivery(base: str, delivery_id: str, event_id: str, request: Mapping[str, Any] | None) -> Sequence[Recipe]:
    """Return how a delivery is looked at and sent again elsewhere."""
    path = f"{base}/v1/deliveries/{delivery_id}"
    repeated = _repeated(request)
    return (
        ("curl: send it again", f'curl -X POST {path}/replay \\\n  -H "Authorization: Bearer ${KEY}"'),
        (
            "Command line",
            f"affwire deliveries show {delivery_id}\naffwire deliveries replay {delivery_id}\naffwire why {event_id}",
        ),
        ("Python", _python(f"{path}/replay")),
        *([("curl: say the same to your own machine", repeated)] if repeated else []),
    )


def endpoint(base: str, endpoint_id: str) -> Sequence[Recipe]:
    """Return how an endpoint is looked at and tested elsewhere."""
    path = f"{base}/v1/endpoints/{endpoint_id}"
    return (
        ("curl", f'curl -X POST {path}/test \\\n  -H "Authorization: Bearer ${KEY}"'),
        (
            "Command line",
            "\n".join(f"affwire endpoints {deed} {endpoint_id}" for deed in ("health", "test", "pause", "resume")),
        ),
        ("Python", _python(f"{path}/test")),
    )


def _python(url: str) -> str:
    return (
        "import os, urllib.request\n\n"
        f'key = os.environ["{KEY}"]\n'
        "request = urllib.request.Request(\n"
        f'    "{url}",\n'
        '    method="POST", headers={"Authorization": f"Bearer {key}"},\n'
        ")\n"
        "print(urllib.request.urlopen(request).read().decode())"
    )


def _repeated(request: Mapping[str, Any] | None) -> str | None:
    """Return the very request as a command; masked headers are left out, as nobody here may know them."""
    if request is None or request["body_base64"] or len(request["body"]) > BODY_MAX:
        return None
    headers = [f"  -H {shlex.quote(f'{name}: {value}')} \\\n" for name, value in request["headers"] if value != MASK]
    return (
        f"curl -X POST http://localhost:3000/hooks \\\n{''.join(headers)}  --data-binary {shlex.quote(request['body'])}"
    )


def indented(text: str) -> str:
    """Return JSON as a person reads it; anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
