"""The waist: everything that happens becomes events here, and events become deliveries here. Nowhere else.

drafts -> events (id, sequence, cause, snapshot after the request) -> log
       -> for each endpoint: what its dialect says, if it asked for it -> outbox, or the reason why not
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from msgspec import UNSET, structs

from affwire.dialects import passing
from affwire.dialects.base import Dialect, Saying
from affwire.errors import Broken
from affwire.model.deliveries import Delivery
from affwire.model.endpoints import Endpoint
from affwire.model.events import Actor, Cause, Event, Snapshot, leader
from affwire.model.inbound import Source
from affwire.model.registry import Affiliate, Program
from affwire.rules.matching import wanted
from affwire.rules.retry import overridden
from affwire.services import snapshots
from affwire.services.actions import Action, Caller, Draft
from affwire.store.log import Entry
from affwire.store.tx import Tx

FILTERED: Final = "not among the endpoint's event_types"
UNASKED: Final = "said only to endpoints that ask for it by name"
OWN_SOURCE: Final = "it came in from this endpoint's own source"


@contextmanager
def acting(
    tx: Tx, caller: Caller, dialects: Mapping[str, Dialect], request_id: str | None = None, *, emit: bool = True
) -> Iterator[Action]:
    """Open an action; leaving the block writes its events. An error in it writes none, and undoes the transaction.

    Without `emit` it changes the registry as ever, standing and times included, but tells nobody and writes no event.
    Raises NotFound if the caller's organization is not there.
    """
    action = Action(tx, caller, dialects, request_id)
    yield action
    if action.drafts and emit:
        action.events = record(action)
    elif action.drafts:
        _pass_time(action)


def record(action: Action) -> list[Event]:
    """Write an action's drafts to the log and everything said for them to the outbox, in the transaction at hand."""
    drafts_of: dict[str, list[Draft]] = {}
    for draft in action.drafts:
        drafts_of.setdefault(draft.subject_id, []).append(draft)
    made = {subject_id: iter(_events(action, subject_id, drafts)) for subject_id, drafts in drafts_of.items()}
    events = [next(made[draft.subject_id]) for draft in action.drafts]
    pass_on(action.tx, action.dialects, events)
    return events


def _pass_time(action: Action) -> None:
    """Move the time of every affiliate that a silent action touched: the next one's is later, as after an event."""
    for affiliate_id in dict.fromkeys(draft.affiliate_id for draft in action.drafts if draft.affiliate_id):
        affiliate = action.tx.registry.get_even_deleted(Affiliate, action.organization.id, affiliate_id)
        if affiliate is not None:
            action.tx.registry.update(structs.replace(affiliate, touched_at=action.at(affiliate)))


def _events(action: Action, subject_id: str, drafts: list[Draft]) -> list[Event]:
    snapshot, at, sequence = _take(action, subject_id, len(drafts))
    ids = [action.new_id("event") for _ in drafts]
    leads = leader([draft.type for draft in drafts])
    cause = Cause(action.request_id, ids[leads], drafts[leads].type)
    return [
        Event(
            id=event_id,
            type=draft.type,
            occurred_at=at,
            organization_id=action.organization.id,
            actor=action.actor,
            cause=cause,
            subject_id=subject_id,
            sequence=sequence + index,
            snapshot=snapshot,
            program_id=draft.program_id,
            affiliate_id=draft.affiliate_id,
            membership_id=draft.membership_id,
            previous=dict(draft.previous),
            standing_before=action.standing_before.get(subject_id, False),
            standing_after=bool(snapshot.affiliate and snapshot.affiliate.standing),
            notice=UNSET if draft.notice is None else dict(draft.notice),
            hops=action.hops,
        )
        for index, (event_id, draft) in enumerate(zip(ids, drafts, strict=True), start=1)
    ]


def _take(action: Action, subject_id: str, count: int) -> tuple[Snapshot, int, int]:
    """Take `count` sequence numbers of the subject; return its snapshot, the events' time and the last number before."""
    tx, organization = action.tx, action.organization
    affiliate = tx.registry.get_even_deleted(Affiliate, organization.id, subject_id)
    if affiliate is not None:
        at = action.at(affiliate)
        moved = structs.replace(affiliate, sequence=affiliate.sequence + count, touched_at=at)
        tx.registry.update(moved)
        return snapshots.of_affiliate(tx, organization, moved, action.status_before), at, affiliate.sequence
    program = tx.registry.get_even_deleted(Program, organization.id, subject_id)
    if program is None and _is_of_the_wire(tx, organization.id, subject_id):
        return Snapshot(organization=organization), tx.now, tx.log.last_sequence(subject_id)
    if program is None:
        raise Broken("subject_missing", f"an event is about {subject_id}, which is not there")
    counted = structs.replace(program, sequence=program.sequence + count)
    tx.registry.update(counted)
    # The record was written before this: its time moves with every change, also where the clock was set back.
    at = max(tx.now, program.updated_at)
    return snapshots.of_program(tx, organization, counted), at, program.sequence


