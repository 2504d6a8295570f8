"""Operational events: what happens to endpoints and deliveries, said through the same waist to those who ask for it by name.

Never about a delivery of an operational event, so that nothing said about sending is sent about for ever.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from affwire.dialects.base import Dialect
from affwire.model import canonical, objects
from affwire.model.deliveries import Delivery
from affwire.model.endpoints import Endpoint
from affwire.model.events import OPERATIONAL, Actor, Event
from affwire.model.health import EndpointHealth
from affwire.model.inbound import Source
from affwire.rules.breaker import DISABLE_AFTER_MS
from affwire.rules.matching import wanted
from affwire.services.actions import Caller
from affwire.services.events import acting
from affwire.store.tx import Tx


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
    facts: objects.NoticeHealth = {
        "percent": percent,
        "failing_since": canonical.timed("failing_since_at", health.failing_since),
        "disables_at": canonical.timed("disables_at", ends_at),
        "failures_in_row": health.failures_in_row,
        "last_error": health.last_error,
    }
    notice: objects.Notice = {"endpoint": _shown(about), "health": facts, "delivery": None}
    _say(tx, dialects, name, about.organization_id, [(about, notice)])


def exhausted(tx: Tx, dialects: Mapping[str, Dialect], lost: Sequence[Lost]) -> None:
    """Say `delivery.exhausted` of each, unless the delivery was of an operational event, or its endpoint is gone."""
    by_owner: dict[str, list[Lost]] = {}
    for one in lost:
        if one.event.type not in OPERATIONAL and one.endpoint.deleted_at is None:
            by_owner.setdefault(one.endpoint.organization_id, []).append(one)
    for organization_id, their in by_owner.items():
        _say(tx, dialects, "delivery.exhausted", organization_id, [(one.endpoint, _told(one)) for one in their])


def source_silent(tx: Tx, dialects: Mapping[str, Dialect], about: Source) -> None:
    """Say `source.silent`; nothing is recorded where nobody asks for it."""
    source: objects.NoticeSource = {
        "id": about.id,
        "number": about.number,
        "name": about.name,
        "dialect": about.dialect,
        "mode": about.mode,
        "enabled": about.enabled,
    }
    silence: objects.NoticeSilence = {
        "last_message_at": canonical.timed("last_message_at", about.last_message_at),
        "usual_gap_ms": about.gap_ms,
    }
    notice: objects.SourceNotice = {"source": source, "silence": silence}
    _say(tx, dialects, "source.silent", about.organization_id, [(about, notice)])


def _told(lost: Lost) -> objects.Notice:
    facts: objects.NoticeDelivery = {
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
    notices: Sequence[tuple[Endpoint | Source, objects.Notice | objects.SourceNotice]],
) -> None:
    receivers = tx.registry.find(Endpoint, organization_id)
    if not any(wanted(one.event_types, name, name, explicit=True) for one in receivers):
        return
    with acting(tx, Caller(organization_id, Actor("system")), dialects) as action:
        for about, notice in notices:
            subject = "source_id" if isinstance(about, Source) else "endpoint_id"
            action.say(name, {}, notice=notice, **{subject: about.id})


def _shown(about: Endpoint) -> objects.NoticeEndpoint:
    return {
        "id": about.id,
        "number": about.number,
        "dialect": about.dialect,
        "description": about.description,
        "enabled": about.enabled,
        "disabled_reason": about.disabled_reason,
    }
