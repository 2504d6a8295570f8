"""`affwire deliveries tail`: one line per attempt, as soon as it is on record."""

from typing import Any

from affwire.cli.feed import follow
from affwire.cli.terminal import show_json, visible


async def tail(*, endpoint: str | None, status: str | None, as_json: bool) -> None:
    """Print attempts until the reader has enough."""
    async for delivery in follow("/v1/deliveries/stream", endpoint_id=endpoint, status=status):
        if as_json:
            show_json(delivery, at_once=True)
        else:
            print(visible(line(delivery)), flush=True)


def line(delivery: dict[str, Any]) -> str:
    """Return a delivery's latest attempt as a line."""
    attempt = delivery["attempt"]
    came = attempt["status_code"] or attempt["error"] or attempt["outcome"]
    took = (attempt["timings"] or {}).get("total_ms")
    spent = f"{took:.0f} ms" if took is not None else "-"
    parts = (
        attempt["started_at"],
        delivery["id"],
        delivery["endpoint_id"],
        delivery["word"],
        f"try {attempt['number']}",
        came,
        spent,
        delivery["status"],
        delivery["reason"] or "",
    )
    return "  ".join(str(part) for part in parts).rstrip()