def _is_of_the_wire(tx: Tx, organization_id: str, subject_id: str) -> bool:
    """Whether an operational event is about one of our endpoints or sources."""
    found = tx.registry.get_even_deleted(Endpoint, organization_id, subject_id)
    return found is not None or tx.registry.get_even_deleted(Source, organization_id, subject_id) is not None


def pass_on(tx: Tx, dialects: Mapping[str, Dialect], events: Sequence[Event]) -> None:
    """Write events of one organization to the log and everything said for them to the outbox, or why nothing is."""
    if events:
        tx.hold(events[0].organization_id)
    endpoints = tx.registry.find(Endpoint, events[0].organization_id) if events else []
    rows: list[Delivery] = []
    entries: list[Entry] = []
    for event in events:
        voice = _Voice(event, dialects)
        silences: dict[str, str] = {}
        for endpoint in endpoints:
            sayings, reason = _matched(voice, endpoint)
            rows.extend(_delivery(tx, dialects, event, endpoint, saying) for saying in sayings)
            if reason is not None:
                silences[endpoint.id] = reason
        entries.append(Entry(event, silences))
    if entries:
        tx.log.append(entries)
    if rows:
        tx.outbox.add(rows)
        tx.wake()


class _Voice:
    """What each dialect says for one event, asked once per dialect however many endpoints speak it."""

    def __init__(self, event: Event, dialects: Mapping[str, Dialect]) -> None:
        self.event = event
        self.dialects = dialects
        self._said: dict[str, tuple[tuple[Saying, ...], str | None]] = {}

    def says(self, name: str) -> tuple[tuple[Saying, ...], str | None]:
        """Return what a dialect says or, if that is nothing, why. Its own fault must not stop the registry (contracts A3)."""
        if name not in self._said:
            try:
                self._said[name] = _asked(self.dialects[name], self.event)
            except Exception as error:  # noqa: BLE001 -- whatever a dialect trips over is the reason on record
                self._said[name] = (), f"the dialect {name!r} could not read this event ({type(error).__name__})"
        return self._said[name]


def _asked(dialect: Dialect, event: Event) -> tuple[tuple[Saying, ...], str | None]:
    sayings = tuple(
        dict.fromkeys(passing.said(dialect, event))
    )  # a saying is one delivery, however often it is returned
    return sayings, None if sayings else passing.silence(dialect, event)


def _matched(voice: _Voice, endpoint: Endpoint) -> tuple[Iterable[Saying], str | None]:
    """Return what an endpoint gets for an event, or nothing and the reason."""
    if endpoint.silent_because is not None:
        return (), endpoint.silent_because
    if endpoint.source_id is not None and voice.event.actor == Actor("source", endpoint.source_id):
        return (), OWN_SOURCE
    dialect = voice.dialects.get(endpoint.dialect)
    if dialect is None:
        return (), f"the dialect {endpoint.dialect!r} is not installed"
    sayings, silence = voice.says(endpoint.dialect)
    if not sayings:
        return (), silence
    matched = [saying for saying in sayings if _wanted(endpoint, dialect, voice.event, saying)]
    if matched:
        return matched, None
    return (), UNASKED if all(_explicit(dialect, saying) for saying in sayings) else FILTERED


def _wanted(endpoint: Endpoint, dialect: Dialect, event: Event, saying: Saying) -> bool:
    return wanted(endpoint.event_types, event.type, saying.word, explicit=_explicit(dialect, saying))


def _explicit(dialect: Dialect, saying: Saying) -> bool:
    word = dialect.card.word(saying.word)
    return word is not None and word.explicit


def _gate(event: Event) -> str | None:
    """A program's deletion is said after everything about its memberships (contracts A1, row 3b), on ordered endpoints."""
    return event.program_id if event.membership_id or event.type == "program.deleted" else None


def addressed(tx: Tx, dialects: Mapping[str, Dialect], endpoint: Endpoint, event: Event) -> list[Delivery]:
    """Return what an endpoint would be told of an event if it happened now; nothing is stored."""
    sayings, _ = _matched(_Voice(event, dialects), endpoint)
    return [_delivery(tx, dialects, event, endpoint, saying) for saying in sayings]


def _delivery(tx: Tx, dialects: Mapping[str, Dialect], event: Event, endpoint: Endpoint, saying: Saying) -> Delivery:
    policy = overridden(dialects[endpoint.dialect].card.policy(), endpoint.policy)
    waits = endpoint.waits_because
    return Delivery(
        id=tx.world.new_id("delivery"),
        organization_id=event.organization_id,
        endpoint_id=endpoint.id,
        event_id=event.id,
        word=saying.word,
        subject_id=saying.subject,
        status="held" if waits else "pending",
        reason=waits,
        lane=event.subject_id if policy.ordering == "affiliate" else None,
        gate=_gate(event) if policy.ordering == "affiliate" else None,
        due_at=tx.now,
        created_at=tx.now,
    )
