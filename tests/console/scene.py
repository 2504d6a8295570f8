"""The scene of the console's tests: a real server in a thread, a receiver that fails and heals, and people with awful names.

Everything is made through the API, as a user's own program would make it.
"""

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from installation import HttpsReceiver
from sqlalchemy import func, select

from affwire.app import House, open_house
from affwire.model.users import User
from affwire.plugins import load_dialects
from affwire.services import sessions, users
from affwire.settings import Settings
from affwire.store.tables import queue
from affwire.store.tx import Tx

OPERATOR = "the-operators-own-key-of-many-characters"
PASSWORD = "correct horse battery staple"
PAYLOADS = (
    "<script>window.pwned=1</script>",
    '"><img src=x onerror="window.pwned=1">',
    "'-window.pwned++-'",
    "</td></table><svg onload=window.pwned=1>",
    "{{ 7 * 7 }}{% raw %}",
    "=HYPERLINK(1)",
    "\u202edesrever",
    "a" * 90,
)
"""What a stranger may call themselves."""
PEOPLE = 40


@dataclass
class Server:
    """affwire, its API, engine and console, on a thread of its own with a port of its own."""

    folder: Path
    ca_file: Path
    house: House | None = None
    port: int = 0
    _ready: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="console-server", daemon=True)
        self._thread.start()
        while not self._ready.wait(0.1):
            assert self._thread.is_alive(), "the server did not start"

    def stop(self) -> None:
        assert self.house is not None
        self._loop.call_soon_threadsafe(self.house.feeds.close)
        self._server.should_exit = True
        self._thread.join(30)

    def restart(self) -> None:
        """Stop, and start again on the same data and the same port."""
        self.stop()
        self._ready.clear()
        self.start()

    def run(self, work: Callable[[Tx], Any]) -> Any:
        """Carry out a work in the server's own store."""
        assert self.house is not None
        return asyncio.run_coroutine_threadsafe(self.house.store.run(work), self._loop).result(20)

    async def _serve(self) -> None:
        settings = Settings(
            data_dir=self.folder / "data",
            admin_key=OPERATOR,
            allow_networks="127.0.0.0/8",
            ca_file=self.ca_file,
            port=0,
        )
        self._loop = asyncio.get_running_loop()
        async with open_house(settings) as self.house:
            config = uvicorn.Config(
                self.house.door, port=self.port, log_config=None, lifespan="off", timeout_graceful_shutdown=1
            )
            self._server = uvicorn.Server(config)
            self._server.capture_signals = _no_signals
            serving = asyncio.create_task(self._server.serve())
            while not self._server.started:  # noqa: ASYNC110 -- uvicorn has no event for it
                await asyncio.sleep(0.01)
            self.port = self._server.servers[0].sockets[0].getsockname()[1]
            self._ready.set()
            await serving


class _no_signals:  # noqa: N801 -- stands for uvicorn's context manager: signals belong to pytest
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


