"""ETag, If-Match and If-None-Match (RFC 9110) of single records.

A tag is a digest of what is shown: it changes when the answer does, and with nothing else.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from affwire.errors import NotFound, PreconditionFailed
from affwire.model import canonical
from affwire.model.registry import Affiliate, Group, Link, Membership, Program, PromoCode
from affwire.services import versions
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
_THERE: Final = "The record is there, as If-None-Match says it should not be."


def tag(body: bytes) -> str:
    """Return the strong ETag of an answer's bytes."""
    return f'"{versions.tag(body)}"'


def known(request: Request, own: str) -> Response | None:
    """Return 304 for a GET whose If-None-Match names this tag, None for any other."""
    names_it = request.method == "GET" and _names(request.headers.get("if-none-match"), own)
    return Response(status_code=NOT_MODIFIED, headers={"ETag": own}) if names_it else None


def check(request: Request, show: Callable[[], Any]) -> None:
    """Look at If-Match and If-None-Match in the transaction that writes; `show` returns the record as its GET does.

    Raises PreconditionFailed if the record is another by now, or none, or one that must not be there.
    """
    wished, unwished = (request.headers.get(name) for name in ("if-match", "if-none-match"))
    if wished is None and unwished is None:
        return
    try:
        own = tag(msgspec.json.encode(show()))
    except NotFound as error:
        if wished is not None:
            raise PreconditionFailed("precondition_failed", error.sentence) from None
        return
    if wished is not None and not _names(wished, own):
        raise PreconditionFailed("precondition_failed")
    if _names(unwished, own):
        raise PreconditionFailed("precondition_failed", _THERE)


def check_record(tx: Tx, request: Request, organization_id: str) -> None:
    """As `check`, for the record of the registry that the path names, if it names one."""
    name = next((name for name in request.path_params if name in _KINDS), None)
    if name is not None:
        check(request, lambda: canonical.record(found(tx, _KINDS[name], organization_id, request.path_params[name])))


def _names(header: str | None, own: str) -> bool:
    """Whether a list of tags holds this one; `*` stands for any. A weak one is compared as a strong one is, without its mark."""
    tags = [one.strip().removeprefix("W/") for one in (header or "").split(",")]
    return own in tags or "*" in tags
