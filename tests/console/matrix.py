"""Every route of the console, and how a test asks for it. A new route without an entry here fails test_security.

A page helper adds a line per route: which record of the scene fills the braces of its path.
"""

from collections.abc import Callable

from scene import Scene


def _affiliate(scene: Scene) -> str:
    return f"/affiliates/{scene.affiliates[0]['id']}"


def _program(scene: Scene) -> str:
    return f"/programs/{scene.programs[0]['id']}"


def _user(scene: Scene) -> str:
    return f"/settings/users/{scene.users['viewer'].id}"


def _key(scene: Scene) -> str:
    return f"/settings/keys/{scene.listed('/v1/keys')[0]['id']}"


def _mail(scene: Scene) -> str:
    return f"/settings/mails/{scene.mail()['id']}"


def _membership(scene: Scene) -> str:
    return f"{_affiliate(scene)}/memberships/{scene.affiliates[0]['membership']['id']}"


def _delivery(scene: Scene) -> str:
    return f"/deliveries/{scene.listed('/v1/deliveries', status='delivered')[0]['id']}"


def _event(scene: Scene) -> str:
    return f"/events/{scene.listed('/v1/events', type='membership.activated')[0]['id']}"


def _source(scene: Scene) -> str:
    return f"/sources/{scene.sources[0]['id']}"


def _message(scene: Scene) -> str:
    return f"/inbox/{scene.listed('/v1/messages')[0]['id']}"


def _endpoint(scene: Scene) -> str:
    return f"/endpoints/{scene.endpoints['standard']['id']}"


def _job(scene: Scene) -> str:
    known = scene.listed("/v1/jobs") or [
        scene.api.post("/v1/deliveries/replay", json={"event_id": _any_event(scene)}).json()
    ]
    return f"/jobs/{known[0]['id']}"


def _any_event(scene: Scene) -> str:
    return str(scene.listed("/v1/events")[0]["id"])


