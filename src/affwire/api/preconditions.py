"""ETag, If-Match and If-None-Match (RFC 9110) of single records of the registry.

A tag is a digest of what is shown: it changes when the answer does, and with nothing else.
"""

from hashlib import sha256
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from affwire.errors import NotFound, PreconditionFailed
from affwire.model import canonical
from affwire.model.registry import Affiliate, Group, Link, Membership, Program, PromoCode
from affwire.services.actions import found
from affwire.store.tx import Tx

NOT_MODIFIED: Final = 304
_KINDS: Final[dict[str, Any]] = {
    "program_id": Program,
    "affiliate_id": Affiliate,
    "membership_id": Membership,
    "group_id": Group,
    "link_id": Link,
    "promo_code_id": PromoCode,
}
_HELD: Final = (200, 201)


def tag(body: bytes) -> str:
    """Return the strong ETag of an answer's bytes."""
    return f'"{sha256(body).hexdigest()[:32]}"'


def tagged(response: Response, request: Request) -> Response:
    """Return an answer with its ETag; 304 for a GET whose If-None-Match names it."""
    if response.status_code not in _HELD:
        return response
    own = tag(bytes(response.body))
    if request.method == "GET" and _names(request.headers.get("if-none-match"), own):
        return Response(status_code=NOT_MODIFIED, headers={"ETag": own})
    response.headers["ETag"] = own
    return response


def check(tx: Tx, request: Request, organization_id: str) -> None:
    """Look at If-Match in the transaction that writes. Raises PreconditionFailed if the record is another by now, or none."""
    wished = request.headers.get("if-match")
    name = next((name for name in request.path_params if name in _KINDS), None)
    if wished is None or name is None:
        return
    try:
        record = found(tx, _KINDS[name], organization_id, request.path_params[name])
    except NotFound as error:
        raise PreconditionFailed("precondition_failed", error.sentence) from None
    if not _names(wished, tag(msgspec.json.encode(canonical.record(record)))):
        raise PreconditionFailed("precondition_failed")


def _names(header: str | None, own: str) -> bool:
    """Whether a list of tags holds this one; `*` stands for any. A weak one is compared as a strong one is, without its mark."""
    tags = [one.strip().removeprefix("W/") for one in (header or "").split(",")]
    return own in tags or "*" in tags
