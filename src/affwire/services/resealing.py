"""Every secret sealed under another master key, in the one transaction that makes the database the new key's."""

from msgspec import structs

from affwire.model.endpoints import Endpoint, SealedSecret
from affwire.model.inbound import Source
from affwire.services import inbox
from affwire.services.endpoints import secret_place
from affwire.store.tx import Tx


def reseal_all(tx: Tx) -> int:
    """Seal the secrets of endpoints, sources and messages under the key of the transaction's vault; return how many.

    Raises Broken for one that the vault cannot open: then nothing has changed.
    """
    endpoints = tx.registry.every_endpoint()
    for endpoint in endpoints:
        tx.registry.update(_resealed(tx, endpoint))
    sources = tx.sources.every()
    for source in sources:
        tx.registry.update(_resealed_source(tx, source))
    messages = inbox.reseal(tx)
    tx.vault.rename(tx.connection)
    of_endpoints = (len(one.secrets) + (one.bearer_token is not None) + (one.headers is not None) for one in endpoints)
    return sum(of_endpoints) + sum(len(one.secrets) + 1 for one in sources) + messages


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


def _resealed_source(tx: Tx, source: Source) -> Source:
    def again(sealed: str, what: str) -> str:
        return tx.vault.reseal(sealed, secret_place(source.id, what))

    return structs.replace(
        source,
        secrets=[structs.replace(kept, sealed=again(kept.sealed, "secret")) for kept in source.secrets],
        token_sealed=again(source.token_sealed, "token"),
    )
