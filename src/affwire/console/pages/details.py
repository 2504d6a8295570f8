"""Records as files: `.json` behind the path of a record's page is what the API shows of it, to who may see the page."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from starlette.responses import Response

from affwire.console.routes import Answer, Do, Route
from affwire.console.visit import Visit
from affwire.errors import NotFound
from affwire.model import canonical
from affwire.model.endpoints import Endpoint
from affwire.model.inbound import Source
from affwire.model.registry import Affiliate, Program
from affwire.services import inbox, jobs, journal, mail, organizations, users, views
from affwire.services.actions import found
from affwire.store.registry import Record
from affwire.store.tx import Tx

Show = Callable[[Visit, Tx, str], Any]
"""Returns the record of an id in the visitor's organization, as the API shows it. Raises NotFound."""


def _program(visit: Visit, tx: Tx, program_id: str) -> Any:
    return canonical.record(_found(visit, tx, Program, program_id))


def _affiliate(visit: Visit, tx: Tx, affiliate_id: str) -> Any:
    return canonical.record(_found(visit, tx, Affiliate, affiliate_id))


def _delivery(visit: Visit, tx: Tx, delivery_id: str) -> Any:
    return journal.delivery(tx, visit.organization_id, delivery_id)


def _endpoint(visit: Visit, tx: Tx, endpoint_id: str) -> Any:
    return views.endpoint(tx, visit.desk.dialects, _found(visit, tx, Endpoint, endpoint_id))


def _job(visit: Visit, tx: Tx, job_id: str) -> Any:
    return views.job(jobs.get(tx, visit.organization_id, job_id))


def _event(visit: Visit, tx: Tx, event_id: str) -> Any:
    return journal.event(tx, visit.organization_id, event_id)


def _source(visit: Visit, tx: Tx, source_id: str) -> Any:
    """Return a source; its URL lets in whoever knows it, so only admins see it."""
    base = visit.desk.public_url or "" if visit.may("admin") else None
    return views.source(tx, visit.desk.dialects, _found(visit, tx, Source, source_id), base=base)


def _message(visit: Visit, tx: Tx, message_id: str) -> Any:
    return views.message_in_full(inbox.get(tx, visit.organization_id, message_id))


def _organization(_visit: Visit, tx: Tx, organization_id: str) -> Any:
    return canonical.record(organizations.get(tx, organization_id))


def _user(visit: Visit, tx: Tx, user_id: str) -> Any:
    return users.shown(users.get(tx, visit.organization_id, user_id))


def _key(visit: Visit, tx: Tx, key_id: str) -> Any:
    key = tx.keys.get(visit.organization_id, key_id)
    if key is None:
        raise NotFound("key_not_found", "There is no such key in this organization.")
    return views.key(key)


def _mail(visit: Visit, tx: Tx, mail_id: str) -> Any:
    return views.mail_in_full(mail.in_full(tx, visit.organization_id, mail_id, visit.desk.public_url or ""))


def _found(visit: Visit, tx: Tx, kind: type[Record], record_id: str) -> Record:
    return found(tx, kind, visit.organization_id, record_id)


def answer(show: Show) -> Do:
    """Return what answers with a record."""

    async def answered(visit: Visit) -> Response:
        record_id = next(iter(visit.path.values()), None) or visit.organization_id
        record = await visit.read(lambda tx: show(visit, tx, record_id))
        return Response(msgspec.json.encode(record), media_type="application/json")

    return answered


_SHOWN: Final[Mapping[str, tuple[Show, str]]] = {
    "/programs/{program_id}": (_program, "read"),
    "/affiliates/{affiliate_id}": (_affiliate, "read"),
    "/deliveries/{delivery_id}": (_delivery, "read"),
    "/endpoints/{endpoint_id}": (_endpoint, "read"),
    "/jobs/{job_id}": (_job, "read"),
    "/events/{event_id}": (_event, "read"),
    "/sources/{source_id}": (_source, "read"),
    "/inbox/{message_id}": (_message, "read"),
    "/settings/organization": (_organization, "admin"),
    "/settings/users/{user_id}": (_user, "admin"),
    "/settings/keys/{key_id}": (_key, "admin"),
    "/settings/mails/{mail_id}": (_mail, "registry"),
}
"""The path of a record's page -> how the API shows it, and what may see it."""
ROUTES: Final[tuple[Route, ...]] = tuple(
    Answer(f"{path}.json", answer(show), scope) for path, (show, scope) in _SHOWN.items()
)
