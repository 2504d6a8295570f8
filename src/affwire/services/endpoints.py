"""Endpoints: made with a judged URL only, their secrets sealed, their waiting deliveries held, released or cancelled."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct, structs

from affwire.dialects.base import Card, Dialect, Recipient
from affwire.errors import Conflict, Refused
from affwire.model.endpoints import DELETED, Endpoint, SealedSecret
from affwire.model.inbound import Source
from affwire.model.judged import JudgedUrl
from affwire.model.registry import Organization
from affwire.model.wire import Headers
from affwire.rules import headers as names
from affwire.rules import signing
from affwire.rules.retry import overridden
from affwire.services.actions import changes, found, merged
from affwire.services.options import check_options
from affwire.store.tx import Tx

HEADERS_MAX: Final = 20
"""Headers of an endpoint's own: with the dialect's they stay within the 100 that common servers take."""
AT_ONCE: Final = 100
"""Deliveries that are cancelled in the transaction that deletes their endpoint; what is more follows in pieces."""
_OBJECTS: Final = ("policy", "options")


class Wish(Struct, frozen=True, kw_only=True):
    """What a caller wants an endpoint to be: the URL judged, secrets still in clear. UNSET: as it is, or the default."""

    url: JudgedUrl | msgspec.UnsetType = msgspec.UNSET
    secret: str | None | msgspec.UnsetType = msgspec.UNSET
    bearer_token: str | None | msgspec.UnsetType = msgspec.UNSET
    headers: Mapping[str, str | None] | None | msgspec.UnsetType = msgspec.UNSET
    fields: dict[str, Any] = {}
    """event_types, description, enabled, paused, policy, options, source_id: plain values, checked for shape at the door."""


def create(
    tx: Tx, organization: Organization, dialects: Mapping[str, Dialect], dialect_name: str, wish: Wish
) -> tuple[Endpoint, str | None]:
    """Create an endpoint; return it and, if its dialect signs, the secret: this once.

    Raises Refused("unknown_dialect") listing the known, Refused("unknown_source"), Refused for a secret or option that
    does not fit the dialect,
    Conflict("endpoint_limit") where the platform allows no further endpoint.
    """
    card = card_of(dialects, dialect_name)
    _refuse_beyond_limit(tx, organization, card)
    _check(card, wish)
    _refuse_unknown_source(tx, organization, wish)
    parts: dict[str, Any] = {name: merged({}, wish.fields[name]) for name in _OBJECTS if name in wish.fields}
    headers = _merged_headers({}, wish)
    _refuse_doubles(card, wish, headers, parts.get("options", {}))
    secret = wish.secret if wish.secret not in {None, msgspec.UNSET} else minted(tx, card)
    endpoint_id = tx.world.new_id("endpoint")
    endpoint = Endpoint(
        id=endpoint_id,
        organization_id=organization.id,
        number=tx.registry.next_number(organization.id, "endpoint"),
        url=_url(wish),
        dialect=card.name,
        secrets=[sealed(tx, endpoint_id, "secret", secret)] if isinstance(secret, str) else [],
        bearer_token=_sealed_token(tx, endpoint_id, wish),
        headers=_sealed_headers(tx, endpoint_id, headers),
        created_at=tx.now,
        updated_at=tx.now,
        **{**wish.fields, **parts},
    )
    tx.registry.insert(endpoint)
    return endpoint, secret if isinstance(secret, str) else None


def update(
    tx: Tx, organization: Organization, dialects: Mapping[str, Dialect], endpoint_id: str, wish: Wish
) -> Endpoint:
    """Change an endpoint. Pausing or disabling holds what waits, the opposite releases it. Raises NotFound, Refused."""
    endpoint = found(tx, Endpoint, organization.id, endpoint_id, lock=True)
    card = card_of(dialects, endpoint.dialect)
    _check(card, wish)
    _refuse_unknown_source(tx, organization, wish)
    changed = changes(endpoint, _merged_fields(endpoint, wish))
    if wish.fields.get("enabled") is False and endpoint.disabled_reason is not None:
        changed["enabled"] = False  # The owner makes the engine's doing their own: nothing is collected any more.
    if wish.url is not msgspec.UNSET and _url(wish) != endpoint.url:
        changed["url"] = _url(wish)
    if isinstance(wish.secret, str):
        changed["secrets"] = [sealed(tx, endpoint.id, "secret", wish.secret)]
    if wish.bearer_token is not msgspec.UNSET:
        changed["bearer_token"] = _sealed_token(tx, endpoint.id, wish)
    if wish.headers is not msgspec.UNSET or "options" in changed:
        headers = _merged_headers(own_headers(tx, endpoint), wish)
        _refuse_doubles(card, wish, headers, changed.get("options", endpoint.options))
        if wish.headers is not msgspec.UNSET:
            changed["headers"] = _sealed_headers(tx, endpoint.id, headers)
    if not changed:
        return endpoint
    if "enabled" in changed:
        changed |= {"disabled_reason": None, "disabled_at": None if changed["enabled"] else tx.now}
        tx.tell("endpoint.enabled" if changed["enabled"] else "endpoint.disabled", id=endpoint.id)
    if "secrets" in changed:
        tx.tell("secret.replaced", endpoint_id=endpoint.id)
    after = structs.replace(endpoint, updated_at=max(tx.now, endpoint.updated_at + 1), **changed)
    tx.registry.update(after)
    _follow(tx, card, endpoint, after)
    return after


def delete(tx: Tx, organization: Organization, endpoint_id: str) -> None:
    """Delete an endpoint; what waits for it is cancelled with the reason, AT_ONCE of it now. Raises NotFound."""
    endpoint = found(tx, Endpoint, organization.id, endpoint_id, lock=True)
    tx.registry.update(structs.replace(endpoint, deleted_at=tx.now, updated_at=tx.now))
    cancelling = tx.following.cancel(endpoint.id, DELETED)
    tx.following.move(cancelling, now=tx.now, limit=AT_ONCE)
    tx.wake()


def live_secrets(endpoint: Endpoint, now: int) -> list[SealedSecret]:
    """Return the secrets that sign at a time (ms), the newest first."""
    return [secret for secret in endpoint.secrets if secret.expires_at is None or secret.expires_at > now]


def recipient(tx: Tx, endpoint: Endpoint) -> tuple[Recipient, Headers]:
    """Return the endpoint with its secrets in clear, as its dialect needs it, and its owner's extra headers.

    Raises Broken for a secret that is damaged or was sealed under a key that is not here.
    """
    live = live_secrets(endpoint, tx.now)
    token = endpoint.bearer_token
    return (
        Recipient(
            endpoint_id=endpoint.id,
            url=endpoint.url,
            secrets=tuple(_open(tx, endpoint.id, "secret", secret.sealed) for secret in live),
            bearer_token=_open(tx, endpoint.id, "bearer_token", token.sealed) if token else None,
            options=endpoint.options,
        ),
        tuple(own_headers(tx, endpoint).items()),
    )


def own_headers(tx: Tx, endpoint: Endpoint) -> dict[str, str]:
    """Return the owner's extra headers in clear. Raises Broken as `recipient` does."""
    if endpoint.headers is None:
        return {}
    return msgspec.json.decode(_open(tx, endpoint.id, "headers", endpoint.headers), type=dict[str, str])


