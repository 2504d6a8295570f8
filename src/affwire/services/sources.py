"""Sources: where platforms' webhooks come in. How a sender is known is settled before the first message arrives.

Rule: what a source takes without proof is taken because its owner said so, and its badge shows it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, structs

from affwire.dialects.base import Card, Dialect, Trust
from affwire.errors import Conflict, Refused
from affwire.model.endpoints import SealedSecret
from affwire.model.inbound import Source
from affwire.model.registry import Organization
from affwire.rules import signing
from affwire.services.actions import changes, found, merged
from affwire.services.endpoints import card_of, sealed, secret_place
from affwire.services.options import check_options
from affwire.services.organizations import digest
from affwire.services.rotation import SECRETS_MAX, until
from affwire.store.tx import Tx

TOKEN_PREFIX: Final = "awi_"  # noqa: S105 -- how an ingest token begins
TOKEN_BYTES: Final = 24
"""192 bits: whoever has the URL of an unsigned source may write to it, so it must not be guessed."""
PATH: Final = "/in/"
BEARER_TOKEN_MAX: Final = 1_024
_WHAT: Final = "secret"
_TOKEN: Final = "token"  # noqa: S105 -- the name of a place


class Badge(Struct, frozen=True):
    """How well a source's messages can be authenticated and told apart. `warning`: what that means where it is not good."""

    authenticity: str
    dedupe: str
    colour: str
    warning: str | None = None


def create(
    tx: Tx, organization: Organization, dialects: Mapping[str, Dialect], dialect_name: str, fields: Mapping[str, Any]
) -> Source:
    """Create a source. `fields`: secret, unverified, mode, match, name, options, enabled; what is left out has its default.

    Raises Refused: "unknown_dialect", "not_read", "missing_secret", "no_secret", "invalid_secret", "secret_unused",
    "unknown_option", "invalid_option".
    """
    plain = dict(fields)
    secret, options = plain.pop("secret", None), plain.pop("options", {})
    card = _readable(dialects, dialect_name)
    check_options(card, options)
    _check_trust(card, secret=secret, unverified=plain.get("unverified", False), has_secret=secret is not None)
    source_id, token = tx.world.new_id("source"), minted_token(tx)
    source = Source(
        id=source_id,
        organization_id=organization.id,
        number=tx.registry.next_number(organization.id, "source"),
        dialect=card.name,
        secrets=[] if secret is None else [sealed(tx, source_id, _WHAT, secret)],
        options=merged({}, options),
        token_digest=digest(token),
        token_sealed=_sealed_token(tx, source_id, token),
        created_at=tx.now,
        updated_at=tx.now,
        **plain,
    )
    tx.registry.insert(source)
    tx.tell("source.created", id=source.id, dialect=source.dialect, mode=source.mode)
    return source


def update(
    tx: Tx, organization: Organization, dialects: Mapping[str, Dialect], source_id: str, fields: Mapping[str, Any]
) -> Source:
    """Change a source; what is not among the fields stays. A new secret replaces all others at once.

    `unverified` true drops the secrets: nothing is verified with them any more. Raises NotFound and, as `create`, Refused.
    """
    source = found(tx, Source, organization.id, source_id, lock=True)
    card, plain = _readable(dialects, source.dialect), dict(fields)
    secret = plain.pop("secret", None)
    if "options" in plain:
        check_options(card, plain["options"])
        plain["options"] = merged(source.options, plain["options"])
    unverified = plain.get("unverified", source.unverified and secret is None)
    plain["unverified"] = unverified
    _check_trust(card, secret=secret, unverified=unverified, has_secret=bool(secret or source.secrets))
    changed = changes(source, plain)
    if secret is not None:
        changed["secrets"] = [sealed(tx, source.id, _WHAT, secret)]
        tx.tell("secret.replaced", source_id=source.id)
    elif unverified and source.secrets:
        changed["secrets"] = []
    return _changed(tx, source, changed) if changed else source


def delete(tx: Tx, organization: Organization, source_id: str) -> None:
    """Delete a source: its URL takes nothing any more. What it brought stays, and what waits is still worked off."""
    source = found(tx, Source, organization.id, source_id, lock=True)
    _changed(tx, source, {"deleted_at": tx.now})
    tx.tell("source.deleted", id=source.id)


def rotate(
    tx: Tx,
    organization: Organization,
    dialects: Mapping[str, Dialect],
    source_id: str,
    *,
    secret: str | None,
    overlap_ms: int,
    token: bool,
) -> Source:
    """Add a new secret beside the old ones, which verify until `overlap_ms` are over; with `token`, give a new ingest URL.

    The old URL takes nothing from this commit on. Raises NotFound, Refused("nothing_to_rotate"), what `create` refuses of
    a secret, and Conflict("too_many_secrets") in the midst of rotations.
    """
    source = found(tx, Source, organization.id, source_id, lock=True)
    changed: dict[str, Any] = {}
    if secret is not None:
        card = _readable(dialects, source.dialect)
        _check_trust(card, secret=secret, unverified=False, has_secret=True)
        changed = {"secrets": _rotated(tx, source, secret, tx.now + overlap_ms), "unverified": False}
        tx.tell("secret.rotated", source_id=source.id, verifying=len(changed["secrets"]), overlap_ms=overlap_ms)
    if token:
        fresh = minted_token(tx)
        changed |= {"token_digest": digest(fresh), "token_sealed": _sealed_token(tx, source.id, fresh)}
        tx.tell("source.moved", id=source.id)
    if not changed:
        raise Refused(
            "nothing_to_rotate", "Give the platform's new secret, or ask for a new ingest URL with new_url true."
        )
    return _changed(tx, source, changed)