PATHS: dict[str, Callable[[Scene], str]] = {
    "/": lambda _: "/",
    "/sign-in": lambda _: "/sign-in",
    "/sign-in/link": lambda _: "/sign-in/link",
    "/sign-out": lambda _: "/sign-out",
    "/search": lambda _: "/search?q=person",
    "/deliveries": lambda _: "/deliveries",
    "/deliveries.json": lambda _: "/deliveries.json",
    "/deliveries.jsonl": lambda _: "/deliveries.jsonl",
    "/deliveries.csv": lambda _: "/deliveries.csv",
    "/deliveries/live": lambda _: "/deliveries/live",
    "/deliveries/replay": lambda _: "/deliveries/replay",
    "/deliveries/replay-all": lambda _: "/deliveries/replay-all?status=exhausted",
    "/jobs/{job_id}": _job,
    "/jobs/{job_id}/cancel": lambda scene: f"{_job(scene)}/cancel",
    "/endpoints": lambda _: "/endpoints",
    "/endpoints.json": lambda _: "/endpoints.json",
    "/endpoints.jsonl": lambda _: "/endpoints.jsonl",
    "/endpoints.csv": lambda _: "/endpoints.csv",
    "/endpoints/new": lambda _: "/endpoints/new",
    "/endpoints/{endpoint_id}": _endpoint,
    "/endpoints/{endpoint_id}/health.json": lambda scene: f"{_endpoint(scene)}/health.json",
    "/endpoints/{endpoint_id}/edit": lambda scene: f"{_endpoint(scene)}/edit",
    "/endpoints/{endpoint_id}/delete": lambda scene: f"{_endpoint(scene)}/delete",
    "/endpoints/{endpoint_id}/test": lambda scene: f"{_endpoint(scene)}/test",
    "/endpoints/{endpoint_id}/rotate": lambda scene: f"{_endpoint(scene)}/rotate",
    "/endpoints/{endpoint_id}/recover": lambda scene: f"{_endpoint(scene)}/recover",
    "/endpoints/{endpoint_id}/{state}": lambda scene: f"{_endpoint(scene)}/resume",
    "/deliveries/{delivery_id}.json": lambda scene: f"{_delivery(scene)}.json",
    "/deliveries/{delivery_id}": _delivery,
    "/deliveries/{delivery_id}/replay": lambda scene: f"{_delivery(scene)}/replay",
    "/deliveries/{delivery_id}/cancel": lambda scene: f"{_delivery(scene)}/cancel",
    "/apply/{program_id}": lambda scene: f"/apply/{scene.programs[0]['id']}",
    "/apply/{program_id}/thanks": lambda scene: f"/apply/{scene.programs[0]['id']}/thanks",
    "/confirm/{pass}": lambda _: "/confirm/none",
    "/join/{pass}": lambda _: "/join/none",
    "/leave/{pass}": lambda _: "/leave/none",
    "/programs": lambda _: "/programs",
    "/programs.json": lambda _: "/programs.json",
    "/programs.jsonl": lambda _: "/programs.jsonl",
    "/programs.csv": lambda _: "/programs.csv",
    "/programs/new": lambda _: "/programs/new",
    "/programs/{program_id}.json": lambda scene: f"{_program(scene)}.json",
    "/programs/{program_id}": _program,
    "/programs/{program_id}/edit": lambda scene: f"{_program(scene)}/edit",
    "/programs/{program_id}/publish": lambda scene: f"{_program(scene)}/publish",
    "/programs/{program_id}/delete": lambda scene: f"{_program(scene)}/delete",
    "/settings/users": lambda _: "/settings/users",
    "/settings/users.json": lambda _: "/settings/users.json",
    "/settings/users.jsonl": lambda _: "/settings/users.jsonl",
    "/settings/users.csv": lambda _: "/settings/users.csv",
    "/settings/keys": lambda _: "/settings/keys",
    "/settings/keys.json": lambda _: "/settings/keys.json",
    "/settings/keys.jsonl": lambda _: "/settings/keys.jsonl",
    "/settings/keys.csv": lambda _: "/settings/keys.csv",
    "/settings/mails": lambda _: "/settings/mails",
    "/settings/mails.json": lambda _: "/settings/mails.json",
    "/settings/mails.jsonl": lambda _: "/settings/mails.jsonl",
    "/settings/mails.csv": lambda _: "/settings/mails.csv",
    "/settings/organization": lambda _: "/settings/organization",
    "/settings/organization/webhooks/{dialect}": lambda _: "/settings/organization/webhooks/growi",
    "/settings/users/new": lambda _: "/settings/users/new",
    "/settings/users/{user_id}": _user,
    "/settings/users/{user_id}/role": lambda scene: f"{_user(scene)}/role",
    "/settings/users/{user_id}/disable": lambda scene: f"{_user(scene)}/disable",
    "/settings/users/{user_id}/enable": lambda scene: f"{_user(scene)}/enable",
    "/settings/users/{user_id}/link": lambda scene: f"{_user(scene)}/link",
    "/settings/keys/new": lambda _: "/settings/keys/new",
    "/settings/keys/{key_id}": _key,
    "/settings/keys/{key_id}/revoke": lambda scene: f"{_key(scene)}/revoke",
    "/settings/mails/{mail_id}": _mail,
    "/settings/mails/{mail_id}/resend": lambda scene: f"{_mail(scene)}/resend",
    "/settings/system": lambda _: "/settings/system",
    "/affiliates": lambda _: "/affiliates",
    "/affiliates.json": lambda _: "/affiliates.json",
    "/affiliates.jsonl": lambda _: "/affiliates.jsonl",
    "/affiliates.csv": lambda _: "/affiliates.csv",
    "/affiliates/activate": lambda _: "/affiliates/activate",
    "/affiliates/remove": lambda _: "/affiliates/remove",
    "/affiliates/tag": lambda _: "/affiliates/tag",
    "/affiliates/new": lambda _: "/affiliates/new",
    "/affiliates/{affiliate_id}.json": lambda scene: f"{_affiliate(scene)}.json",
    "/affiliates/{affiliate_id}": _affiliate,
    "/affiliates/{affiliate_id}/edit": lambda scene: f"{_affiliate(scene)}/edit",
    "/affiliates/{affiliate_id}/confirm": lambda scene: f"{_affiliate(scene)}/confirm",
    "/affiliates/{affiliate_id}/delete": lambda scene: f"{_affiliate(scene)}/delete",
    "/affiliates/{affiliate_id}/memberships": lambda scene: f"{_affiliate(scene)}/memberships",
    "/affiliates/{affiliate_id}/memberships/{membership_id}/change": lambda scene: f"{_membership(scene)}/change",
    "/affiliates/{affiliate_id}/memberships/{membership_id}/leave-link": lambda scene: (
        f"{_membership(scene)}/leave-link"
    ),
    "/affiliates/{affiliate_id}/memberships/{membership_id}/{command}": lambda scene: f"{_membership(scene)}/leave",
    "/events": lambda _: "/events",
    "/events.json": lambda _: "/events.json",
    "/events.jsonl": lambda _: "/events.jsonl",
    "/events.csv": lambda _: "/events.csv",
    "/events/live": lambda _: "/events/live",
    "/events/{event_id}.json": lambda scene: f"{_event(scene)}.json",
    "/events/{event_id}": _event,
    "/sources": lambda _: "/sources",
    "/sources.json": lambda _: "/sources.json",
    "/sources.jsonl": lambda _: "/sources.jsonl",
    "/sources.csv": lambda _: "/sources.csv",
    "/sources/new": lambda _: "/sources/new?dialect=tamio",
    "/sources/{source_id}": _source,
    "/sources/{source_id}/edit": lambda scene: f"{_source(scene)}/edit",
    "/sources/{source_id}/rotate": lambda scene: f"{_source(scene)}/rotate",
    "/sources/{source_id}/enable": lambda scene: f"{_source(scene)}/enable",
    "/sources/{source_id}/disable": lambda scene: f"{_source(scene)}/disable",
    "/sources/{source_id}/move": lambda scene: f"{_source(scene)}/move",
    "/sources/{source_id}/delete": lambda scene: f"{_source(scene)}/delete",
    "/inbox": lambda _: "/inbox",
    "/inbox.json": lambda _: "/inbox.json",
    "/inbox.jsonl": lambda _: "/inbox.jsonl",
    "/inbox.csv": lambda _: "/inbox.csv",
    "/inbox/live": lambda _: "/inbox/live",
    "/inbox/reprocess": lambda _: "/inbox/reprocess",
    "/inbox/{message_id}.raw": lambda scene: f"{_message(scene)}.raw",
    "/inbox/{message_id}": _message,
    "/inbox/{message_id}/reprocess": lambda scene: f"{_message(scene)}/reprocess",
    "/inbox/{message_id}/quarantine": lambda scene: f"{_message(scene)}/quarantine",
    "/inbox/{message_id}/release": lambda scene: f"{_message(scene)}/release",
    "/inbox/{message_id}/verify": lambda scene: f"{_message(scene)}/verify",
    "/playground": lambda _: "/playground?sample=growi",
    "/playground/signature": lambda _: "/playground/signature",
    "/playground/receiver": lambda _: "/playground/receiver",
    "/playground/receiver.json": lambda _: "/playground/receiver.json",
    "/playground/receiver.jsonl": lambda _: "/playground/receiver.jsonl",
    "/playground/receiver.csv": lambda _: "/playground/receiver.csv",
    "/playground/receiver/live": lambda _: "/playground/receiver/live",
    "/playground/receiver/tell": lambda _: "/playground/receiver/tell",
    "/playground/receiver/judge": lambda _: "/playground/receiver/judge",
    "/playground/receiver/clear": lambda _: "/playground/receiver/clear",
    "/playground/receiver/use": lambda _: "/playground/receiver/use",
    "/playground/receiver/request": lambda _: "/playground/receiver/request?number=1",
}
"""Path of a route -> a real path in the scene's organization Acme."""
STREAMS = {"/deliveries/live", "/events/live", "/inbox/live", "/playground/receiver/live"}
"""Answers that do not end."""
