"""Records as JSON objects, as the API and the files of the console show them: one shape of each, and no secret in any."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import structs

from affwire.dialects.base import Dialect
from affwire.model import canonical, mailed, objects
from affwire.model.canonical import timed
from affwire.model.endpoints import Endpoint, SealedSecret
from affwire.model.inbound import Kept, Source
from affwire.model.jobs import Job
from affwire.model.mail import Mail, MailAttempt
from affwire.model.times import rfc3339
from affwire.rules.retry import overridden
from affwire.services import endpoints, jobs, sources
from affwire.services.journal import MASK, kept_body
from affwire.services.mail import Shown
from affwire.store.keys import ApiKey
from affwire.store.tx import Tx

SEALED: Final = frozenset({"secrets", "bearer_token", "headers", "deleted_at"})
"""Fields of an endpoint that nobody is shown as they are stored."""
NOT_THE_OWNERS: Final = frozenset({"gone_disables"})
"""Parts of a policy that are the dialect's rule, not an owner's to change."""
MOVING: Final = ("seen", "last_message_at", "gap_ms", "silent_since")
"""What every message moves: a source's tag leaves it out, or nobody could change a busy source."""


def endpoint(tx: Tx, dialects: Mapping[str, Dialect], one: Endpoint) -> dict[str, Any]:
    """Return an endpoint with the policy in force; of secrets the last 4 characters."""
    plain = {name: value for name, value in canonical.record(one).items() if name not in SEALED}
    policy = {"policy": _policy(dialects.get(one.dialect), one), "policy_overrides": one.policy}
    return {**plain, **_secrets(tx, one), **policy}


def source(tx: Tx, dialects: Mapping[str, Dialect], one: Source, *, base: str | None) -> objects.Source:
    """Return a source; of secrets the last 4 characters.

    `base`: what its ingest URL begins with, None where it is not to be shown: it lets in whoever knows it.
    """
    dialect = dialects.get(one.dialect)
    inbound = dialect.card.inbound if dialect else None
    badge: Any = structs.asdict(sources.badge(dialect.card if dialect else None, one))
    return {
        "id": one.id,
        "organization_id": one.organization_id,
        "number": one.number,
        "name": one.name,
        "dialect": one.dialect,
        "mode": one.mode,
        "match": one.match,
        "unverified": one.unverified,
        "enabled": one.enabled,
        "options": one.options,
        "secret_last4": one.secrets[0].last4 if one.secrets else None,
        "secrets": [_secret(each) for each in sources.live_secrets(one, tx.now)],
        "ingest_url": None if base is None else base + sources.ingest_path(tx, one),
        "paste": inbound.paste if inbound else None,
        "badge": badge,
        "seen": one.seen,
        "last_message_at": _time(one.last_message_at),
        "gap_ms": one.gap_ms,
        "silent_since": _time(one.silent_since),
        "created_at": rfc3339(one.created_at),
        "updated_at": rfc3339(one.updated_at),
    }


def settings(seen: objects.Source) -> dict[str, Any]:
    """Return what its owner has set of a source: all that its tag depends on."""
    return {name: value for name, value in seen.items() if name not in MOVING}


def message(one: Kept) -> objects.Message:
    """Return a message without what it says."""
    return {
        "id": one.id,
        "organization_id": one.organization_id,
        "source_id": one.source_id,
        "dialect": one.dialect,
        "word": one.word,
        "dedupe_key": one.dedupe_key,
        "status": one.status,
        "reason": one.reason,
        "size": one.size,
        "received_at": rfc3339(one.received_at),
        "occurred_at": _time(one.occurred_at),
        "settled_at": _time(one.settled_at),
        "affiliate_id": one.affiliate_id,
        "events": one.events,
        "hops": one.hops,
    }


def message_in_full(one: Kept) -> objects.MessageInFull:
    """Return a message with headers and body; credentials in headers are masked."""
    kept = None if one.body is None else kept_body(one.body)
    return {
        **message(one),
        "headers": list(one.headers),
        "body": kept and kept["body"],
        "body_base64": bool(kept and kept["body_base64"]),
    }


def job(one: Job) -> objects.Job:
    """Return a job and how far it is."""
    wish = {name: value for name, value in one.request.items() if name not in jobs.UNSHOWN}
    asked: Any = {name: timed(f"{name}_at", value) for name, value in wish.items()}
    return {
        "id": one.id,
        "kind": one.kind,
        "status": one.status,
        "request": asked,
        "total": one.total,
        "done": one.done,
        "skipped": one.skipped,
        "reason": one.reason,
        "created_at": rfc3339(one.created_at),
        "updated_at": rfc3339(one.updated_at),
        "finished_at": _time(one.finished_at),
    }


def mail(one: Mail) -> mailed.Mail:
    """Return a mail without its words."""
    return {
        "id": one.id,
        "kind": one.kind,
        "status": one.status,
        "reason": one.reason,
        "affiliate_id": one.affiliate_id,
        "program_id": one.program_id,
        "address": one.address,
        "attempts_made": one.attempts,
        "due_at": rfc3339(one.due_at) if one.status == "unsent" else None,
        "created_at": rfc3339(one.created_at),
        "written_at": rfc3339(one.written_at),
        "settled_at": _time(one.settled_at),
    }


def mail_in_full(one: Shown) -> mailed.MailInFull:
    """Return a mail with its words, its tries and its link."""
    letter = one.letter
    return {
        **mail(one.mail),
        "subject": letter.subject if letter else None,
        "text": letter.text if letter else None,
        "link": one.link,
        "link_expires_at": _time(one.link_expires_at),
        "attempts": [_attempt(each) for each in one.attempts],
    }


def key(one: ApiKey) -> objects.Key:
    """Return an API key's record; of the key the last 4 characters."""
    return {
        "id": one.id,
        "organization_id": one.organization_id,
        "name": one.name,
        "scope": one.scope,
        "last4": one.last4,
        "created_at": rfc3339(one.created_at),
        "expires_at": _time(one.expires_at),
        "last_used_at": _time(one.last_used_at),
    }


def _secrets(tx: Tx, one: Endpoint) -> objects.EndpointSecrets:
    return {
        "secret_last4": one.secrets[0].last4 if one.secrets else None,
        "secrets": [_secret(each) for each in endpoints.live_secrets(one, tx.now)],
        "bearer_token_last4": one.bearer_token.last4 if one.bearer_token else None,
        "headers": dict.fromkeys(endpoints.own_headers(tx, one), MASK),
    }


def _secret(one: SealedSecret) -> objects.Secret:
    return {"last4": one.last4, "created_at": rfc3339(one.created_at), "expires_at": _time(one.expires_at)}


def _policy(dialect: Dialect | None, one: Endpoint) -> dict[str, Any]:
    """Return the policy in force; only the endpoint's own parts while its dialect is not installed."""
    if dialect is None:
        return one.policy
    policy = structs.asdict(overridden(dialect.card.policy(), one.policy))
    return {name: part for name, part in policy.items() if name not in NOT_THE_OWNERS}


def _attempt(one: MailAttempt) -> mailed.MailAttempt:
    return {
        "number": one.number,
        "started_at": rfc3339(one.started_at),
        "ended_at": rfc3339(one.ended_at),
        "outcome": one.outcome,
        "status_code": one.status_code,
        "error": one.error,
        "detail": one.detail,
    }


def _time(at: int | None) -> str | None:
    return None if at is None else rfc3339(at)
