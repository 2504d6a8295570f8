"""The outbox: a table that is queue and history. A claim is a lease with a fence; settling fits only the latest claim.

On an ordered endpoint only the head of each lane has a `due_at`; settling the head gives it to the next.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct, structs
from sqlalchemy import Connection, RowMapping, Select, TextClause, select, text

from affwire.model.deliveries import AttemptRecord, Delivery
from affwire.model.wire import Timings
from affwire.store import horizon
from affwire.store import statements as sql
from affwire.store.tables import attempts, deliveries

ROWS_MAX: Final = 10_000
"""Rows changed by one statement: until it ends, the pages it overwrites are kept in memory."""
_ENDED: Final = frozenset({"delivered", "exhausted", "cancelled"})


class Lease(Struct, frozen=True):
    """A due delivery that is to be claimed: until when (ms), and the id of the attempt."""

    delivery: Delivery
    until: int
    attempt_id: str


class Settlement(Struct, frozen=True):
    """How a leased delivery goes on: its new status, when it is due (None: never again), and the attempt behind it."""

    delivery: Delivery
    status: str
    reason: str | None
    due_at: int | None
    steps: int
    attempt: AttemptRecord


class Outbox:
    """Adds, claims and settles deliveries."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._alone = connection.dialect.name == "sqlite"
        """Whoever writes to SQLite is alone: nothing need be locked."""

    def add(self, rows: list[Delivery]) -> None:
        """Store new deliveries in this order. One in a lane becomes due only if nothing unfinished is before it."""
        for row in rows:
            if row.lane is not None:
                self._insert([structs.replace(row, due_at=None if self.must_wait(row) else row.due_at)])
        unordered = [row for row in rows if row.lane is None]
        if unordered:
            self._insert(unordered)

    def endpoints_with_work(self) -> dict[str, int]:
        """Return the endpoints that have deliveries waiting for their time, with the earliest time each (ms)."""
        rows = sql.ENDPOINTS_WITH_WORK.run(self._connection, {}).fetchall()
        return {endpoint_id: min(at for at in (first, replay) if at is not None) for endpoint_id, first, replay in rows}

    def leased(self) -> dict[str, int]:
        """Return how many deliveries are under way to each endpoint."""
        return dict(sql.LEASED.run(self._connection, {}).fetchall())

    def ours_to_claim(self, endpoint_ids: Sequence[str]) -> Sequence[str]:
        """Return the endpoints for which nobody else is claiming just now; until the commit nobody else will."""
        if self._alone:
            return endpoint_ids
        return [row[0] for row in sql.OURS_TO_CLAIM.run(self._connection, {"ids": list(endpoint_ids)}).fetchall()]

    def due(self, endpoint_id: str, *, now: int, limit: int) -> list[Delivery]:
        """Return an endpoint's due deliveries: first tries and their retries before replays, the longest due first."""
        found: list[Delivery] = []
        for priority in (0, 1):
            values = {"endpoint_id": endpoint_id, "priority": priority, "now": now, "limit": limit - len(found)}
            rows = sql.DUE_OF_ENDPOINT.run(self._connection, values).fetchall()
            found += [Delivery(**dict(zip(sql.COLUMNS, row, strict=True))) for row in rows]
            if len(found) == limit:
                break
        return found

    def lease(self, leases: Sequence[Lease], *, now: int, worker: str) -> list[Delivery]:
        """Claim due deliveries under new fences; return those that nobody else has, as they are now. Times in ms."""
        values = [(one.delivery.position, one.attempt_id, one.until, now, worker) for one in leases]
        ours = {position for (position,) in sql.LEASE.run(self._connection, values)}
        return [
            structs.replace(
                one.delivery,
                status="leased",
                fence=one.delivery.fence + 1,
                attempts=one.delivery.attempts + 1,
                attempt_id=one.attempt_id,
                lease_until=one.until,
                leased_at=now,
                leased_by=worker,
                reason=None,
            )
            for one in leases
            if one.delivery.position in ours
        ]

    def settle(self, settlements: Sequence[Settlement], now: int) -> list[bool]:
        """Write how attempts ended, and the attempts; for each whether its claim held: if not, nothing was changed."""
        values = [_settled_row(one, now) for one in settlements]
        settled = {(row[0], row[1]): (row[2], row[3]) for row in sql.SETTLE.run(self._connection, values)}
        fits = [(one.delivery.position, one.delivery.fence) in settled for one in settlements]
        fitting = [one for one, held in zip(settlements, fits, strict=True) if held]
        horizon.mark(self._connection)
        sql.INSERT_ATTEMPTS.run(self._connection, [_attempt_row(one) for one in fitting])
        for one in fitting:
            lane, gate = settled[one.delivery.position, one.delivery.fence]
            if one.status in _ENDED and (lane is not None or gate is not None):
                self.release_lane(structs.replace(one.delivery, lane=lane, gate=gate), now)
        return fits

    def release_lane(self, delivery: Delivery, now: int) -> None:
        """Make what waited for this delivery due: the next of its lane, and its program's deletion; if nothing else waits."""
        for lane in {delivery.lane, delivery.gate} - {None}:
            values = {"endpoint_id": delivery.endpoint_id, "lane": lane, "now": now}
            sql.RELEASE_LANE.run(self._connection, values)

    def hold(self, endpoint_id: str, reason: str) -> int:
        """Let an endpoint's pending deliveries wait as held; return how many. All that is held has the reason then."""
        values = {"reason": reason, "endpoint_id": endpoint_id}
        self._connection.execute(sql.REASON_OF_HELD, values)
        wheres = (sql.DUE, f"{sql.IN_LANE} AND status = 'pending' AND due_at IS NULL")
        return sum(self._move("status = 'held', reason = :reason", where, values) for where in wheres)

    def release(self, endpoint_id: str) -> int:
        """Let an endpoint's held deliveries go on; return how many."""
        return self._move("status = 'pending', reason = NULL", "status = 'held'", {"endpoint_id": endpoint_id})

    def cancel_waiting(self, endpoint_id: str, reason: str, now: int) -> int:
        """Cancel an endpoint's pending and held deliveries; those under way end by themselves. Return how many."""
        self.hold(endpoint_id, reason)
        changes = "status = 'cancelled', reason = :reason, settled_at = :now, due_at = NULL"
        return self._move(changes, "status = 'held'", {"reason": reason, "now": now, "endpoint_id": endpoint_id})

    def put(self, delivery: Delivery) -> None:
        """Store a delivery that no claim holds over its old row: cancel and replay use it."""
        row = _row(delivery)
        self._connection.execute(deliveries.update().where(deliveries.c.position == delivery.position).values(**row))

    def must_wait(self, delivery: Delivery) -> bool:
        """Return whether something unfinished is before it: in its lane, or what its program's deletion waits for."""
        if delivery.lane is None:
            return False
        shared = {"endpoint_id": delivery.endpoint_id, "id": delivery.id}
        lane = {**shared, "lane": delivery.lane}
        if not self._alone and sql.LANE_END.run(self._connection, lane).fetchone() is not None:
            return True
        if sql.LANE_BUSY.run(self._connection, lane).fetchone() is not None:
            return self._alone or self.must_wait(delivery)  # what ended while we looked was not the last
        closes = delivery.gate == delivery.lane
        members = {**shared, "gate": delivery.gate, "position": delivery.position}
        return closes and sql.GATE_SHUT.run(self._connection, members).fetchone() is not None

    def leave_lanes(self, endpoint_id: str, now: int) -> None:
        """Make an endpoint unordered: every delivery that waited for its lane is due."""
        statement = (
            "UPDATE deliveries SET due_at = COALESCE(due_at, not_before, :now), not_before = NULL, lane = NULL, gate = NULL "
            f"WHERE endpoint_id = :id AND {sql.IN_LANE}"
        )
        self._connection.execute(text(statement), {"now": now, "id": endpoint_id})

    def enter_lanes(self, endpoint_id: str) -> None:
        """Make an endpoint ordered: of what waits for it, only the first of each subject stays due."""
        for statement in (sql.ENTER_LANES, sql.ONE_HEAD_PER_LANE, sql.DELETIONS_AFTER_MEMBERS, sql.HEADS_ARE_DUE):
            self._connection.execute(statement, {"endpoint_id": endpoint_id})

    def unfinished(self, endpoint_id: str) -> list[Delivery]:
        """Return an endpoint's pending, held and leased deliveries, the oldest first."""
        query = select(deliveries).where(
            deliveries.c.endpoint_id == endpoint_id, deliveries.c.status.in_(("pending", "held", "leased"))
        )
        return self._all(query.order_by(deliveries.c.position))

    def leases(self, *, expired_at: int | None = None) -> list[Delivery]:
        """Return leased deliveries; with `expired_at`, only those whose lease ended before. Ours until the commit.

        Those that another process is settling just now are left out.
        """
        query = select(deliveries).where(deliveries.c.status == "leased").with_for_update(skip_locked=True)
        return self._all(query if expired_at is None else query.where(deliveries.c.lease_until < expired_at))

    def get(self, organization_id: str, delivery_id: str, *, lock: bool = False) -> Delivery | None:
        """Return a delivery of an organization; `lock` keeps it ours until the commit."""
        query = select(deliveries).where(
            deliveries.c.id == delivery_id, deliveries.c.organization_id == organization_id
        )
        return next(iter(self._all(query.with_for_update(key_share=True) if lock else query)), None)

    def of_event(self, event_id: str) -> list[Delivery]:
        """Return an event's deliveries in order of recording."""
        return self._all(select(deliveries).where(deliveries.c.event_id == event_id).order_by(deliveries.c.position))

    def page(self, organization_id: str, *, before: int | None, limit: int, **columns: Any) -> list[Delivery]:
        """Return at most `limit` deliveries, the newest first, older than position `before`; None values filter nothing."""
        query = select(deliveries).where(deliveries.c.organization_id == organization_id)
        since = columns.pop("since", None)
        if since is not None:
            query = query.where(deliveries.c.created_at >= since)
        for name, value in columns.items():
            if value is not None:
                query = query.where(deliveries.c[name] == value)
        query = query.order_by(deliveries.c.position.desc()).limit(limit)
        return self._all(query if before is None else query.where(deliveries.c.position < before))

    def attempts_of(self, delivery_ids: Iterable[str]) -> dict[str, list[AttemptRecord]]:
        """Return the attempts of deliveries, each list in order of number."""
        found: dict[str, list[AttemptRecord]] = {}
        query = select(attempts).where(attempts.c.delivery_id.in_(list(delivery_ids))).order_by(attempts.c.number)
        for row in self._connection.execute(query).mappings():
            found.setdefault(row["delivery_id"], []).append(_attempt(row))
        return found

    def counts(self, organization_id: str | None = None) -> dict[str, int]:
        """Return how many deliveries have each status."""
        where = "" if organization_id is None else "WHERE organization_id = :id"
        query = text(f"SELECT status, COUNT(*) AS deliveries FROM deliveries {where} GROUP BY status")
        rows = self._connection.execute(query, {} if organization_id is None else {"id": organization_id})
        return {row.status: row.deliveries for row in rows}

    def forget(self, before: int, *, limit: int) -> int:
        """Delete deliveries that ended before a time (ms), with their attempts; return how many. Never an unfinished one."""
        query = select(deliveries.c.position, deliveries.c.id).where(deliveries.c.settled_at < before)
        rows = self._connection.execute(query.limit(limit)).all()
        self._connection.execute(attempts.delete().where(attempts.c.delivery_id.in_([row.id for row in rows])))
        self._connection.execute(deliveries.delete().where(deliveries.c.position.in_([row.position for row in rows])))
        return len(rows)

    def forget_bodies(self, before: int, *, limit: int) -> int:
        """Drop requests and responses of attempts that ended before a time (ms), of deliveries that still wait.

        Return how many. What has ended is forgotten as a whole.
        """
        values = {"before": before, "limit": limit}
        return sum(self._connection.execute(statement, values).rowcount for statement in sql.FORGET_BODIES)

    def forget_bodies_of(self, delivery_id: str) -> None:
        """Drop requests and responses of one delivery's attempts: for the erasure of personal data."""
        statement = attempts.update().where(attempts.c.delivery_id == delivery_id)
        self._connection.execute(statement.values(request=None, response=None))

    def _move(self, changes: str, where: str, values: Mapping[str, Any]) -> int:
        """Change all of an endpoint's deliveries of some kind, of which they are no more then; return how many."""
        some = f"SELECT position FROM deliveries WHERE endpoint_id = :endpoint_id AND {where} LIMIT :limit"
        statement = text(f"UPDATE deliveries SET {changes} WHERE position IN ({some})")
        moved, count = 0, ROWS_MAX
        while count == ROWS_MAX:
            count = self._connection.execute(statement, {**values, "limit": ROWS_MAX}).rowcount
            moved += count
        return moved

    def _insert(self, rows: list[Delivery]) -> None:
        sql.INSERT.run_many(self._connection, [_row(row) for row in rows])

    def _all(self, query: Select[Any] | TextClause) -> list[Delivery]:
        return [_delivery(row) for row in self._connection.execute(query).mappings()]


def _row(delivery: Delivery) -> dict[str, Any]:
    row = structs.asdict(delivery)
    del row["position"]
    return row


def _delivery(row: RowMapping) -> Delivery:
    return Delivery(**row)


def _settled_row(settlement: Settlement, now: int) -> tuple[Any, ...]:
    delivery, settled_at = settlement.delivery, now if settlement.status in _ENDED else None
    return (
        delivery.position,
        delivery.fence,
        settlement.status,
        settlement.reason,
        settlement.due_at,
        settlement.steps,
        settled_at,
    )


def _attempt_row(settlement: Settlement) -> tuple[Any, ...]:
    attempt = settlement.attempt
    timings = msgspec.json.encode(attempt.timings) if attempt.timings else None
    values = [timings if name == "timings" else getattr(attempt, name) for name in sql.ATTEMPT]
    return (settlement.delivery.organization_id, *values)


def _attempt(row: RowMapping) -> AttemptRecord:
    timings = msgspec.json.decode(row["timings"], type=Timings) if row["timings"] else None
    values = {name: row[name] for name in AttemptRecord.__struct_fields__}
    return AttemptRecord(**{**values, "timings": timings})
