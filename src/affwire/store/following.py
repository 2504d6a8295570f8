"""What is to become of all that waits for an endpoint: said in one row, and so from that commit on; the rows follow in pieces.

Rule: nothing here touches more rows of the queue than it is told to. While rows follow, claims pass the endpoint if it is
to be quiet, and `store.history` shows each delivery as it will stand.
"""

from typing import Any, Final

from msgspec import Struct, structs
from sqlalchemy import Connection, text

from affwire.store import statements as sql
from affwire.store.hot import Hot
from affwire.store.tables import following

PIECE: Final = 500
"""Rows that follow in one transaction: 1 to 3 ms of the writer's time where they are held or released, 20 where they end."""
MARKS_MAX: Final = 64
"""Marks looked at together: which of them goes on is left to chance, so that a small backlog does not wait for a large one."""

_NAMES: Final = tuple(column.name for column in following.columns)
_LISTED: Final = ", ".join(_NAMES)
_ANY: Final = Hot("SELECT 1 FROM following LIMIT 1")
_SOME: Final = text(f"SELECT {_LISTED} FROM following ORDER BY endpoint_id, part LIMIT :most")  # noqa: S608 -- our own names
_OF: Final = text(f"SELECT {_LISTED} FROM following WHERE endpoint_id = :endpoint_id AND part = :part")  # noqa: S608 -- as above
_PUT: Final = text(f"""
    INSERT INTO following ({_LISTED}) VALUES ({", ".join(f":{name}" for name in _NAMES)})
    ON CONFLICT (endpoint_id, part) DO UPDATE
    SET target = excluded.target, reason = excluded.reason, lane = excluded.lane, after = excluded.after
""")  # noqa: S608 -- as above
_DROP: Final = text("DELETE FROM following WHERE endpoint_id = :endpoint_id AND part = :part")
_IS_HELD: Final = text("SELECT 1 FROM queue WHERE endpoint_id = :endpoint_id AND held LIMIT 1")
_OWN: Final = text("SELECT 1 FROM endpoints WHERE id = :endpoint_id FOR NO KEY UPDATE")


class Mark(Struct, frozen=True):
    """That an endpoint's rows have to follow: its `standing` or its `order` is `target` now.

    `lane` and `after`: the place that a look through the rows has reached; `lane` None: it has gone through all lanes.
    """

    endpoint_id: str
    part: str
    target: str
    reason: str | None = None
    lane: str | None = ""
    after: int = 0


