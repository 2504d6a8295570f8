"""affwire: one `affwire serve` on SQLite with its own defaults, as a process of its own."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from load import NUMBER
from processes import Pids

from drivers.children import Child, free_port, inherited

OPERATOR = "the-operators-own-key-of-many-characters"
SLUG = "bench"


class Affwire:
    """An event is an affiliate created over the API; receivers get Standard Webhooks, signed."""

    name = "affwire"
    notes = "one `affwire serve`, SQLite with synchronous=FULL, everything at its default; 2xx: committed and flushed"
    cannot: Mapping[str, str] = {}

    def __init__(self, **settings: str) -> None:
        self.settings = settings
        self.arguments: tuple[str, ...] = ()
        self.child: Child | None = None
        self.made: list[str] = []

    def start(self, folder: Path, ca_file: Path) -> None:
        self.start_on(folder, ca_file)
        self.organization()

    def start_on(self, folder: Path, ca_file: Path) -> None:
        """Start on what the folder's data directory holds already, if anything."""
        self.folder, self.port = folder, free_port()
        self.environment = {
            **inherited("AFFWIRE_"),
            "AFFWIRE_DATA_DIR": str(folder / "data"),
            "AFFWIRE_PORT": str(self.port),
            "AFFWIRE_ADMIN_KEY": OPERATOR,
            "AFFWIRE_ALLOW_NETWORKS": "127.0.0.0/8",
            "AFFWIRE_CA_FILE": str(ca_file),
            **self.settings,
        }
        self.restart()

    def organization(self, slug: str = SLUG) -> None:
        """Make an organization: endpoints and events are its own from now on."""
        body = {"slug": slug, "name": "Bench", "timezone": "UTC", "unlimited_endpoints": True}
        self.key = self.call("POST", "/v1/organizations", body, key=OPERATOR)["api_key"]

    def endpoints(self, urls: Sequence[str], *, retry_s: float = 5, tries: int = 10, in_flight: int = 50) -> None:
        policy = {"retry_schedule": [retry_s] * (tries - 1), "max_in_flight": in_flight}
        for url in urls:
            body = {"url": url, "dialect": "standard", "policy": policy}
            self.made.append(self.call("POST", "/v1/endpoints", body)["id"])

    def event(self) -> tuple[int, bytes]:
        body = b'{"email":"%s@example.org"}' % NUMBER
        head = f"POST /v1/affiliates HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.key}\r\n"
        return self.port, f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    def hold(self) -> None:
        self._pause(paused=True)

    def release(self) -> None:
        self._pause(paused=False)

    def idle(self) -> bool:
        for line in self.get("/metrics", OPERATOR).splitlines():
            if line.startswith("affwire_queue_deliveries{") and "held" not in line and not line.endswith(" 0.0"):
                return False
        return True

    def pids(self) -> Pids:
        return {"system": [self.child.pid]} if self.child else {}

    def kill(self) -> None:
        if self.child:
            self.child.kill()

    def restart(self) -> None:
        command = [sys.executable, "-m", "affwire", "serve", *self.arguments]
        self.child = Child(command, self.folder / "server.log", self.environment, self.folder)
        self.child.wait_until(self._ready)

    def stop(self) -> None:
        if self.child and self.child.process.poll() is None:
            self.child.stop()

    def call(self, method: str, path: str, body: Any, key: str | None = None) -> Any:
        """Call the API; urllib.error.HTTPError for what it refuses."""
        headers = {"Authorization": f"Bearer {key or self.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(self._url(path), json.dumps(body).encode(), headers, method=method)
        return json.loads(_opened(request))

    def get(self, path: str, key: str) -> str:
        request = urllib.request.Request(self._url(path), headers={"Authorization": f"Bearer {key}"})
        return _opened(request).decode()

    def _pause(self, *, paused: bool) -> None:
        for endpoint_id in self.made:
            self.call("PATCH", f"/v1/endpoints/{endpoint_id}", {"paused": paused})

    def _ready(self) -> bool:
        try:
            return bool(self.get("/readyz", OPERATOR))
        except (OSError, urllib.error.URLError):
            return False

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


def _opened(request: urllib.request.Request) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as answer:
        body: bytes = answer.read()
    return body
