"""Writes: one transaction each, and under an Idempotency-Key one effect, however often the request arrives.

The kept answer is written in the commit of what it answers. It never holds a secret.
"""

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from affwire.api import preconditions
from affwire.api.desk import Desk
from affwire.errors import Conflict, Refused
from affwire.services.organizations import Identity
from affwire.store.keys import BLANK, KeptAnswer
from affwire.store.tx import Tx

CREATED: Final = 201
NO_CONTENT: Final = 204
_MERGING: Final = frozenset({"PATCH", "PUT"})
_OF_COLLECTION: Final = 2
"""Slashes of a collection's path: /v1/affiliates."""
_KEY: Final = re.compile(r"[\x20-\x7e]{1,255}")
"""An Idempotency-Key: as long as other platforms allow, and printable."""


class Answer(Struct, frozen=True):
    """What a write is answered. `secrets`: members of the body that are shown this once and never kept.

    `beside`: members that are not the record's own, so that its tag leaves them out.
    """

    status: int
    body: Any = None
    secrets: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


def shown(body: Any, *beside: str) -> Answer:
    """Return 200."""
    return Answer(200, body, beside=beside)


def created(body: Any, *secrets: str) -> Answer:
    """Return 201; the new record's address is the collection's and its id."""
    return Answer(CREATED, body, secrets)


def done(body: Any) -> Answer:
    """Return 201 for an action: what the record is now."""
    return Answer(CREATED, body)


def put(body: Any, *beside: str, new: bool) -> Answer:
    """Return 201 for a record that a PUT created, 200 for one that it changed."""
    return Answer(CREATED if new else 200, body, beside=beside)


def gone() -> Answer:
    """Return 204."""
    return Answer(NO_CONTENT)


async def write(request: Request, desk: Desk, identity: Identity, work: Callable[[Tx], Answer]) -> Response:
    """Carry out `work` and answer; a repeated POST with the same Idempotency-Key gets the first one's answer.

    Raises Refused("idempotency_key_reused") if the key came with another request before.
    """
    key = _key(request)

    def alone(tx: Tx) -> Answer:
        tx.hold(identity.organization_id)
        return work(tx)

    if key is None:
        return rendered(await desk.store.run(alone), request)
    fingerprint = await _fingerprint(request)

    def once(tx: Tx) -> Answer | KeptAnswer:
        tx.hold(identity.organization_id)
        kept = tx.keys.kept(identity.organization_id, key)
        if kept is not None:
            return _same(kept, fingerprint)
        answer = work(tx)
        body = msgspec.json.encode({**(answer.body or {}), **dict.fromkeys(answer.secrets)})
        tx.keys.keep(
            identity.organization_id, key, KeptAnswer(fingerprint=fingerprint, status=answer.status, body=body), tx.now
        )
        return answer

    answer = await desk.store.run(once)
    if isinstance(answer, Answer):
        return rendered(answer, request)
    return _replayed(answer, request)


async def kept(request: Request, desk: Desk, identity: Identity) -> Response | None:
    """Return the answer kept for this request, None if there is none: for routes that judge before they write."""
    key = _key(request)
    if key is None:
        return None
    answer = await desk.store.read(lambda tx: tx.keys.kept(identity.organization_id, key))
    return None if answer is None else _replayed(_same(answer, await _fingerprint(request)), request)


def rendered(answer: Answer, request: Request | None = None) -> Response:
    """Return an answer as JSON. 201 names the address of a new record, a PATCH or PUT is answered with the record's tag."""
    if answer.status == NO_CONTENT:
        return Response(status_code=NO_CONTENT)
    response = Response(msgspec.json.encode(answer.body), answer.status, media_type="application/json")
    if request is None:
        return response
    if answer.status == CREATED and "id" in answer.body and (collection := _collection(request)):
        response.headers["Location"] = f"{collection}/{answer.body['id']}"
    if request.method in _MERGING:
        record = {name: value for name, value in answer.body.items() if name not in answer.beside}
        response.headers["ETag"] = preconditions.tag(msgspec.json.encode(record))
    return response


def _collection(request: Request) -> str | None:
    """Return the path of the collection that a new record joins; None for an action on one that is there."""
    path = request.url.path
    if request.method == "PUT":
        return path.rpartition("/")[0]
    return path if path.count("/") == _OF_COLLECTION else None


def _replayed(answer: KeptAnswer, request: Request) -> Response:
    again = rendered(Answer(answer.status, msgspec.json.decode(answer.body)), request)
    again.headers["Idempotency-Replayed"] = "true"
    return again


def _same(kept: KeptAnswer, fingerprint: str) -> KeptAnswer:
    if kept.fingerprint != fingerprint:
        raise Refused("idempotency_key_reused", "This Idempotency-Key came with another request before; use a new one.")
    if kept.body == BLANK:
        raise Conflict(
            "answer_erased",
            "This request was carried out before; its answer went when the personal data of an affiliate were erased.",
        )
    return kept


def _key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    if key is not None and not _KEY.fullmatch(key):
        raise Refused("invalid_idempotency_key", "An Idempotency-Key has 1 to 255 printable ASCII characters.")
    return key


async def _fingerprint(request: Request) -> str:
    """Return what tells one request from another: method, path, query and body, each with its length."""
    parts = (request.method, request.url.path, request.url.query)
    texts = [part.encode("utf-8", "surrogateescape") for part in parts] + [await request.body()]
    return sha256(b"".join(b"%d:%b" % (len(text), text) for text in texts)).hexdigest()
