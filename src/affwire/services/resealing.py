"""Every secret sealed under another master key: first the database is put under it, then record after record follows.

What is sealed under either key can be opened meanwhile by whoever knows both. Repeated, it goes on where it ended.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct, structs

from affwire.model.endpoints import Endpoint, SealedSecret
from affwire.model.inbound import Source
from affwire.services import credentials
from affwire.services.endpoints import secret_place
from affwire.store.rows import Record
from affwire.store.tx import Tx
from affwire.store.vault import key_of

BATCH: Final = 50
"""Records that one transaction seals anew: a few milliseconds, in which their organization's commands wait."""


class Place(Struct, frozen=True):
    """A record that holds secrets, and how many of them are under another key."""

    kind: str
    organization_id: str
    id: str
    secrets: int


def reseal_all(tx: Tx) -> int:
    """Put the database under the vault's own key and everything with it, in this one transaction; return how many secrets.

    Raises Broken for one that the vault cannot open: then nothing has changed.
    """
    begin(tx)
    places = left(tx)
    reseal(tx, places)
    return sum(place.secrets for place in places)


def begin(tx: Tx) -> None:
    """Have everything sealed under the vault's own key from this commit on. Raises Conflict("key_not_everywhere")."""
    tx.vault.adopt()


def left(tx: Tx) -> list[Place]:
    """Return what holds secrets under another key than the vault's own, those of one organization beside each other."""
    links = tx.applications.sealed_key()
    found = [
        *(("endpoint", one.organization_id, one.id, _of_endpoint(one)) for one in tx.registry.every_endpoint()),
        *(("source", one.organization_id, one.id, _of_source(one)) for one in tx.sources.every()),
        *(("message", one.organization_id, one.id, sealed) for one, sealed in credentials.sealed_messages(tx)),
        ("links", "", "", [links] if links else []),
    ]
    counted = [Place(kind, owner, name, _under_others(tx, sealed)) for kind, owner, name, sealed in found]
    return sorted((place for place in counted if place.secrets), key=lambda place: (place.organization_id, place.kind))


def batches(places: Sequence[Place]) -> list[list[Place]]:
    """Return them in pieces for a transaction each, of one organization each."""
    pieces: list[list[Place]] = []
    for place in places:
        if not pieces or len(pieces[-1]) == BATCH or pieces[-1][0].organization_id != place.organization_id:
            pieces.append([])
        pieces[-1].append(place)
    return pieces


def reseal(tx: Tx, places: Iterable[Place]) -> None:
    """Seal what these hold under the database's key; what is gone by now is left out. Raises Broken."""
    for place in places:
        if place.organization_id:
            tx.hold(place.organization_id)
        match place.kind:
            case "endpoint":
                _reseal_endpoint(tx, place)
            case "source":
                _reseal_source(tx, place)
            case "message":
                credentials.reseal(tx, place.organization_id, place.id)
            case _:
                tx.applications.reseal_key()


def _reseal_endpoint(tx: Tx, place: Place) -> None:
    endpoint = _locked(tx, Endpoint, place)
    if endpoint is not None:
        again = _again(tx, place.id)
        after = structs.replace(
            endpoint,
            secrets=[_resealed(kept, again, "secret") for kept in endpoint.secrets],
            bearer_token=endpoint.bearer_token and _resealed(endpoint.bearer_token, again, "bearer_token"),
            headers=endpoint.headers and again(endpoint.headers, "headers"),
        )
        tx.registry.update(after)


def _reseal_source(tx: Tx, place: Place) -> None:
    source = _locked(tx, Source, place)
    if source is not None:
        again = _again(tx, place.id)
        secrets = [_resealed(kept, again, "secret") for kept in source.secrets]
        tx.registry.update(structs.replace(source, secrets=secrets, token_sealed=again(source.token_sealed, "token")))


def _locked(tx: Tx, kind: type[Record], place: Place) -> Record | None:
    """Return a record, ours until the commit; a deleted one is nobody's to change."""
    found = tx.registry.get(kind, place.organization_id, place.id, lock=True)
    return found or tx.registry.get_even_deleted(kind, place.organization_id, place.id)


def _again(tx: Tx, record_id: str) -> Callable[[str, str], str]:
    return lambda sealed, what: tx.vault.reseal(sealed, secret_place(record_id, what))


def _resealed(kept: SealedSecret, again: Callable[[str, str], str], what: str) -> SealedSecret:
    return structs.replace(kept, sealed=again(kept.sealed, what))


def _of_endpoint(endpoint: Endpoint) -> list[str]:
    tokens = [endpoint.bearer_token.sealed] if endpoint.bearer_token else []
    return [*(kept.sealed for kept in endpoint.secrets), *tokens, *filter(None, [endpoint.headers])]


def _of_source(source: Source) -> list[str]:
    return [*(kept.sealed for kept in source.secrets), source.token_sealed]


def _under_others(tx: Tx, sealed: Iterable[str]) -> int:
    return sum(key_of(one) != tx.vault.key_id for one in sealed)
