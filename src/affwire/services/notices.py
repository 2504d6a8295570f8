"""Operational events: what happens to endpoints and deliveries, said through the same waist to those who ask for it by name.

Never about a delivery of an operational event, so that nothing said about sending is sent about for ever.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from affwire.dialects.base import Dialect
from affwire.model import canonical
from affwire.model.deliveries import Delivery
from affwire.model.endpoints import Endpoint
from affwire.model.events import OPERATIONAL, Actor, Event
from affwire.model.health import EndpointHealth
from affwire.rules.breaker import DISABLE_AFTER_MS
from affwire.rules.matching import wanted
from affwire.services.actions import Caller
from affwire.services.events import acting
from affwire.store.tx import Tx

_TOLD_OF_ENDPOINT: Final = ("id", "number", "dialect", "description", "enabled", "disabled_reason")
"""What others are told of an endpoint: never its URL, which may hold a credential."""


class Lost(Struct, frozen=True):
    """A delivery that used up its tries, and why."""

    endpoint: Endpoint
    delivery: Delivery
    event: Event
    why: str


def endpoint(
    tx: Tx, dialects: Mapping[str, Dialect], name: str, about: Endpoint, *, health: EndpointHealth, percent: int = 0
) -> None:
    """Say `endpoint.failing`, `endpoint.disabled` or `endpoint.recovered`; nothing is recorded where nobody asks for it."""
    ends_at = None if health.failing_since is None else health.failing_since + DISABLE_AFTER_MS
    facts = {
        "percent": percent,
        "failing_since": canonical.timed("failing_since_at", health.failing_since),
        "disables_at": canonical.timed("disables_at", ends_at),
        "failures_in_row": health.failures_in_row,
        "last_error": health.last_error,
    }
    notice = {"endpoint": _shown(about), "health": facts, "delivery": None}
    _say(tx, dialects, name, about.organization_id, [(about, notice)])


def exhausted(tx: Tx, dialects: Mapping[str, Dialect], lost: Sequence[Lost]) -> None:
    """Say `delivery.exhausted` of each, unless the delivery was of an operational event, or its endpoint is gone."""
    by_owner: dict[str, list[Lost]] = {}
    for one in lost:
        if one.event.type not in OPERATIONAL and one.endpoint.deleted_at is None:
            by_owner.setdefault(one.endpoint.organization_id, []).append(one)
    for organization_id, their in by_owner.items():
        _say(tx, dialects, "delivery.exhausted", organization_id, [(one.endpoint, _told(one)) for one in their])


def _told(lost: Lost) -> dict[str, Any]:
    facts = {
        "id": lost.delivery.id,
        "event_id": lost.event.id,
        "event_type": lost.event.type,
        "word": lost.delivery.word,
        "attempts": lost.delivery.attempts,
        "reason": lost.why,
    }
    return {"endpoint": _shown(lost.endpoint), "health": None, "delivery": facts}


def _say(
    tx: Tx,
    dialects: Mapping[str, Dialect],
    name: str,
    organization_id: str,
    notices: Sequence[tuple[Endpoint, Mapping[str, Any]]],
) -> None:
    receivers = tx.registry.find(Endpoint, organization_id)
    if not any(wanted(one.event_types, name, name, explicit=True) for one in receivers):
        return
    with acting(tx, Caller(organization_id, Actor("system")), dialects) as action:
        for about, notice in notices:
            action.say(name, {}, notice=notice, endpoint_id=about.id)


def _shown(about: Endpoint) -> dict[str, Any]:
    return {name: getattr(about, name) for name in _TOLD_OF_ENDPOINT}
