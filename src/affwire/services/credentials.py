"""The credentials of messages that were not genuine: kept, since such a message may be judged anew, and sealed.

Rule: what a header says of who sends is stored sealed or masked, never in clear.
"""

from typing import Final

from affwire.model.inbound import Kept
from affwire.model.wire import Headers
from affwire.services.endpoints import secret_place
from affwire.store.tx import Tx

NAMES: Final = frozenset({"authorization", "proxy-authorization", "cookie"})
_SEALED: Final = "sealed:"


def sealed_messages(tx: Tx) -> list[tuple[Kept, list[str]]]:
    """Return the messages whose credentials are kept, sealed, of all organizations; and what is sealed in each."""
    found = [(kept, _sealed_in(kept)) for kept in tx.inbox.with_headers_like(_SEALED)]
    return [(kept, sealed) for kept, sealed in found if sealed]


def reseal(tx: Tx, organization_id: str, message_id: str) -> None:
    """Seal the credentials of a message, if it is still there, under the database's key. Raises Broken."""
    kept = tx.inbox.get(organization_id, message_id)
    if kept is not None and _sealed_in(kept):
        tx.inbox.rewrite_headers(kept.id, sealed_headers(tx, kept.source_id, opened_headers(tx, kept)))


def sealed_headers(tx: Tx, source_id: str, headers: Headers) -> Headers:
    """Return headers with their credentials sealed."""
    place = secret_place(source_id, "headers")
    return tuple(
        (name, _SEALED + tx.vault.seal(value.encode(), place) if name.lower() in NAMES else value)
        for name, value in headers
    )


def opened_headers(tx: Tx, kept: Kept) -> Headers:
    """Return a message's headers as they came. Raises Broken."""
    place = secret_place(kept.source_id, "headers")
    return tuple(
        (name, tx.vault.open(value.removeprefix(_SEALED), place).decode() if _is_sealed(name, value) else value)
        for name, value in kept.headers
    )


def _sealed_in(kept: Kept) -> list[str]:
    return [value.removeprefix(_SEALED) for name, value in kept.headers if _is_sealed(name, value)]


def _is_sealed(name: str, value: str) -> bool:
    return name.lower() in NAMES and value.startswith(_SEALED)
