"""How a test asks for each route of the console: the braces of its path are filled with a record of the scene.

A route with a new kind of braces fails every test that asks for all routes, until RECORDS knows what to put there.
"""

from collections.abc import Callable

from scene import Scene

RECORDS: dict[str, Callable[[Scene], str]] = {
    "affiliate_id": lambda scene: scene.affiliates[0]["id"],
    "membership_id": lambda scene: scene.affiliates[0]["membership"]["id"],
    "program_id": lambda scene: scene.programs[0]["id"],
    "endpoint_id": lambda scene: scene.endpoints["standard"]["id"],
    "source_id": lambda scene: scene.sources[0]["id"],
    "delivery_id": lambda scene: scene.listed("/v1/deliveries", status="delivered")[0]["id"],
    "event_id": lambda scene: scene.listed("/v1/events", type="membership.activated")[0]["id"],
    "message_id": lambda scene: scene.listed("/v1/messages")[0]["id"],
    "job_id": lambda scene: scene.job()["id"],
    "user_id": lambda scene: scene.users["viewer"].id,
    "key_id": lambda scene: scene.listed("/v1/keys")[0]["id"],
    "mail_id": lambda scene: scene.mail()["id"],
    "dialect": lambda _: "growi",
    "state": lambda _: "resume",
    "command": lambda _: "leave",
    "pass": lambda _: "none",
}
"""What stands in the braces -> what of the scene's organization Acme to put there."""
QUERIES: dict[str, str | Callable[[Scene], str]] = {
    "/deliveries/replay": lambda scene: f"id={RECORDS['delivery_id'](scene)}",
    "/deliveries/replay-all": "status=exhausted",
    "/inbox/reprocess": lambda scene: f"id={RECORDS['message_id'](scene)}",
    "/inbox/reprocess-all": "status=parked",
    "/affiliates/activate": lambda scene: f"id={scene.affiliates[3]['membership']['id']}",
    "/affiliates/remove": lambda scene: f"id={RECORDS['membership_id'](scene)}",
    "/affiliates/tag": lambda scene: f"id={RECORDS['membership_id'](scene)}&tag=new",
    "/endpoints/{endpoint_id}/recover": "since=24h",
    "/sources/new": "dialect=tamio",
    "/playground": "sample=growi",
    "/playground/receiver/request": "number=1",
}
"""Paths that show more when they are asked something."""
STREAMS = {"/deliveries/live", "/events/live", "/inbox/live", "/playground/receiver/live"}
"""Answers that do not end."""


PENDING = "/affiliates/{affiliate_id}/memberships/{membership_id}/reject"
"""What can be done only with somebody who still waits."""


def target(scene: Scene, path: str) -> str:
    """Return a real path of a route, in the scene's organization Acme."""
    filled = path
    if path == PENDING:
        waiting = scene.affiliates[3]
        filled = f"/affiliates/{waiting['id']}/memberships/{waiting['membership']['id']}/reject"
    for name, of in RECORDS.items():
        if f"{{{name}}}" in filled:
            filled = filled.replace(f"{{{name}}}", of(scene))
    assert "{" not in filled, f"RECORDS does not know what to put into {path}"
    query = QUERIES.get(path, "")
    asked = query if isinstance(query, str) else query(scene)
    return f"{filled}?{asked}" if asked else filled
