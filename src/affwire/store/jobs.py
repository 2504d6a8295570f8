"""Jobs as rows: one that runs is found by a partial index, its cursor survives a restart."""

from typing import Any

from msgspec import structs
from sqlalchemy import Connection, Select, func, select

from affwire.model.deliveries import Delivery
from affwire.model.jobs import Extent, Job
from affwire.store.browse import Wanted, marked
from affwire.store.erased import erased_events
from affwire.store.history import CURRENT, all_of, of_status
from affwire.store.tables import deliveries, endings, endpoints, events, jobs, queue


class Jobs:
    """Stores jobs and finds them again, and the deliveries that a replay looks at."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def insert(self, job: Job) -> None:
        """Store a new job."""
        self._connection.execute(jobs.insert().values(**structs.asdict(job)))

    def update(self, job: Job) -> None:
        """Store how far a job is."""
        self._connection.execute(jobs.update().where(jobs.c.id == job.id).values(**structs.asdict(job)))

    def get(self, organization_id: str, job_id: str) -> Job | None:
        """Return a job of an organization."""
        query = select(jobs).where(jobs.c.id == job_id, jobs.c.organization_id == organization_id)
        return next(iter(self._all(query)), None)

    def page(self, organization_id: str, *, before: str | None, limit: int) -> list[Job]:
        """Return at most `limit` jobs, the newest first, older than the one with the id `before`."""
        query = select(jobs).where(jobs.c.organization_id == organization_id).order_by(jobs.c.id.desc()).limit(limit)
        return self._all(query if before is None else query.where(jobs.c.id < before))

    def running(self) -> list[Job]:
        """Return all jobs that are not finished, the oldest first."""
        return self._all(select(jobs).where(jobs.c.status == "running").order_by(jobs.c.id))

    def span(
        self, organization_id: str, *, endpoint_id: str | None, after: int, last: int, limit: int
    ) -> list[Delivery]:
        """Return at most `limit` deliveries behind position `after` and not behind `last`, the oldest first."""
        query = CURRENT.where(
            deliveries.c.organization_id == organization_id,
            deliveries.c.position > after,
            deliveries.c.position <= last,
        )
        if endpoint_id is not None:
            query = query.where(deliveries.c.endpoint_id == endpoint_id)
        return all_of(self._connection, query.order_by(deliveries.c.position).limit(limit))

    def last_position(self) -> int:
        """Return the position of the newest delivery, 0 if there is none."""
        return int(self._connection.execute(select(func.max(deliveries.c.position))).scalar() or 0)

    def count(
        self,
        organization_id: str,
        status: str,
        *,
        extent: Extent,
        since: int | None = None,
        until: int | None = None,
        marks: Wanted | None = None,
        **columns: Any,
    ) -> int:
        """Return how many deliveries of an extent have a status and were made from `since` to before `until` (ms).

        Only those that can go again: their endpoint is there, their affiliate's data are not erased, and what became of
        them was known by then. `marks`: of event, endpoint and latest attempt (browse.py).
        """
        found, table = of_status(status)
        query = found.with_only_columns(func.count(), maintain_column_froms=True).where(
            table.c.organization_id == organization_id,
            table.c.position <= extent.last,
            func.coalesce(endings.c.settled_at, queue.c.leased_at, 0) <= extent.as_of,
            table.c.endpoint_id.not_in(_deleted_endpoints(organization_id)),
        )
        if status != "pending":  # what is on its way arrives, and only then anybody is erased
            query = query.where(~erased_events(self._connection).where(events.c.id == deliveries.c.event_id).exists())
        if since is not None:
            query = query.where(table.c.created_at >= since)
        if until is not None:
            query = query.where(table.c.created_at < until)
        for name, value in columns.items():
            if value is not None:
                query = query.where(deliveries.c[name] == value)
        if marks is not None:
            query = marked(query, marks)
        return int(self._connection.execute(query).scalar_one())

    def _all(self, query: Any) -> list[Job]:
        return [Job(**row) for row in self._connection.execute(query).mappings()]


def _deleted_endpoints(organization_id: str) -> Select[tuple[Any]]:
    return select(endpoints.c.id).where(
        endpoints.c.organization_id == organization_id, endpoints.c.deleted_at.is_not(None)
    )