def live_secrets(source: Source, now: int) -> list[SealedSecret]:
    """Return the secrets that verify at a time (ms), the newest first."""
    return [secret for secret in source.secrets if secret.expires_at is None or secret.expires_at > now]


def drop_expired_secrets(tx: Tx, organization_id: str) -> int:
    """Forget the secrets of an organization's sources whose rotation is over; return of how many sources."""
    dropped = 0
    for source in tx.registry.find(Source, organization_id):
        live = live_secrets(source, tx.now)
        if len(live) < len(source.secrets):
            tx.registry.update(structs.replace(source, secrets=live))
            dropped += 1
    return dropped


def trust(tx: Tx, source: Source) -> Trust:
    """Return what the source knows its sender by just now. Raises Broken for a secret that the vault cannot open."""
    return Trust(secrets=tuple(opened_secrets(tx, source)), options=source.options)


def opened_secrets(tx: Tx, source: Source) -> Sequence[str]:
    """Return the secrets that verify just now in clear, the newest first."""
    place = secret_place(source.id, _WHAT)
    return [tx.vault.open(secret.sealed, place).decode() for secret in live_secrets(source, tx.now)]


def ingest_path(tx: Tx, source: Source) -> str:
    """Return the path of the source's ingest URL, token and all: for its owner only."""
    return PATH + tx.vault.open(source.token_sealed, secret_place(source.id, _TOKEN)).decode()


def badge(card: Card | None, source: Source) -> Badge:
    """Return how well the source's messages can be authenticated and told apart; without its dialect, not at all."""
    if card is None:
        return Badge("none", "none", "red", f"The dialect {source.dialect!r} is not installed: nothing is taken.")
    dedupe = card.inbound.dedupe if card.inbound else "none"
    kind = "none" if source.unverified else card.authentication.kind
    match kind:
        case "hmac+time":
            return Badge("signed+time", dedupe, "green")
        case "hmac":
            return Badge(
                "signed", dedupe, "yellow", "The signature carries no time: what was sent once can be sent again."
            )
        case "bearer":
            return Badge("bearer", dedupe, "yellow", "A token says who sends, not that the body is unchanged.")
    if card.authentication.kind == "none":
        return Badge("none", dedupe, "red", f"{card.title} signs nothing: whoever knows the URL can send.")
    return Badge("none", dedupe, "red", "Nothing is verified: whoever knows the URL can send.")


def secret_needed(card: Card) -> bool:
    """Whether the platform authenticates its messages, so that a source without a secret has to say why."""
    return card.authentication.kind != "none"


def minted_token(tx: Tx) -> str:
    """Return a new ingest token."""
    return TOKEN_PREFIX + tx.world.secret_bytes(TOKEN_BYTES).hex()


def _sealed_token(tx: Tx, source_id: str, token: str) -> str:
    return tx.vault.seal(token.encode(), secret_place(source_id, _TOKEN))


def _changed(tx: Tx, source: Source, changed: Mapping[str, Any]) -> Source:
    """Store a changed source. Its time moves with every change: the door tells by it that what it remembers is over."""
    after = structs.replace(source, updated_at=max(tx.now, source.updated_at + 1), **changed)
    tx.registry.update(after)
    return after


def _rotated(tx: Tx, source: Source, secret: str, ends_at: int) -> list[SealedSecret]:
    old = [until(one, ends_at) for one in live_secrets(source, tx.now)]
    kept = [one for one in old if one.expires_at is None or one.expires_at > tx.now]
    if len(kept) >= SECRETS_MAX:
        raise Conflict(
            "too_many_secrets",
            f"{SECRETS_MAX} secrets of {source.id} verify already; wait until one expires, or rotate with overlap_seconds 0.",
        )
    return [sealed(tx, source.id, _WHAT, secret), *kept]


def _readable(dialects: Mapping[str, Dialect], name: str) -> Card:
    card = card_of(dialects, name)
    if card.inbound is None:
        known = sorted(one for one, dialect in dialects.items() if dialect.card.inbound)
        raise Refused(
            "not_read", f"{card.title} is only written; sources read {', '.join(known)}.", field="dialect", known=known
        )
    return card


def _check_trust(card: Card, *, secret: str | None, unverified: bool, has_secret: bool) -> None:
    if secret is not None:
        _check_secret(card, secret)
        if unverified:
            raise Refused(
                "secret_unused", "With unverified true no secret is used: give one or the other.", field=_WHAT
            )
    elif secret_needed(card) and not unverified and not has_secret:
        raise Refused(
            "missing_secret",
            f"{card.title} authenticates what it sends ({card.authentication.summary}): give its secret, or say "
            "unverified true and take whatever comes.",
            field=_WHAT,
        )


def _check_secret(card: Card, secret: str) -> None:
    form = card.authentication
    if form.kind == "none":
        raise Refused("no_secret", f"{card.title} signs nothing, so a source has no secret.", field=_WHAT)
    wrong = _token_problem(secret) if form.kind == "bearer" else signing.problem(form.secret, secret)
    if wrong:
        raise Refused("invalid_secret", f"The secret does not fit: {wrong}.", field=_WHAT)


def _token_problem(token: str) -> str | None:
    """RFC 6750, 2.1: a bearer token is printable ASCII without spaces."""
    fits = token.isascii() and token.isprintable() and " " not in token and 0 < len(token) <= BEARER_TOKEN_MAX
    return (
        None if fits else f"a bearer token is printable ASCII without spaces, of at most {BEARER_TOKEN_MAX} characters"
    )
