"""The outbox: what waits is in `queue`, what has ended in `endings`. A claim is a lease; settling fits the latest only.

On an ordered endpoint only the head of each lane has a `due_at`; settling the head gives it to the next.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import structs
from sqlalchemy import Connection, select, text

from affwire.model.deliveries import AttemptRecord, Delivery
from affwire.rules.sharing import places
from affwire.store import history, horizon
from affwire.store import statements as sql
from affwire.store.history import CURRENT
from affwire.store.queued import (
    Lease,
    Settlement,
    Share,
    Work,
    attempt_row,
    due_of,
    end_of,
    ended_of,
    facts_of,
    onward_row,
    place_of,
)
from affwire.store.tables import attempts, deliveries, endings, queue

_ENDED: Final = frozenset({"delivered", "exhausted", "cancelled"})


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
        self._insert([row for row in rows if row.lane is None])

    def endpoints_with_work(self) -> dict[str, int]:
        """Return the endpoints that have deliveries waiting for their time, with the earliest time each (ms)."""
        return {one.endpoint_id: one.due_at for one in self.work()}

    def work(self) -> list[Work]:
        """Return what waits for its time, by endpoint."""
        rows = sql.ENDPOINTS_WITH_WORK.run(self._connection, {}).fetchall()
        return [
            Work(endpoint_id, organization_id, min(at for at in times if at is not None), tuple(times))
            for endpoint_id, organization_id, *times in rows
        ]

    def leased(self) -> dict[str, int]:
        """Return how many deliveries are under way to each endpoint."""
        return dict(sql.LEASED.run(self._connection, {}).fetchall())

    def ours_to_claim(self, endpoint_ids: Sequence[str]) -> Sequence[str]:
        """Return the endpoints for which nobody else is claiming just now; until the commit nobody else will."""
        if self._alone:
            return endpoint_ids
        return [row[0] for row in sql.OURS_TO_CLAIM.run(self._connection, {"ids": list(endpoint_ids)}).fetchall()]

    def due(self, shares: Sequence[Share], *, now: int) -> list[Delivery]:
        """Return what is due to endpoints: first tries, retries, replays, as many of each as `places` deals.

        Of each the longest due first; endpoint after endpoint.
        """
        asked = [(one.endpoint_id, priority, now, one.limit) for one in shares for priority in one.priorities]
        found: dict[tuple[str, int], list[Delivery]] = {}
        for row in sql.DUE_OF_ENDPOINTS.run(self._connection, asked):
            delivery = due_of(row)
            found.setdefault((delivery.endpoint_id, delivery.priority), []).append(delivery)
        return [delivery for one in shares for delivery in _dealt(one, found)]

    def lease(self, leases: Sequence[Lease], *, now: int, worker: str) -> list[Delivery]:
        """Claim due deliveries under new fences; return those that nobody else has, as they are now. Times in ms."""
        values = [(one.delivery.position, one.attempt_id, one.until, now, worker) for one in leases]
        ours = {position for (position,) in sql.LEASE.run(self._connection, values)}
        claimed = [
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
        self._count(claimed, 1)
        return claimed

    def settle(self, settlements: Sequence[Settlement], now: int) -> list[bool]:
        """Write how attempts ended, and the attempts; for each whether its claim held: if not, nothing was changed."""
        going = [onward_row(one) for one in settlements if one.status not in _ENDED]
        ended = [(one.delivery.position, one.delivery.fence) for one in settlements if one.status in _ENDED]
        rows = [*sql.GO_ON.run(self._connection, going), *sql.FINISH.run(self._connection, ended)]
        lanes = {(position, fence): (lane, gate) for position, fence, lane, gate in rows}
        fits = [(one.delivery.position, one.delivery.fence) in lanes for one in settlements]
        fitting = [one for one, held in zip(settlements, fits, strict=True) if held]
        horizon.mark(self._connection)
        sql.INSERT_ATTEMPTS.run(self._connection, [attempt_row(one) for one in fitting])
        self._count([one.delivery for one in fitting], -1)
        over = [
            ended_of(one, *lanes[one.delivery.position, one.delivery.fence], now)
            for one in fitting
            if one.status in _ENDED
        ]
        sql.INSERT_ENDINGS.run(self._connection, [end_of(one) for one in over])
        for one in over:
            self.release_lane(one, now)
        return fits

    def release_lane(self, delivery: Delivery, now: int) -> None:
        """Make what waited for this delivery due: the next of its lane, and its program's deletion; if nothing else waits."""
        for lane in {delivery.lane, delivery.gate} - {None}:
            values = {"endpoint_id": delivery.endpoint_id, "lane": lane, "now": now}
            sql.RELEASE_LANE.run(self._connection, values)

    def put(self, delivery: Delivery) -> None:
        """Store a delivery that no claim holds over its old row: cancel and replay use it."""
        if delivery.status in _ENDED:
            self._connection.execute(queue.delete().where(queue.c.position == delivery.position))
            sql.INSERT_ENDINGS.run(self._connection, [end_of(delivery)])
            return
        row = dict(zip(sql.PLACE, place_of(delivery), strict=True))
        if not self._connection.execute(
            queue.update().where(queue.c.position == delivery.position).values(**row)
        ).rowcount:
            self._connection.execute(endings.delete().where(endings.c.position == delivery.position))
            self._connection.execute(queue.insert().values(**row))

    def must_wait(self, delivery: Delivery) -> bool:
        """Return whether something unfinished is before it: in its lane, or what its program's deletion waits for."""
        if delivery.lane is None:
            return False
        shared = {"endpoint_id": delivery.endpoint_id, "position": delivery.position}
        lane = {**shared, "lane": delivery.lane}
        if not self._alone and sql.LANE_END.run(self._connection, lane).fetchone() is not None:
            return True
        if sql.LANE_BUSY.run(self._connection, lane).fetchone() is not None:
            return self._alone or self.must_wait(delivery)  # what ended while we looked was not the last
        closes = delivery.gate == delivery.lane
        members = {**shared, "gate": delivery.gate}
        return closes and sql.GATE_SHUT.run(self._connection, members).fetchone() is not None

    def leases(self, *, expired_at: int | None = None) -> list[Delivery]:
        """Return leased deliveries; with `expired_at`, only those whose lease ended before. Ours until the commit.

        Those that another process is settling just now are left out.
        """
        values = {"expired_at": expired_at}
        found = self._connection.execute(sql.LEASES if self._alone else sql.LEASES_POSTGRES, values).scalars().all()
        if found and not self._alone:
            found = self._connection.execute(sql.OWN_MANY, {"positions": list(found)}).scalars().all()
        return history.all_of(self._connection, CURRENT.where(queue.c.position.in_(found))) if found else []

    def get(self, organization_id: str, delivery_id: str, *, lock: bool = False) -> Delivery | None:
        """Return a delivery of an organization; `lock` keeps it ours until the commit."""
        where = (deliveries.c.id == delivery_id, deliveries.c.organization_id == organization_id)
        if lock and not self._alone:
            # The fact keeps other commands out, the place keeps claims and settlements out; then what they left is read.
            query = select(deliveries.c.position).where(*where).with_for_update(key_share=True)
            self._connection.execute(sql.OWN, {"position": self._connection.execute(query).scalar()})
        return next(iter(history.all_of(self._connection, CURRENT.where(*where))), None)

    def of_event(self, event_id: str) -> list[Delivery]:
        """Return an event's deliveries in order of recording."""
        query = CURRENT.where(deliveries.c.event_id == event_id).order_by(deliveries.c.position)
        return history.all_of(self._connection, query)

    def page(self, organization_id: str, *, before: int | None, limit: int, **columns: Any) -> list[Delivery]:
        """Return at most `limit` deliveries, the newest first, older than position `before`; None values filter nothing."""
        return history.page(self._connection, organization_id, before=before, limit=limit, **columns)

    def attempts_of(self, delivery_ids: Iterable[str]) -> dict[str, list[AttemptRecord]]:
        """Return the attempts of deliveries, each list in order of number."""
        return history.attempts_of(self._connection, delivery_ids)

    def counts(self, organization_id: str | None = None) -> dict[str, int]:
        """Return how many deliveries have each status."""
        return history.counts(self._connection, organization_id)

    def forget(self, before: int, *, limit: int) -> int:
        """Delete deliveries that ended before a time (ms), with their attempts; return how many. Never an unfinished one.

        On PostgreSQL those that are in no week's partition: see store.partitions.
        """
        table = "endings" if self._alone else "endings_rest"
        query = text(f"SELECT position FROM {table} WHERE settled_at < :before LIMIT :limit")
        positions = self._connection.execute(query, {"before": before, "limit": limit}).scalars().all()
        for column in (attempts.c.delivery_position, deliveries.c.position, endings.c.position):
            self._connection.execute(column.table.delete().where(column.in_(positions)))
        return len(positions)

    def forget_bodies(self, before: int, *, limit: int) -> int:
        """Drop requests and responses of attempts that ended before a time (ms), of deliveries that still wait.

        Return how many. What has ended is forgotten as a whole.
        """
        values = {"before": before, "limit": limit}
        return sum(self._connection.execute(statement, values).rowcount for statement in sql.FORGET_BODIES)

    def forget_idle(self) -> int:
        """Forget which processes have nothing under way any more; return how many counts that were."""
        return 0 if self._alone else self._connection.execute(sql.FORGET_IDLE).rowcount

    def forget_bodies_of(self, delivery_id: str) -> None:
        """Drop requests and responses of one delivery's attempts: for the erasure of personal data."""
        positions = select(deliveries.c.position).where(deliveries.c.id == delivery_id)
        statement = attempts.update().where(attempts.c.delivery_position.in_(positions))
        self._connection.execute(statement.values(request=None, response=None))

    def _insert(self, rows: Sequence[Delivery]) -> None:
        given = sql.INSERT.run(self._connection, [facts_of(row) for row in rows])
        positions = {delivery_id: position for position, delivery_id in given}
        placed = [structs.replace(row, position=positions[row.id]) for row in rows]
        waiting = [row for row in placed if row.status not in _ENDED]
        sql.ENQUEUE.run(self._connection, [place_of(row) for row in waiting])
        self._count([row for row in waiting if row.status == "leased"], 1)
        sql.INSERT_ENDINGS.run(self._connection, [end_of(row) for row in placed if row.status in _ENDED])

    def _count(self, moved: Sequence[Delivery], by: int) -> None:
        """Keep the count of what is under way, where no index has it."""
        if not self._alone:
            counted = Counter((one.endpoint_id, one.leased_by or "", one.priority) for one in moved)
            rows = [(*key, by * count) for key, count in sorted(counted.items())]
            sql.COUNT_UNDER_WAY.run(self._connection, rows)


def _dealt(share: Share, found: Mapping[tuple[str, int], Sequence[Delivery]]) -> list[Delivery]:
    """Return what an endpoint gets of what was found for it."""
    classes = [found.get((share.endpoint_id, priority), ()) for priority in share.priorities]
    counts = places(share.limit, [len(rows) for rows in classes], share.roll)
    return [row for rows, count in zip(classes, counts, strict=True) for row in rows[:count]]
