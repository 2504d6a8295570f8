"""A platform that sends to a source of the scene: genuine messages, repeats, forgeries and what nobody can read."""

import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from scene import PAYLOADS, Scene

from affwire.testing import genuine

DIALECT = "rewardful"
SECRET = genuine.request(DIALECT, "affiliate.created").secret


@dataclass
class Platform:
    """A source of the scene's organization, and what it was sent."""

    scene: Scene
    source: dict[str, Any]

    @property
    def address(self) -> str:
        """Of the affiliate that its messages are about; no other source tells of them."""
        return f"{self.source['id']}@example.org"

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> int:
        sent = {"Content-Type": "application/json", **(headers or {})}
        return self.scene.api.post(self.source["ingest_url"], content=body, headers=sent).status_code

    def say(self, word: str, **changes: Any) -> Any:
        """Send a genuine message; return it."""
        signed = genuine.request(DIALECT, word, **changes)
        assert self.send(signed.body, signed.headers) == 200
        return signed

    def settled(self) -> None:
        """Wait until every message had its turn."""
        deadline = time.monotonic() + 10
        while self.messages(status="received"):
            assert time.monotonic() < deadline, "messages were not processed"
            time.sleep(0.05)

    def messages(self, **query: Any) -> list[dict[str, Any]]:
        return self.scene.listed("/v1/messages", source_id=self.source["id"], **query)


def open_platform(scene: Scene, name: str = "Partners") -> Platform:
    """A new source, as an admin makes it."""
    return Platform(scene, scene.made("/v1/sources", {"dialect": DIALECT, "secret": SECRET, "name": name}))


def busy(scene: Scene) -> Platform:
    """A platform of which messages were carried out, one was forged and one is unreadable."""
    platform = open_platform(scene)
    names = {"object__id": str(uuid4()), "object__email": platform.address, "object__first_name": PAYLOADS[0]}
    created = platform.say("affiliate.created", **names)
    platform.say("affiliate.confirmed", **names)
    forged = created.forged()
    platform.send(forged.body, forged.headers)
    odd = genuine.sign(DIALECT, b'{"event": {"id": "1", "type": "affiliate.created"}, "object": 7}')
    platform.send(odd.body, odd.headers)
    platform.settled()
    return platform
