"""A store full of history, put straight into its tables: what the console's pages are measured on.

What is looked for is rare on purpose: few deliveries failed, and all of them long ago.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from house import NETWORKS
from sqlalchemy import Table, func, select

from affwire.app import open_store
from affwire.destinations.guard import Guard, Rules
from affwire.model import ids
from affwire.model.events import Actor, Event
from affwire.model.judged import JudgedUrl
from affwire.plugins import load_dialects
from affwire.services import actions, affiliates, endpoints, organizations, programs, sessions, sources, users
from affwire.services.events import acting
from affwire.settings import Settings
from affwire.store import tables
from affwire.store.datadir import DataDir
from affwire.store.store import Store
from affwire.world import World

ENDPOINTS = 20
SOURCES = 5
PROGRAMS = 10
MESSAGES = 20_000
"""At most: there are no more than half as many as affiliates."""
AFFILIATES = 50_000
"""At most: there are no more than a quarter as many as deliveries."""
ROWS_AT_ONCE = 5_000
RARE = 1_000
"""One in so many of the oldest tenth fails."""
WAITING = 2_000
"""Of them half are the oldest, half the newest; in a small archive a tenth."""
STEP_MS = 300
"""Between two deliveries: 200,000 of them are some seventeen hours."""


@dataclass
class Archive:
    """What was made, for whoever looks for it: ids of ours and of others, and the token of a session."""

    token: str
    organization_id: str
    endpoint_ids: list[str]
    program_ids: list[str]
    first: dict[str, str]
    """By kind of record, the oldest one's id."""
    event_ids: list[str] = field(default_factory=list)


class Writer:
    """Copies a row of a table, made by the services, as often as it is wanted."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._dice = random.Random(1)

    def template(self, table: Table) -> dict[str, Any]:
        """Return the newest row of a table."""
        query = select(table).order_by(
            table.c.created_at.desc() if "created_at" in table.c else table.c.position.desc()
        )
        return dict(self._store.submit(lambda tx: tx.connection.execute(query.limit(1)).mappings().one()).result())

    def last(self, table: Table) -> int:
        """Return a table's last position, 0 without one."""
        query = select(func.coalesce(func.max(table.c.position), 0))
        return int(self._store.submit(lambda tx: tx.connection.execute(query).scalar_one()).result())

    def fill(self, table: Table, rows: Iterator[dict[str, Any]]) -> None:
        """Put rows into a table."""
        while many := [row for _, row in zip(range(ROWS_AT_ONCE), rows, strict=False)]:
            self._store.submit(lambda tx, many=many: tx.connection.execute(table.insert(), many) and None).result()

    def id(self, kind: str, at: int) -> str:
        """Return a new id of a time (ms)."""
        return ids.make(kind, at, self._dice.getrandbits(74))


def seed(folder: Path, deliveries: int, say: Callable[[str], None] = print) -> Archive:
    """Fill a new data directory: half as many events as deliveries, which ended but for the WAITING oldest and newest."""
    folder.mkdir()
    data_dir = DataDir(folder)
    with data_dir.lock():
        store = open_store(Settings(data_dir=folder, port=0), data_dir, World())
        try:
            archive = _filled(store, deliveries, say)
        finally:
            asyncio.run(store.close())
    return archive


