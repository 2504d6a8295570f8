"""External ids: how other systems name a record. Within an organization, a kind and a namespace each id names one record.

The table follows the records' `external_ids`: the registry keeps it in the transaction that writes the record.
"""

from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection

from affwire.errors import Conflict
from affwire.model.registry import Affiliate, Membership, Program
from affwire.store.hot import Hot

KINDS: Final[dict[type[Struct], str]] = {Program: "program", Affiliate: "affiliate", Membership: "membership"}
"""What may have external ids."""

_OF_RECORD: Final = Hot("SELECT namespace, value FROM external_ids WHERE record_id = :record_id")
_FIND: Final = Hot(
    "SELECT record_id FROM external_ids WHERE organization_id = :organization_id AND kind = :kind "
    "AND namespace = :namespace AND value = :value"
)
_NAMED: Final = Hot(
    "SELECT record_id FROM external_ids WHERE organization_id = :organization_id AND kind = :kind AND value = :value "
    "LIMIT 100"
)
_TAKE: Final = Hot(
    "INSERT INTO external_ids (organization_id, kind, namespace, value, record_id) "
    "VALUES (:organization_id, :kind, :namespace, :value, :record_id) ON CONFLICT DO NOTHING RETURNING record_id"
)
_DROP: Final = Hot("DELETE FROM external_ids WHERE record_id = :record_id AND namespace = :namespace")
_RELEASE: Final = Hot("DELETE FROM external_ids WHERE record_id = :record_id")


class ExternalIds:
    """Takes, finds and frees external ids."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, record: Struct, *, new: bool = False) -> None:
        """Have the table say what a record says; a deleted record has none. Raises Conflict("external_id_taken")."""
        if type(record) not in KINDS:
            return
        row: Any = record  # one of KINDS: they all have external_ids
        wanted = {} if getattr(row, "deleted_at", None) is not None else row.external_ids
        held = {} if new else dict(_OF_RECORD.run(self._connection, {"record_id": row.id}).fetchall())
        for namespace in held:
            if wanted.get(namespace) != held[namespace]:
                _DROP.run(self._connection, {"record_id": row.id, "namespace": namespace})
        for namespace, value in wanted.items():
            if held.get(namespace) != value:
                self._take(row, namespace, value)

    def find(self, kind: type[Struct], organization_id: str, namespace: str, value: str) -> str | None:
        """Return the id of the record that another system calls so; None if there is none."""
        if kind not in KINDS:
            return None
        values = {"organization_id": organization_id, "kind": KINDS[kind], "namespace": namespace, "value": value}
        row = _FIND.run(self._connection, values).fetchone()
        return None if row is None else str(row[0])

    def named(self, kind: type[Struct], organization_id: str, value: str) -> list[str]:
        """Return the ids of the records that any other system calls so: at most one for each namespace, and 100."""
        values = {"organization_id": organization_id, "kind": KINDS.get(kind, ""), "value": value}
        return [str(row[0]) for row in _NAMED.run(self._connection, values).fetchall()]

    def release(self, record_id: str) -> None:
        """Free a record's external ids for others."""
        _RELEASE.run(self._connection, {"record_id": record_id})

    def _take(self, record: Any, namespace: str, value: str) -> None:
        kind = type(record)
        place = {"organization_id": record.organization_id, "namespace": namespace, "value": value}
        if _TAKE.run(self._connection, {**place, "kind": KINDS[kind], "record_id": record.id}).fetchone() is None:
            existing = self.find(kind, record.organization_id, namespace, value)
            raise Conflict(
                "external_id_taken",
                f"The {namespace} id belongs to {existing} already.",
                field=f"external_ids/{namespace}",
                existing_id=existing,
            )
