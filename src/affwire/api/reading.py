"""Records and lists of the registry as answers, in our own words or in a dialect's."""

from typing import Annotated, Any, Final

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from affwire.api.calls import Call
from affwire.api.pages import Page
from affwire.dialects.base import Dialect
from affwire.errors import Refused
from affwire.model import canonical
from affwire.model.events import Snapshot
from affwire.model.registry import Affiliate, Link, Membership, Program
from affwire.services import organizations, search, snapshots
from affwire.services.actions import found, resolved
from affwire.store.registry import Record
from affwire.store.tx import Tx

_BY_ID: Final[dict[str, type[Struct]]] = {
    "affiliate_id": Affiliate,
    "program_id": Program,
    "membership_id": Membership,
}


class Rendering(BaseModel):
    """How one record is shown."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dialect: Annotated[
        str | None, Field(alias="as", max_length=100, description="Show the record as this dialect's object.")
    ] = None


async def listed(
    call: Call, kind: type[Record], page: Page, *, matching: str | None = None, **filters: str | None
) -> Response:
    """Answer a page of the organization's records, in order of number. Filters by id take `ext:` ids too."""

    def work(tx: Tx) -> Any:
        among = _among(tx, call, kind, matching)
        wanted = {name: _own(tx, call, name, value) for name, value in filters.items()}
        return page.filled(
            lambda limit: tx.registry.page(
                kind, call.organization_id, after=page.position, limit=limit, matching=matching, among=among, **wanted
            ),
            lambda record: record.number,
            canonical.record,
        )

    return await call.show(work)


async def one(call: Call, kind: type[Record], record_id: str, rendering: Rendering | None = None) -> Response:
    """Answer one record; raises NotFound, Refused("unknown_dialect"), Refused("no_such_object")."""

    def work(tx: Tx) -> Any:
        record = found(tx, kind, call.organization_id, record_id)
        if rendering is None or rendering.dialect is None:
            return canonical.record(record)
        return _as_object(tx, dialect_named(call, rendering.dialect, "as"), record)

    return await call.show_one(work)


def _among(tx: Tx, call: Call, kind: type[Record], matching: str | None) -> list[str]:
    if matching is None:
        return []
    organization = organizations.get(tx, call.organization_id)
    return search.among(tx, organization, kind, matching, call.desk.dialects)


def _own(tx: Tx, call: Call, name: str, value: str | None) -> str | None:
    kind = _BY_ID.get(name)
    return value if kind is None or value is None else resolved(tx, kind, call.organization_id, value)


def dialect_named(call: Call, name: str, parameter: str = "dialect") -> Dialect:
    """Return an installed dialect; raises Refused("unknown_dialect") listing the known."""
    dialect = call.desk.dialects.get(name)
    if dialect is None:
        known = sorted(call.desk.dialects)
        raise Refused(
            "unknown_dialect",
            f"There is no such dialect; known are {', '.join(known)}.",
            parameter=parameter,
            known=known,
        )
    return dialect


def _as_object(tx: Tx, dialect: Dialect, record: Any) -> dict[str, Any]:
    kind = type(record).__name__.lower()
    shown = dialect.object(kind, record.id, _snapshot(tx, record))
    if shown is None:
        raise Refused(
            "no_such_object",
            f"{dialect.card.title} has no object for this {kind}; its objects are of: {', '.join(dialect.card.objects)}.",
            parameter="as",
            objects=list(dialect.card.objects),
        )
    return shown


def _snapshot(tx: Tx, record: Any) -> Snapshot:
    """Return the world around a record as it is now; for kinds that no dialect has objects of, the organization."""
    organization = organizations.get(tx, record.organization_id)
    match record:
        case Program():
            return snapshots.of_program(tx, organization, record)
        case Affiliate():
            return snapshots.of_affiliate(tx, organization, record, {})
        case Membership() | Link():
            return snapshots.of_affiliate(
                tx, organization, found(tx, Affiliate, organization.id, record.affiliate_id), {}
            )
    return Snapshot(organization=organization)
