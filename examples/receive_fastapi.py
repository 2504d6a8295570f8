"""Receive Rewardful's webhooks in FastAPI, verified and deduplicated.

pip install affwire
WEBHOOK_SECRET=... python examples/receive_fastapi.py 9901
"""

# ruff: noqa: INP001 -- an example is one file
import os
import sys

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

from affwire import NotGenuine, Undecodable, receive

app = FastAPI()
seen: set[str | None] = set()  # yours: a column with a unique constraint


@app.post("/hooks")
async def hooks(request: Request) -> PlainTextResponse:
    """Verify the raw body first, answer at once, work afterwards."""
    try:
        message = receive("rewardful", request.headers, await request.body(), os.environ["WEBHOOK_SECRET"])
    except (NotGenuine, Undecodable) as error:
        return PlainTextResponse(error.sentence, error.http_status)
    if message.dedupe_key not in seen:
        seen.add(message.dedupe_key)
        print(message.event or message.word, message.records.get("affiliate", {}).get("email"), flush=True)  # noqa: T201
    return PlainTextResponse("received", 200)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]) if len(sys.argv) > 1 else 9901, log_level="warning")
