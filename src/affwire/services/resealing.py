"""Every secret sealed under another master key, in the one transaction that makes the database the new key's."""

from msgspec import structs

from affwire.model.endpoints import Endpoint, SealedSecret
from affwire.services.endpoints import secret_place
from affwire.store.tx import Tx


def reseal_all(tx: Tx) -> int:
    """Seal every endpoint's secrets under the key of the transaction's vault; return how many.

    Raises Broken for one that the vault cannot open: then nothing has changed.
    """
    endpoints = tx.registry.every_endpoint()
    for endpoint in endpoints:
        tx.registry.update(_resealed(tx, endpoint))
    tx.vault.rename(tx.connection)
    return sum(len(one.secrets) + (one.bearer_token is not None) + (one.headers is not None) for one in endpoints)


def _resealed(tx: Tx, endpoint: Endpoint) -> Endpoint:
    def again(sealed: str, what: str) -> str:
        return tx.vault.reseal(sealed, secret_place(endpoint.id, what))

    def secret(kept: SealedSecret, what: str) -> SealedSecret:
        return structs.replace(kept, sealed=again(kept.sealed, what))

    return structs.replace(
        endpoint,
        secrets=[secret(kept, "secret") for kept in endpoint.secrets],
        bearer_token=secret(endpoint.bearer_token, "bearer_token") if endpoint.bearer_token else None,
        headers=again(endpoint.headers, "headers") if endpoint.headers else None,
    )