def _follow(tx: Tx, card: Card, before: Endpoint, after: Endpoint) -> None:
    """Let the deliveries that wait follow the endpoint's new state."""
    ordering_before = overridden(card.policy(), before.policy).ordering
    ordering_after = overridden(card.policy(), after.policy).ordering
    if ordering_before != ordering_after and ordering_after == "none":
        tx.following.leave_lanes(after.id)
    if ordering_before != ordering_after and ordering_after == "affiliate":
        tx.following.enter_lanes(after.id)
    if after.waits_because is not None:
        tx.following.hold(after.id, after.waits_because)
    else:  # what was parked for a fault of the endpoint goes on too: the change may have mended it
        tx.health.forgive(after.id, anew=not before.enabled)
        tx.following.release(after.id)
    tx.wake()


def _refuse_beyond_limit(tx: Tx, organization: Organization, card: Card) -> None:
    if card.endpoints_max is None or organization.unlimited_endpoints:
        return
    existing = tx.registry.find(Endpoint, organization.id, dialect=card.name)
    if len(existing) >= card.endpoints_max:
        raise Conflict(
            "endpoint_limit",
            f"{card.title} allows {card.endpoints_max} endpoint(s) per organization, and there is {existing[0].id} already; "
            "delete it, or let the operator set the organization's unlimited_endpoints.",
            existing_id=existing[0].id,
        )


def card_of(dialects: Mapping[str, Dialect], name: str) -> Card:
    """Return a dialect's card; raises Refused("unknown_dialect") listing the known."""
    if name not in dialects:
        known = sorted(dialects)
        raise Refused(
            "unknown_dialect",
            f"There is no dialect {name!r}; known are {', '.join(known)}.",
            field="dialect",
            known=known,
        )
    return dialects[name].card


