"""`affwire guard`: what the guard of outbound requests thinks of a URL, or of a file of vectors."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Final

from affwire.app import open_guard
from affwire.destinations import vectors
from affwire.errors import Refused
from affwire.settings import Settings

STDIN: Final = Path("-")


def judge_vectors(path: Path) -> list[dict[str, str]]:
    """Return the verdict on each vector of a JSON list, in order. Raises Refused if it cannot be read: then none is judged."""
    try:
        listed = json.loads(sys.stdin.buffer.read() if path == STDIN else path.read_bytes())
    except OSError as error:
        raise Refused("unreadable_vectors", f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise Refused("malformed_vectors", f"{_named(path)} is not JSON: {error}.") from error
    if not isinstance(listed, list):
        raise Refused("malformed_vectors", f"{_named(path)} does not hold a list of vectors.")
    try:
        return asyncio.run(_judged(listed))
    except ValueError as error:
        raise Refused("malformed_vectors", f"{_named(path)}: {error}.") from error


def judge_url(url: str, settings: Settings) -> dict[str, str]:
    """Return {"input", "verdict", "why"} for one URL, looked up now, under the operator's settings."""
    guard = open_guard(settings)
    try:
        judged = asyncio.run(guard.judge(url))
    except Refused as refusal:
        if refusal.code != "url_refused":
            raise
        return {"input": url, "verdict": "refuse", "why": refusal.sentence}
    finally:
        guard.close()
    return {"input": url, "verdict": "allow", "why": judged.warning or "It may be dialled."}


async def _judged(listed: list[Any]) -> list[dict[str, str]]:
    return [verdict async for verdict in vectors.run(listed)]


def _named(path: Path) -> str:
    return "The input" if path == STDIN else str(path)
