"""Sources beyond what the registry does for every record: found by their token, heard, found silent.

What is heard is noted beside the record, without touching `updated_at`: that tells only what an owner changed.
"""

from typing import Final

from sqlalchemy import Connection, text

from affwire.model.inbound import Source
from affwire.store import tables
from affwire.store.hot import Hot
from affwire.store.rows import shape

SMOOTHING: Final = 8
"""A new gap counts for one in eight of the rhythm: it follows a change within a few dozen messages, and forgives one pause."""

_HEARD: Final = Hot(f"""
    UPDATE sources SET seen = seen + :count,
        gap_ms = CASE WHEN last_message_at IS NULL OR last_message_at > :at OR silent_since IS NOT NULL THEN gap_ms
            WHEN gap_ms IS NULL THEN (:at - last_message_at) / :count
            ELSE ({SMOOTHING - 1} * gap_ms + :at - last_message_at) / ({SMOOTHING - 1} + :count) END,
        last_message_at = :at, silent_since = NULL
    WHERE id = :id AND updated_at = :updated_at AND deleted_at IS NULL
""")  # noqa: S608 -- put together from constants
_UNCHANGED: Final = Hot("SELECT 1 FROM sources WHERE id = :id AND updated_at = :updated_at AND deleted_at IS NULL")
_SILENT: Final = text("""
    SELECT id, organization_id FROM sources WHERE deleted_at IS NULL AND enabled AND silent_since IS NULL
        AND seen >= :seen_min AND gap_ms IS NOT NULL
        AND :now - last_message_at > CASE WHEN gap_ms * :times > :shortest THEN gap_ms * :times ELSE :shortest END
    LIMIT :limit
""")


class Sources:
    """Finds sources, and notes when they are heard."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def by_token(self, digest: str) -> Source | None:
        """Return the source whose ingest token has that digest, unless it is deleted."""
        row = shape(Source).select(("token_digest",)).run(self._connection, {"token_digest": digest}).fetchone()
        return None if row is None else shape(Source).record(row)

    def heard(self, source: Source, count: int, at: int) -> bool:
        """Note `count` genuine messages at a time (ms); False if the source is not as it was read, and nothing is noted."""
        values = {"id": source.id, "updated_at": source.updated_at, "count": count, "at": at}
        return _HEARD.run(self._connection, values).rowcount == 1

    def is_as_read(self, source: Source) -> bool:
        """Whether its owner has not changed the source since it was read."""
        values = {"id": source.id, "updated_at": source.updated_at}
        return _UNCHANGED.run(self._connection, values).fetchone() is not None

    def falling_silent(
        self, now: int, *, seen_min: int, times: int, shortest: int, limit: int
    ) -> list[tuple[str, str]]:
        """Return id and organization of sources silent for `times` their own gap, and for `shortest` ms, not yet said so."""
        values = {"now": now, "seen_min": seen_min, "times": times, "shortest": shortest, "limit": limit}
        return [(row.id, row.organization_id) for row in self._connection.execute(_SILENT, values)]

    def every(self) -> list[Source]:
        """Return the sources of all organizations, deleted ones too."""
        known = shape(Source)
        columns = [tables.sources.c[name] for name in known.columns]
        return [
            known.record(tuple(row))
            for row in self._connection.execute(tables.sources.select().with_only_columns(*columns))
        ]