def _refuse_unknown_source(tx: Tx, organization: Organization, wish: Wish) -> None:
    source_id = wish.fields.get("source_id")
    if source_id is not None and tx.registry.get(Source, organization.id, source_id) is None:
        raise Refused("unknown_source", f"There is no source {source_id} in this organization.", field="source_id")


def _check(card: Card, wish: Wish) -> None:
    if isinstance(wish.secret, str):
        _check_secret(card, wish.secret)
    if isinstance(wish.bearer_token, str) and card.authentication.kind != "bearer":
        raise Refused("no_bearer_token", f"{card.title} endpoints carry no bearer token.", field="bearer_token")
    check_options(card, wish.fields.get("options", {}))


def _refuse_doubles(card: Card, wish: Wish, headers: Mapping[str, str], options: Mapping[str, str | None]) -> None:
    """Refuse an own header beside one of its name that the dialect writes: each receiver would read another one."""
    double = names.clash(headers, card.written(options))
    if double is None:
        return
    asked = wish.headers if isinstance(wish.headers, Mapping) else {}
    if double in asked or "options" not in wish.fields:
        raise Refused("invalid_header", names.taken(double), field="headers")
    raise Refused(
        "invalid_option",
        f"The endpoint has a header {double} of its own: take that away first, or choose another name.",
        field="options",
    )


def _check_secret(card: Card, secret: str) -> None:
    if card.authentication.secret == "none":  # noqa: S105 -- the card's word for a dialect that signs nothing
        raise Refused("no_secret", f"{card.title} signs nothing, so an endpoint has no secret.", field="secret")
    wrong = signing.problem(card.authentication.secret, secret)
    if wrong:
        raise Refused("invalid_secret", f"The secret does not fit: {wrong}.", field="secret")


def minted(tx: Tx, card: Card) -> str | None:
    """Return a new secret of the dialect's form, None if it signs nothing."""
    form = card.authentication
    return None if form.secret == "none" else signing.minted(form.secret, form.secret_prefix, tx.world.secret_bytes(32))  # noqa: S105 -- as above


def _url(wish: Wish) -> str:
    if isinstance(wish.url, JudgedUrl):
        return wish.url.url
    raise Refused("url_required", "An endpoint needs a url.", field="url")


def _sealed_token(tx: Tx, endpoint_id: str, wish: Wish) -> SealedSecret | None:
    token = wish.bearer_token
    return sealed(tx, endpoint_id, "bearer_token", token) if isinstance(token, str) else None


def _sealed_headers(tx: Tx, endpoint_id: str, headers: dict[str, str]) -> str | None:
    if not headers:
        return None
    return tx.vault.seal(msgspec.json.encode(headers), secret_place(endpoint_id, "headers"))


def _merged_fields(endpoint: Endpoint, wish: Wish) -> dict[str, Any]:
    """Return the fields with policy and options merged into what the endpoint has (RFC 7396)."""
    objects: dict[str, Any] = {
        name: merged(getattr(endpoint, name), wish.fields[name]) for name in _OBJECTS if name in wish.fields
    }
    return {**wish.fields, **objects}


def _merged_headers(old: Mapping[str, str], wish: Wish) -> dict[str, str]:
    """Return the owner's headers after a wish; None for a name takes that header away, None for all takes them all."""
    if not isinstance(wish.headers, Mapping):
        return {} if wish.headers is None else dict(old)
    folded = {name.lower() for name in wish.headers}
    after = merged({name: value for name, value in old.items() if name.lower() not in folded}, wish.headers)
    if len(after) > HEADERS_MAX:
        raise Refused("too_many_headers", f"An endpoint has at most {HEADERS_MAX} headers of its own.", field="headers")
    return after


def sealed(tx: Tx, endpoint_id: str, what: str, secret: str) -> SealedSecret:
    """Return a secret as it is stored, bound to its endpoint and its use."""
    content = tx.vault.seal(secret.encode(), secret_place(endpoint_id, what))
    return SealedSecret(sealed=content, last4=secret[-4:], created_at=tx.now)


def _open(tx: Tx, endpoint_id: str, what: str, sealed: str) -> str:
    return tx.vault.open(sealed, secret_place(endpoint_id, what)).decode()


def secret_place(endpoint_id: str, what: str) -> str:
    """Return what a secret of an endpoint is bound to."""
    return f"{endpoint_id}/{what}"
