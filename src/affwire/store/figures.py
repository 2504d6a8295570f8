"""Figures: what an organization's last attempts, endings and messages come to. For home, lists and charts.

Rule: every figure is made of a bounded number of the newest rows, so that it takes as long with a million as with a hundred.
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, Select, Subquery, Table, case, func, literal_column, select

from affwire.store.history import HELD
from affwire.store.tables import attempts, deliveries, endings, mails, memberships, messages, queue

SAMPLE: Final = 5_000
"""Attempts and deliveries that figures are made of, the newest: what came before is older news."""
TRIED_MAX: Final = 2_000
"""Attempts that endpoints are held against each other by; of one endpoint, deliveries whose attempts are looked at."""
TALLY_MAX: Final = 20_000
"""Attempts that a chart is made of: some 30 ms."""
COUNT_MAX: Final = 10_000
"""What is counted is counted up to here."""
_NOT_ACTIVE: Final = memberships.c.status != literal_column("'active'")
"""As the index of the few that are not active says it."""


class Try(Struct, frozen=True):
    """One attempt: to which endpoint, when it ended (ms), how, and how long it took (ms)."""

    endpoint_id: str
    ended_at: int
    outcome: str
    took_ms: int


class Tally(Struct, frozen=True):
    """Attempts by piece of a span and outcome. `reaches_to`: when (ms) the oldest of them ended, if there were more before."""

    counts: dict[tuple[int, str], int]
    reaches_to: int | None


class Figures:
    """Counts and measures what an organization sent."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def tally(self, organization_id: str, *, since: int, piece_ms: int) -> Tally:
        """Return how many attempts ended in each piece of the time since then, by outcome, of the newest TALLY_MAX."""
        piece = case((attempts.c.ended_at < since, -1), else_=(attempts.c.ended_at - since) // piece_ms)
        newest = (
            select(piece.label("piece"), attempts.c.ended_at, attempts.c.outcome)
            .where(attempts.c.organization_id == organization_id)
            .order_by(attempts.c.position.desc())
            .limit(TALLY_MAX)
            .subquery()
            .c
        )
        query = select(newest.piece, newest.outcome, func.count(), func.min(newest.ended_at))
        query = query.group_by(newest.piece, newest.outcome)
        rows = [tuple(row) for row in self._connection.execute(query)]
        full = sum(count for _, _, count, _ in rows) == TALLY_MAX
        earliest = min((at for *_, at in rows), default=since)
        counts = {(int(nth), outcome): count for nth, outcome, count, _ in rows if nth >= 0}
        return Tally(counts, earliest if full and earliest > since else None)

    def reach(self, organization_id: str) -> tuple[int, int] | None:
        """Return when (ms) the first and the last attempt on record ended, None where there is none."""
        own = select(attempts.c.ended_at).where(attempts.c.organization_id == organization_id).limit(1)
        ends = (own.order_by(attempts.c.position), own.order_by(attempts.c.position.desc()))
        first, last = (self._connection.execute(query).scalar() for query in ends)
        return None if first is None or last is None else (first, last)

    def tries(self, organization_id: str, since: int, endpoint_id: str | None = None) -> list[Try]:
        """Return the attempts that ended since a time, of the newest TRIED_MAX; of one endpoint, of as many deliveries."""
        to: Any
        went: Any
        if endpoint_id is None:
            latest = _newest(attempts, organization_id, "delivery_position", "started_at", "ended_at", "outcome")
            rows = latest.join(deliveries, deliveries.c.position == latest.c.delivery_position)
            to, went = deliveries.c, latest.c
        else:
            latest = _newest(deliveries, organization_id, "position", "endpoint_id", endpoint_id=endpoint_id)
            rows = latest.join(attempts, attempts.c.delivery_position == latest.c.position)
            to, went = latest.c, attempts.c
        query = (
            select(to.endpoint_id, went.ended_at, went.outcome, went.ended_at - went.started_at)
            .select_from(rows)
            .where(went.ended_at >= since)
        )
        return [Try(*row) for row in self._connection.execute(query)]

    def times_to_ack(self, organization_id: str, since: int) -> list[int]:
        """Return how long (ms) those took that arrived since a time, of the newest SAMPLE, the shortest first."""
        newest = (
            select(endings.c.created_at, endings.c.settled_at)
            .where(endings.c.organization_id == organization_id, endings.c.status == "delivered")
            .order_by(endings.c.position.desc())
            .limit(SAMPLE)
            .subquery()
            .c
        )
        query = select(newest.settled_at - newest.created_at).where(newest.settled_at >= since)
        return sorted(self._connection.execute(query).scalars())

    def ended(self, organization_id: str, status: str, since: int) -> int:
        """Return how many deliveries ended so since a time, of the newest COUNT_MAX that did."""
        newest = (
            select(endings.c.settled_at)
            .where(endings.c.organization_id == organization_id, endings.c.status == status)
            .order_by(endings.c.position.desc())
            .limit(COUNT_MAX)
            .subquery()
        )
        query = select(func.count()).select_from(newest).where(newest.c.settled_at >= since)
        return int(self._connection.execute(query).scalar_one())

    def came_in(self, organization_id: str, since: int) -> dict[str, int]:
        """Return how many messages came in since a time, by status, of the newest SAMPLE."""
        newest = (
            select(messages.c.status, messages.c.received_at)
            .where(messages.c.organization_id == organization_id)
            .order_by(messages.c.position.desc())
            .limit(SAMPLE)
            .subquery()
        )
        query = select(newest.c.status, func.count()).where(newest.c.received_at >= since).group_by(newest.c.status)
        return {row[0]: int(row[1]) for row in self._connection.execute(query)}

    def retrying(self, endpoint_ids: Sequence[str]) -> int:
        """Return how many deliveries were tried and wait for another try, up to COUNT_MAX."""
        chosen = select(queue.c.position).where(
            queue.c.endpoint_id.in_(endpoint_ids), ~HELD, queue.c.due_at.is_not(None), queue.c.attempts > 0
        )
        return self._counted(chosen)

    def unsent_mails(self, organization_id: str) -> int:
        """Return how many mails wait, of the newest SAMPLE."""
        newest = (
            select(mails.c.status)
            .where(mails.c.organization_id == organization_id)
            .order_by(mails.c.id.desc())
            .limit(SAMPLE)
            .subquery()
        )
        query = select(func.count()).select_from(newest).where(newest.c.status == "unsent")
        return int(self._connection.execute(query).scalar_one())

    def asking(self, organization_id: str) -> int:
        """Return how many memberships wait to be decided on, up to COUNT_MAX."""
        of_it = memberships.c.organization_id == organization_id
        return self._counted(select(memberships.c.id).where(of_it, memberships.c.status == "pending", _NOT_ACTIVE))

    def _counted(self, chosen: Select[Any]) -> int:
        query = select(func.count()).select_from(chosen.limit(COUNT_MAX).subquery())
        return int(self._connection.execute(query).scalar_one())


def _newest(table: Table, organization_id: str, *names: str, **columns: str) -> Subquery:
    """An organization's newest TRIED_MAX rows of a table with these column values: these columns of them."""
    query = select(*(table.c[name] for name in names)).where(table.c.organization_id == organization_id)
    query = query.where(*(table.c[name] == value for name, value in columns.items()))
    return query.order_by(table.c.position.desc()).limit(TRIED_MAX).subquery()