class Following:
    """Says what becomes of an endpoint's deliveries that wait, and has their rows follow."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def hold(self, endpoint_id: str, reason: str) -> None:
        """Let what waits for an endpoint wait as held. All that is held has the reason then."""
        self._mark(Mark(endpoint_id, "standing", "held", reason))

    def release(self, endpoint_id: str) -> bool:
        """Let what is held for an endpoint go on; return whether anything is."""
        values = {"endpoint_id": endpoint_id}
        if self.standing(endpoint_id) is None and self._connection.execute(_IS_HELD, values).first() is None:
            return False
        self._mark(Mark(endpoint_id, "standing", "released"))
        return True

    def cancel(self, endpoint_id: str, reason: str) -> Mark:
        """Cancel what waits for an endpoint, held or not; what is under way ends by itself."""
        mark = Mark(endpoint_id, "standing", "cancelled", reason)
        self._mark(mark)
        return mark

    def enter_lanes(self, endpoint_id: str) -> None:
        """Make an endpoint ordered: of what waits for it, only the first of each subject stays due. Till then nothing goes."""
        self._mark(Mark(endpoint_id, "order", "lanes"))

    def leave_lanes(self, endpoint_id: str) -> None:
        """Make an endpoint unordered: every delivery that waits for its lane becomes due."""
        self._mark(Mark(endpoint_id, "order", "none"))

    def hold_due(self, endpoint_id: str, reason: str, *, limit: int) -> int:
        """Let what has come since the rest was held wait as well; return how many. Costs nothing for what is held."""
        values = {"endpoint_id": endpoint_id, "reason": reason, "limit": limit}
        return int(self._connection.execute(sql.HOLD_DUE, values).rowcount)

    def any(self) -> bool:
        """Return whether anything has to follow."""
        return _ANY.run(self._connection, {}).fetchone() is not None

    def some(self) -> list[Mark]:
        """Return at most MARKS_MAX marks."""
        return [Mark(*row) for row in self._connection.execute(_SOME, {"most": MARKS_MAX})]

    def standing(self, endpoint_id: str) -> Mark | None:
        """Return what an endpoint's rows have to follow: held, released or cancelled; None if they have."""
        return self._of(endpoint_id, "standing")

    def again(self, mark: Mark) -> Mark | None:
        """Return a mark as it is now, None if it has gone."""
        return self._of(mark.endpoint_id, mark.part)

    def own(self, endpoint_id: str) -> None:
        """Have an endpoint to ourselves until the commit: nothing is claimed for it, settled or decided meanwhile."""
        if self._connection.dialect.name != "sqlite":
            self._connection.execute(_OWN, {"endpoint_id": endpoint_id})

    def move(self, mark: Mark, *, now: int, limit: int = PIECE) -> bool:
        """Have at most `limit` rows follow a mark, which goes when none is left; False: there were none. Time in ms."""
        match mark.target:
            case "held":
                onward = self._hold(mark, limit)
            case "lanes":
                onward = self._enter(mark, limit)
            case "released":
                onward = self._change(sql.RELEASE_HELD, mark, limit)
            case "none":
                onward = self._change(sql.LEAVE_LANES, mark, limit, now=now)
            case _:
                onward = self._cancel(mark, now, limit)
        self._go_on(mark, onward)
        return onward is not None

    def _hold(self, mark: Mark, limit: int) -> Mark | None:
        """Hold what is due; then, lane by lane, what waits behind it; then give what was held before the reason, too."""
        return (
            self._change(sql.HOLD_DUE, mark, limit) or self._hold_behind(mark, limit) or self._give_reason(mark, limit)
        )

    def _hold_behind(self, mark: Mark, limit: int) -> Mark | None:
        if mark.lane is None:
            return None
        reached = self._reached(sql.LANES_AFTER, mark, limit)
        if reached is not None:
            values = {**structs.asdict(mark), "to_lane": reached.lane, "to": reached.after}
            self._connection.execute(sql.HOLD_BEHIND, values)
        return reached

    def _give_reason(self, mark: Mark, limit: int) -> Mark | None:
        begun = mark if mark.lane is None else structs.replace(mark, lane=None, after=0)
        reached = self._reached(sql.HELD_AFTER, begun, limit)
        if reached is not None:
            self._connection.execute(sql.REASON_OF_HELD, {**structs.asdict(begun), "to": reached.after})
        return reached

    def _enter(self, mark: Mark, limit: int) -> Mark | None:
        """Give a piece of the queue its lanes. All before it have theirs, so who is a head can be told at once."""
        reached = self._reached(sql.QUEUE_AFTER, mark, limit)
        if reached is not None:
            for statement in sql.ENTER_LANES:
                self._connection.execute(statement, {**structs.asdict(mark), "to": reached.after})
        return reached

    def _cancel(self, mark: Mark, now: int, limit: int) -> Mark | None:
        ending = {"endpoint_id": mark.endpoint_id, "status": "cancelled", "reason": mark.reason, "settled_at": now}
        left = limit
        for statement in sql.CANCEL:
            values = {"endpoint_id": mark.endpoint_id, "limit": left}
            rows = self._connection.execute(statement, values).mappings().all() if left else ()
            over = [{**row, **ending} for row in rows]
            sql.INSERT_ENDINGS.run(self._connection, [[one[name] for name in sql.END] for one in over])
            left -= len(over)
        return mark if left < limit else None

    def _change(self, statement: Any, mark: Mark, limit: int, **values: Any) -> Mark | None:
        given = {**structs.asdict(mark), "limit": limit, **values}
        return mark if self._connection.execute(statement, given).rowcount else None

    def _reached(self, walk: Any, mark: Mark, limit: int) -> Mark | None:
        """Return the mark as it is after a look at `limit` rows; None if there are no more."""
        row = self._connection.execute(walk, {**structs.asdict(mark), "limit": limit}).first()
        return None if row is None or row.after is None else structs.replace(mark, lane=row.lane, after=row.after)

    def _of(self, endpoint_id: str, part: str) -> Mark | None:
        row = self._connection.execute(_OF, {"endpoint_id": endpoint_id, "part": part}).first()
        return Mark(*row) if row else None

    def _mark(self, mark: Mark) -> None:
        """Note a mark in the place of an earlier one; one that says the same goes on where it is."""
        before = self.again(mark)
        if before is None or (before.target, before.reason) != (mark.target, mark.reason):
            self._connection.execute(_PUT, structs.asdict(mark))

    def _go_on(self, mark: Mark, onward: Mark | None) -> None:
        if onward is None:
            self._connection.execute(_DROP, {"endpoint_id": mark.endpoint_id, "part": mark.part})
        elif onward != mark:
            self._connection.execute(_PUT, structs.asdict(onward))