def _filled(store: Store, deliveries: int, say: Callable[[str], None]) -> Archive:
    guard = Guard(Rules.parse(NETWORKS))
    urls = [asyncio.run(guard.judge(f"https://127.0.0.1:9443/receiver/{number}")) for number in range(ENDPOINTS)]
    guard.close()
    archive = store.submit(lambda tx: _begun(tx, urls)).result()
    writer = Writer(store)
    people = _people(writer, archive, min(AFFILIATES, deliveries // 4))
    say(f"{len(people):,} affiliates")
    _messages(writer, archive, people)
    _events(writer, archive, people, deliveries // 2)
    say(f"{deliveries // 2:,} events")
    _deliveries(writer, archive, deliveries)
    say(f"{deliveries:,} deliveries")
    return archive


def _begun(tx: Any, urls: list[JudgedUrl]) -> Archive:
    dialects = load_dialects()
    fields = {"slug": "seeded", "name": "Seeded", "timezone": "Europe/Berlin", "unlimited_endpoints": True}
    organization, _ = organizations.create(tx, fields)
    names = list(dialects)
    made = [
        endpoints.create(tx, organization, dialects, names[nth % len(names)], endpoints.Wish(url=url))[0].id
        for nth, url in enumerate(urls)
    ]
    for nth in range(SOURCES):
        sources.create(tx, organization, dialects, "growi", {"unverified": True, "name": f"Source {nth}"})
    with acting(tx, actions.Caller(organization.id, Actor("operator")), dialects) as action:
        known = [programs.create(action, {"name": f"Program {nth}"}).id for nth in range(PROGRAMS)]
        wish = {"email": "first@example.org", "country": "SE"}
        affiliates.create(action, wish, program_id=known[0], membership={"status": "active"})
    user = users.add(tx, email="admin@example.org", role="admin", organization_id=organization.id)
    return Archive(sessions.open_session(tx, user), organization.id, made, known, {})


def _people(writer: Writer, archive: Archive, count: int) -> list[tuple[str, str]]:
    """Return affiliates and their memberships, by id; every thousandth is pending, every fifth has an external id."""
    person, its = writer.template(tables.affiliates), writer.template(tables.memberships)
    at = person["created_at"]
    made = [(writer.id("affiliate", at), writer.id("membership", at)) for _ in range(count)]
    archive.first["affiliate"] = made[0][0]
    numbers = range(person["number"] + 1, person["number"] + 1 + count)
    writer.fill(
        tables.affiliates,
        (
            {**person, "id": one, "number": number, "first_name": f"Person {nth}", "country": ("SE", "DE")[nth % 2]}
            | dict.fromkeys(("email", "email_key"), f"person{nth}@example.org")
            | {"external_ids": {"crm": f"cus_{nth}"} if nth % 5 == 0 else {}}
            for nth, (number, (one, _)) in enumerate(zip(numbers, made, strict=True))
        ),
    )
    writer.fill(
        tables.memberships,
        (
            {**its, "id": own, "affiliate_id": one, "number": number, "tag": ("gold", None)[nth % 2]}
            | {"program_id": archive.program_ids[nth % PROGRAMS]}
            | {"status": "pending" if nth < count // 10 and nth % RARE == 0 else "active"}
            for nth, (number, (one, own)) in enumerate(zip(numbers, made, strict=True))
        ),
    )
    organization_id = archive.organization_id
    external = {"organization_id": organization_id, "kind": "affiliate", "namespace": "crm"}
    writer.fill(
        tables.external_ids,
        ({**external, "value": f"cus_{nth}", "record_id": made[nth][0]} for nth in range(0, count, 5)),
    )
    known = {"organization_id": organization_id, "namespace": "rewardful", "kind": "affiliate", "ended": False}
    writer.fill(
        tables.identities,
        ({**known, "value": f"rwd-{nth}", "record_id": one} for nth, (one, _) in enumerate(made)),
    )
    codes = {"organization_id": organization_id, "created_at": at, "updated_at": at}
    writer.fill(
        tables.promo_codes,
        (
            {**codes, "id": writer.id("promo_code", at), "number": nth + 1, "code": f"SAVE{nth}"}
            | {"membership_id": own, "affiliate_id": one}
            for nth, (one, own) in enumerate(made)
        ),
    )
    writer.fill(
        tables.links,
        (
            {**codes, "id": writer.id("link", at), "number": nth + 1, "token": f"token{nth}"}
            | {"membership_id": own, "affiliate_id": one, "url": f"https://shop.example/?via=token{nth}"}
            for nth, (one, own) in enumerate(made)
        ),
    )
    return made


def _messages(writer: Writer, archive: Archive, people: list[tuple[str, str]]) -> None:
    source = writer.template(tables.sources)
    count = min(MESSAGES, len(people) // 2)
    began = int(time.time() * 1000) - count * STEP_MS
    body = b'{"type":"campaign_affiliate.activated","data":{"id":1,"name":"Person"}}'
    head = {"organization_id": archive.organization_id, "source_id": source["id"], "dialect": "growi", "hops": 0}
    head |= {"body": body, "size": len(body), "headers": [["content-type", "application/json"]], "events": []}

    def row(nth: int) -> dict[str, Any]:
        at = began + nth * STEP_MS
        rare = nth < count // 10 and nth % (RARE // 10) == 0
        status, word = ("parked", None) if rare else ("applied", "campaign_affiliate.activated")
        own = {"id": writer.id("message", at), "dedupe_key": f"wh_{nth}", "status": status, "word": word}
        own |= {"affiliate_id": people[nth][0], "received_at": at, "settled_at": at, "occurred_at": at}
        return {**head, **own, "reason": "unknown word" if rare else None}

    rows = [row(nth) for nth in range(count)]
    archive.first["message"] = rows[0]["id"]
    writer.fill(tables.messages, iter(rows))


def _events(writer: Writer, archive: Archive, people: list[tuple[str, str]], count: int) -> None:
    """Events about one affiliate after the other, all alike but for whom they are about."""
    last = writer.template(tables.events)
    event = msgspec.json.decode(last["document"], type=Event)
    began = int(time.time() * 1000) - 2 * count * STEP_MS
    del last["position"]

    def row(nth: int) -> dict[str, Any]:
        at, subject = began + 2 * nth * STEP_MS, people[nth % len(people)][0]
        event_id, sequence = writer.id("event", at), nth // len(people) + 1
        kind = "affiliate.deleted" if nth < count // 10 and nth % RARE == 0 else event.type
        own = {"id": event_id, "subject_id": subject, "affiliate_id": subject, "sequence": sequence, "occurred_at": at}
        said = msgspec.structs.replace(event, **own, type=kind)
        return {**last, **own, "type": kind, "document": msgspec.json.encode(said)}

    archive.first["event"] = (first := row(0))["id"]
    archive.event_ids.append(first["id"])

    def rows() -> Iterator[dict[str, Any]]:
        yield first
        for nth in range(1, count):
            archive.event_ids.append((made := row(nth))["id"])
            yield made

    writer.fill(tables.events, rows())


def _deliveries(writer: Writer, archive: Archive, count: int) -> None:
    """Two of each event; ended, but for the oldest and the newest WAITING."""
    began, first = int(time.time() * 1000) - count * STEP_MS, writer.last(tables.deliveries) + 1
    waiting_half = min(WAITING, count // 10) // 2
    made = [writer.id("delivery", began + nth * STEP_MS) for nth in range(count)]
    archive.first["delivery"] = made[0]

    def place(nth: int) -> dict[str, Any]:
        endpoint_id = archive.endpoint_ids[(nth * 7) % ENDPOINTS]
        at = began + nth * STEP_MS
        own = {"position": first + nth, "organization_id": archive.organization_id}
        return {**own, "endpoint_id": endpoint_id, "created_at": at}

    def fact(nth: int) -> dict[str, Any]:
        event_id = archive.event_ids[nth // 2]
        return {
            **place(nth),
            "id": made[nth],
            "event_id": event_id,
            "word": "membership.activated",
            "subject_id": event_id,
        }

    def failed(nth: int) -> bool:
        return nth < count // 10 and nth % RARE == 0

    def waits(nth: int) -> bool:
        return nth < waiting_half or nth >= count - waiting_half

    def ending(nth: int) -> dict[str, Any]:
        status = "exhausted" if failed(nth) else "delivered"
        told = {"reason": None, "lane": None, "gate": None, "attempts": 1, "steps": 0, "fence": 1}
        own = place(nth)
        return {**own, **told, "status": status, "settled_at": own["created_at"] + 40}

    def waiting(nth: int) -> dict[str, Any]:
        own = place(nth)
        later = own["created_at"] + 10 * 86_400_000
        told = {"held": nth % 2 == 0, "due_at": later, "priority": 1, "attempts": 1, "steps": 1, "fence": 1}
        return {**own, **told, "reason": "paused" if nth % 2 == 0 else None}

    def attempt(nth: int) -> dict[str, Any]:
        at = began + nth * STEP_MS
        bad = failed(nth) or waits(nth)
        told = {"outcome": "failed", "status_code": 503} if bad else {"outcome": "ok", "status_code": 204}
        own = {"id": writer.id("attempt", at), "organization_id": archive.organization_id, "started_at": at}
        kept = {"request": b"x" * 400, "response": b"y" * 120}
        return {"delivery_position": first + nth, "number": 1, **own, "ended_at": at + 35, **told, **kept}

    writer.fill(tables.deliveries, (fact(nth) for nth in range(count)))
    writer.fill(tables.endings, (ending(nth) for nth in range(count) if not waits(nth)))
    writer.fill(tables.queue, (waiting(nth) for nth in range(count) if waits(nth)))
    writer.fill(tables.attempts, (attempt(nth) for nth in range(count)))
