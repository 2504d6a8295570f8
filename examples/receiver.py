"""A receiver of Standard Webhooks for trying affwire out: it prints what arrives, and says whether it is genuine.

    WEBHOOK_SECRET=whsec_... python3 examples/receiver.py 9900

Plain HTTP on this machine only. Standard library only: copy it.
"""

# ruff: noqa: INP001 -- an example is one file
import base64
import hashlib
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE_S = 300
BODY_BYTES_MAX = 1_048_576


def genuine(headers: dict[str, str], body: bytes, secret: str, now: float) -> bool:
    """Return whether one of the signatures fits and is not older than five minutes."""
    sent_at = headers.get("webhook-timestamp", "")
    if not sent_at.isdecimal() or abs(now - int(sent_at)) > TOLERANCE_S:
        return False
    signed = f"{headers.get('webhook-id', '')}.{sent_at}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    good = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    return any(hmac.compare_digest(good, one) for one in headers.get("webhook-signature", "").encode().split(b" "))


class Receiver(BaseHTTPRequestHandler):
    """Answers 200 for what is genuine, 401 for anything else."""

    def do_POST(self) -> None:
        """Verify first, read afterwards."""
        body = self.rfile.read(min(int(self.headers.get("content-length", 0)), BODY_BYTES_MAX))
        headers = {name.lower(): value for name, value in self.headers.items()}
        accepted = genuine(headers, body, os.environ["WEBHOOK_SECRET"], time.time())
        self.send_response(200 if accepted else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()
        said = f"{json.loads(body)['type']} {headers['webhook-id']} genuine" if accepted else "forged"
        sys.stdout.write(said + "\n")  # one write a line: threads answer side by side
        sys.stdout.flush()

    def log_message(self, *_: object) -> None:
        """Print nothing else."""


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9900
    ThreadingHTTPServer(("127.0.0.1", port), Receiver).serve_forever()
