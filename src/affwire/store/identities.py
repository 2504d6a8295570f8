"""Identities: what each platform calls our records, when it last told of them, and what it told has ended.

They serve the mirror, which keeps the records in the registry, and the relay, whose ids live only here.
"""

from typing import Any, Final

from sqlalchemy import Connection

from affwire.model.inbound import KnownAs
from affwire.store.hot import Hot

_FIELDS: Final = KnownAs.__struct_fields__
_NAMES: Final = ", ".join(_FIELDS)
_GET: Final = Hot(
    f"SELECT {_NAMES} FROM identities WHERE organization_id = :organization_id AND namespace = :namespace "  # noqa: S608 -- our own names
    "AND kind = :kind AND value = :value"
)
_OF_RECORD: Final = Hot(
    f"SELECT {_NAMES} FROM identities WHERE record_id = :record_id AND organization_id = :organization_id "  # noqa: S608 -- as above
    "ORDER BY namespace, kind, value"
)
_PUT: Final = Hot(
    f"INSERT INTO identities (organization_id, {_NAMES}) "  # noqa: S608 -- as above
    f"VALUES (:organization_id, {', '.join(f':{name}' for name in _FIELDS)}) "
    "ON CONFLICT (organization_id, namespace, kind, value) DO UPDATE SET record_id = excluded.record_id, "
    "told_at = excluded.told_at, ended = excluded.ended, status = excluded.status"
)
_FORGET: Final = Hot("DELETE FROM identities WHERE record_id = :record_id")
_FORGET_NAMESPACE: Final = Hot("DELETE FROM identities WHERE record_id = :record_id AND namespace = :namespace")


class Identities:
    """Finds records by what platforms call them, and remembers what was told."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, organization_id: str, namespace: str, kind: str, value: str) -> KnownAs | None:
        """Return what is known under a platform's name for a record; None if nothing is."""
        values = {"organization_id": organization_id, "namespace": namespace, "kind": kind, "value": value}
        row = _GET.run(self._connection, values).fetchone()
        return None if row is None else _known(row)

    def put(self, organization_id: str, known: KnownAs) -> None:
        """Store an identity, over the former one of that namespace, kind and value."""
        values = {name: getattr(known, name) for name in _FIELDS}
        _PUT.run(self._connection, {"organization_id": organization_id, **values})

    def of_record(self, organization_id: str, record_id: str) -> list[KnownAs]:
        """Return everything a record is known as."""
        values = {"organization_id": organization_id, "record_id": record_id}
        return [_known(row) for row in _OF_RECORD.run(self._connection, values).fetchall()]

    def forget(self, record_id: str, *, namespace: str | None = None) -> None:
        """Drop what a record is known as: everything, or what one namespace calls it."""
        if namespace is None:
            _FORGET.run(self._connection, {"record_id": record_id})
        else:
            _FORGET_NAMESPACE.run(self._connection, {"record_id": record_id, "namespace": namespace})


def _known(row: Any) -> KnownAs:
    known = KnownAs(**dict(zip(_FIELDS, row, strict=True)))
    return KnownAs(**{**{name: getattr(known, name) for name in _FIELDS}, "ended": bool(known.ended)})
