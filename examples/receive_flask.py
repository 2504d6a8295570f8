"""Receive Rewardful's webhooks in Flask, verified and deduplicated.

pip install affwire flask
WEBHOOK_SECRET=... python examples/receive_flask.py 9901
"""

# ruff: noqa: INP001 -- an example is one file
import os
import sys

from flask import Flask, request

from affwire import NotGenuine, Undecodable, receive

app = Flask(__name__)
seen: set[str | None] = set()  # yours: a column with a unique constraint


@app.post("/hooks")
def hooks() -> tuple[str, int]:
    """Verify the raw body first, answer at once, work afterwards."""
    try:
        message = receive("rewardful", request.headers, request.get_data(), os.environ["WEBHOOK_SECRET"])
    except (NotGenuine, Undecodable) as error:
        return error.sentence, error.http_status
    if message.dedupe_key not in seen:
        seen.add(message.dedupe_key)
        print(message.event or message.word, message.records.get("affiliate", {}).get("email"), flush=True)  # noqa: T201
    return "received", 200


if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 9901)