@dataclass
class Scene:
    """What is there: the organization with everything, and another that nobody of it may see."""

    server: Server
    receiver: HttpsReceiver
    organization: dict[str, Any]
    other: dict[str, Any]
    api: httpx2.Client
    endpoints: dict[str, dict[str, Any]] = field(default_factory=dict)
    programs: list[dict[str, Any]] = field(default_factory=list)
    affiliates: list[dict[str, Any]] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)
    users: dict[str, User] = field(default_factory=dict)

    def made(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.api.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def listed(self, path: str, **query: Any) -> list[dict[str, Any]]:
        return list(self.api.get(path, params={"limit": 200, **query}).json()["data"])

    def mail(self) -> dict[str, Any]:
        """Return a mail of the organization: somebody has applied."""
        if not self.listed("/v1/mails"):
            with httpx2.Client(base_url=self.server.url, trust_env=False) as client:
                form = {"email": "somebody@example.org", "first_name": PAYLOADS[0], "note": PAYLOADS[1]}
                path = f"/apply/{self.programs[0]['id']}"
                answer = client.post(path, data=form, headers={"Sec-Fetch-Site": "same-origin"})
                assert answer.status_code == 303, answer.text
        return self.listed("/v1/mails")[0]

    def job(self) -> dict[str, Any]:
        """Return a job of the organization: something was sent again."""
        if not self.listed("/v1/jobs"):
            self.api.post("/v1/deliveries/replay", json={"event_id": self.listed("/v1/events")[0]["id"]})
        return self.listed("/v1/jobs")[0]

    def token(self, who: str) -> str:
        """Return the token of a new session of admin, editor, viewer, operator or stranger."""
        user = self.users[who]
        return str(self.server.run(lambda tx: sessions.open_session(tx, user)))

    def settled(self, endpoint_id: str | None = None) -> None:
        """Wait until nothing is under way: asked in one statement, or what moves meanwhile is seen nowhere."""
        moving = select(func.count()).select_from(queue).where(~queue.c.held)
        if endpoint_id is not None:
            moving = moving.where(queue.c.endpoint_id == endpoint_id)
        deadline = time.monotonic() + 20
        while self.server.run(lambda tx: tx.connection.execute(moving).scalar_one()):
            assert time.monotonic() < deadline, "deliveries did not settle"
            time.sleep(0.05)

    def happen(self, nth: int = 0) -> None:
        """Let something happen that every endpoint hears of."""
        name = {"first_name": f"Changed {time.monotonic_ns()}"}
        answer = self.api.patch(f"/v1/affiliates/{self.affiliates[nth]['id']}", json=name)
        assert answer.status_code == 200, answer.text


def play(server: Server, receiver: HttpsReceiver) -> Scene:
    """Let it all happen."""
    operator = client(server, OPERATOR)
    fields = {"slug": "acme", "name": "Acme", "timezone": "Europe/Berlin", "unlimited_endpoints": True}
    organization = operator.post("/v1/organizations", json=fields).json()
    other = operator.post("/v1/organizations", json={"slug": "other", "name": "Other <b>& co"}).json()
    scene = Scene(server, receiver, organization, other, client(server, organization["api_key"]))
    scene.users = _people(server, organization["id"], other["id"])
    _endpoints(scene)
    _registry(scene)
    _messages(scene)
    scene.settled()
    operator.close()
    return scene


def client(server: Server, key: str) -> httpx2.Client:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx2.Client(base_url=server.url, headers=headers, trust_env=False, timeout=20)


def _people(server: Server, organization_id: str, other_id: str) -> dict[str, User]:
    def add(tx: Tx) -> dict[str, User]:
        found = {
            role: users.add(
                tx, email=f"{role}@acme.test", role=role, name=f"{role} {PAYLOADS[0]}", organization_id=organization_id
            )
            for role in ("admin", "editor", "viewer")
        }
        found["stranger"] = users.add(tx, email="stranger@other.test", role="admin", organization_id=other_id)
        found["operator"] = users.operator(tx)
        hashed = users.hashed(PASSWORD, bytes(users.SALT_BYTES))
        found["admin"] = users.set_password(tx, found["admin"], hashed)
        return found

    return dict(server.run(add))


def _endpoints(scene: Scene) -> None:
    for dialect in load_dialects():
        policy = {"retry_schedule": [0.05] * 4, "success": "2xx"}
        wish = {
            "url": scene.receiver.url(f"/{dialect}"),
            "dialect": dialect,
            "description": f"{dialect} of Acme",
            "policy": policy,
        }
        scene.endpoints[dialect] = scene.made("/v1/endpoints", wish)
    scene.receiver.answers["/growi"] = lambda before: 500 if before < 2 else 200
    scene.receiver.answers["/dead"] = lambda _: 503
    dead = {
        "url": scene.receiver.url("/dead"),
        "dialect": "standard",
        "description": PAYLOADS[1],
        "policy": {"retry_schedule": [0.02]},
    }
    scene.endpoints["dead"] = scene.made("/v1/endpoints", dead)
    paused = {
        "url": scene.receiver.url("/paused?x=<script>window.pwned=1</script>"),
        "dialect": "standard",
        "paused": True,
    }
    scene.endpoints["paused"] = scene.made("/v1/endpoints", paused)


def _registry(scene: Scene) -> None:
    for name in ("Spring", f"Autumn {PAYLOADS[0]}"):
        scene.programs.append(
            scene.made(
                "/v1/programs",
                {"name": name, "currency": "EUR", "commission_percent": 20, "is_public": name == "Spring"},
            )
        )
    for nth in range(PEOPLE):
        awful = PAYLOADS[nth % len(PAYLOADS)] if nth % 3 == 0 else f"Person {nth}"
        membership = {"status": ("active", "pending")[nth % 4 == 3], "tag": PAYLOADS[(nth + 1) % len(PAYLOADS)]}
        wish = {"email": f"person{nth}@example.org", "first_name": awful, "last_name": f"No {nth}", "country": "SE"}
        program = scene.programs[nth % 2]["id"]
        made = scene.made("/v1/affiliates", {**wish, "program_id": program, "membership": membership})
        scene.affiliates.append(made)


def _messages(scene: Scene) -> None:
    """One source that takes what comes without proof: what it gets is the dialect's own sample."""
    source = scene.made("/v1/sources", {"dialect": "growi", "unverified": True, "name": PAYLOADS[1]})
    scene.sources.append(source)
    body = {"type": "campaign_affiliate.activated", "data": {"id": 1, "name": PAYLOADS[0]}}
    sent = json.dumps(body).encode()
    answer = scene.api.post(source["ingest_url"], content=sent, headers={"Content-Type": "application/json"})
    assert answer.status_code < 500, answer.text


SHOTS = Path(os.environ["AFFWIRE_SHOTS"]) if "AFFWIRE_SHOTS" in os.environ else None
"""Where pictures of the pages go, for whoever builds them."""


def absent(what: str) -> None:
    """Skip what cannot be tested here, and say what to install; where CI is set, fail."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
