"""The playground: whose a pasted body is, what it means, how others would say it; and the mistake in a signature.

Rule: nothing that is pasted is kept.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, structs
from starlette.responses import Response

from affwire.console import bodies, pasted
from affwire.console.pages.message import facts_of
from affwire.console.routes import Action, Nav, Page, Route
from affwire.console.scratch import Receiver
from affwire.console.security import form_token
from affwire.console.visit import Visit
from affwire.dialects import accounting, explaining
from affwire.dialects.base import Dialect, Trust, load_samples
from affwire.dialects.converting import convert
from affwire.dialects.explaining import Case, Verdict
from affwire.dialects.recognising import Guess, recognised
from affwire.errors import NotFound, Refused, Undecodable, Unencodable
from affwire.model.inbound import Kept, Source
from affwire.model.reading import Reading
from affwire.model.wire import Headers, Message
from affwire.rules.signing import SECRET_MAX
from affwire.services import credentials, inbox, sources
from affwire.store.tx import Tx

PATH: Final = "/playground"
SIGNATURE: Final = f"{PATH}/signature"
RECEIVER: Final = f"{PATH}/receiver"
_TOKEN_CHARACTERS: Final = 32
"""128 bits of a receiver's name: whoever knows it can send to it, and see nothing."""


class Converted(Struct, frozen=True):
    """A message as another platform would say it, or why it says nothing. `title`: the platform's."""

    title: str
    name: str
    sayings: Sequence[str] = ()
    reason: str | None = None
    lost: Sequence[Mapping[str, Any]] = ()
    made_up: Sequence[Mapping[str, Any]] = ()


def tabs(visit: Visit, path: str) -> list[tuple[str, str, bool]]:
    """Return the playground's parts, and which of them this one is."""
    parts = (("Read and convert", PATH), ("Signature", SIGNATURE), ("Receiver", RECEIVER))
    return [(title, visit.url(one), one == path) for title, one in parts]


def receiver_of(visit: Visit) -> Receiver:
    """Return the session's own scratch receiver."""
    return visit.desk.scratch.open(form_token(visit.token, "play")[:_TOKEN_CHARACTERS])


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:  # noqa: ARG001 -- a view
    """Return the form, with a dialect's sample in it if one is asked for. Raises NotFound."""
    name = visit.asked("sample")
    if name is None:
        return _page(visit)
    samples = load_samples(type(_dialect(visit, name)).__module__)
    return _page(visit, dialect=name, body=bodies.shown(next(iter(samples.values()))).text)


async def read(visit: Visit) -> Response:
    """Show what a pasted body is, what it means, and how others would say it."""
    head, body, name = visit.sent("headers"), visit.sent("body"), visit.sent("dialect")
    page = _page(visit, dialect=name, body=body, headers=head)
    try:
        message = pasted.messages(head, body)[0]
        guesses = _guesses(visit, message, name)
        found = _found(visit, guesses, message)
    except (Refused, Undecodable) as error:
        return visit.show("playground/page.html", {**page, "fault": error.sentence}, 422)
    return visit.show("playground/page.html", {**page, **found})


def _page(visit: Visit, *, dialect: str = "", body: str = "", headers: str = "") -> dict[str, Any]:
    readable = [one.card for one in visit.desk.dialects.values() if one.card.inbound]
    return {
        "title": "Playground",
        "tabs": tabs(visit, PATH),
        "cards": readable,
        "dialect": dialect,
        "body": body,
        "headers": headers,
        "fault": None,
        "guess": None,
    }


def _guesses(visit: Visit, message: Message, name: str) -> list[Guess]:
    """Return the dialects that the message may be of, the named one alone if one is named. Raises Undecodable."""
    if not name:
        return recognised(visit.desk.dialects.values(), message)
    dialect = _dialect(visit, name)
    dialect.identify(message)
    return [Guess(dialect, dialect.decode(message))]


def _found(visit: Visit, guesses: Sequence[Guess], message: Message) -> dict[str, Any]:
    if not guesses:
        raise Undecodable("not_recognised", "No platform known here sends such a message. Is all of the body there?")
    guess, *others = guesses
    reading: Reading = guess.reading
    now = visit.desk.world.now()
    targets = [one for one in visit.desk.dialects.values() if one is not guess.dialect]
    return {
        "guess": guess.dialect.card,
        "others": [one.dialect.card.title for one in others if one.reading.events],
        "word": reading.word,
        "events": reading.events,
        "facts": facts_of(reading),
        "unread": reading.unread,
        "converted": [_converted(guess.dialect, target, message.body, now) for target in targets],
        "said": accounting.said,
    }


def _converted(source: Dialect, target: Dialect, body: bytes, now: int) -> Converted:
    card = target.card
    try:
        done = convert(source, target, body, now)
    except (Undecodable, Unencodable, Refused) as error:
        return Converted(card.title, card.name, reason=error.sentence)
    return Converted(
        card.title,
        card.name,
        [bodies.shown(one).text for one in done.sayings],
        done.reason,
        accounting.lost(done, target),
        accounting.made_up(done),
    )


def signature(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return the form; in it a message of the inbox, or a request of the receiver's. Raises NotFound, Forbidden."""
    message_id = visit.asked("message")
    if message_id is None:
        return _debugger(visit, dialect=visit.asked("dialect") or "", **_received(visit))
    visit.check("admin")
    kept = inbox.get(tx, visit.organization_id, message_id)
    body = (kept.body or b"").decode("utf-8", "replace")
    return _debugger(visit, kept=kept, dialect=kept.dialect, headers=_lines(kept.headers), body=body)


async def explain(visit: Visit) -> Response:
    """Name the mistake in a signature: of what was pasted, or of a message of the inbox."""
    message_id, head, body = visit.sent("message"), visit.sent("headers"), visit.sent("body")
    page = _debugger(visit, dialect=visit.sent("dialect"), headers=head, body=body)
    try:
        if message_id:
            visit.check("admin")
            kept, cases = await visit.read(lambda tx: _kept_case(visit, tx, message_id))
            page = _debugger(visit, kept=kept, dialect=kept.dialect, headers=head, body=body)
        else:
            cases = _pasted_cases(visit, head, body)
        async with visit.desk.searching:
            verdict, one = await asyncio.to_thread(_judged, cases, list(visit.desk.dialects.values()))
        verdict = _honest(verdict, _left_out(visit, one, body, kept=bool(message_id)))
    except Refused as error:
        return visit.show("playground/signature.html", {**page, "fault": error.sentence}, 422)
    return visit.show("playground/signature.html", {**page, "verdict": verdict})


def _received(visit: Visit) -> dict[str, Any]:
    """Return a request that the session's receiver took, as texts; nothing if none is asked for or it is forgotten."""
    number = visit.asked("request")
    taken = next((one for one in receiver_of(visit).taken if str(one.number) == number), None)
    if taken is None:
        return {}
    return {"headers": _lines(taken.headers), "body": taken.body.decode("utf-8", "replace")}


def _debugger(
    visit: Visit, *, dialect: str = "", headers: str = "", body: str = "", kept: Kept | None = None
) -> dict[str, Any]:
    cards = [one.card for one in visit.desk.dialects.values() if one.card.inbound]
    return {
        "title": "Playground",
        "tabs": tabs(visit, SIGNATURE),
        "cards": [card for card in cards if card.authentication.kind != "none"],
        "dialect": dialect,
        "headers": headers,
        "body": body,
        "kept": kept,
        "fault": None,
        "verdict": None,
        "secret_max": SECRET_MAX,
    }


def _judged(cases: Sequence[Case], dialects: Sequence[Dialect]) -> tuple[Verdict, Case]:
    """Return the verdict on the first case that is genuine, else what is wrong with the likeliest one; and the case."""
    for one in cases:
        if (verdict := explaining.verify(one)).genuine:
            return verdict, one
    likeliest = next((one for one in cases if all(each == each.strip() for each in one.trust.secrets)), cases[0])
    return explaining.explain(likeliest, dialects), likeliest


def _left_out(visit: Visit, one: Case, body: str, *, kept: bool) -> list[str]:
    """Return what was judged otherwise than it was typed."""
    typed = visit.sent("secret")
    trimmed = bool(typed.strip()) and typed not in one.trust.secrets
    of_body = None if kept else pasted.trimmed(body, one.message.body)
    return [*([of_body] if of_body else []), *(["the secret without the blanks around it"] if trimmed else [])]


def _honest(verdict: Verdict, left_out: Sequence[str]) -> Verdict:
    """Return a verdict that says of what it is, where that is not to the letter what was typed."""
    if not left_out:
        return verdict
    said = f"This is of {' and '.join(left_out)}"
    mend = f"{said}: not to the letter of what was pasted, which is not genuine." if verdict.genuine else f"{said}."
    return structs.replace(verdict, mend=" ".join(filter(None, (verdict.mend, mend))))


def _secrets(typed: str) -> list[str]:
    """Return what a typed secret may be: as it is typed, and without the blanks that a copy brought along."""
    return list(dict.fromkeys((typed, typed.strip())))


def _pasted_cases(visit: Visit, head: str, body: str) -> list[Case]:
    dialect, secret = _dialect(visit, visit.sent("dialect")), visit.sent("secret")
    if not secret.strip():
        raise Refused("no_secret_given", "There is no secret: paste the one that the receiver has. It is not kept.")
    messages, now = pasted.messages(head, body), visit.desk.world.now()
    if not messages[0].headers:
        raise Refused("no_header_given", f"There is no header: {dialect.card.title} authenticates by headers.")
    return [Case(dialect, one, Trust(secrets=(each,)), now) for each in _secrets(secret) for one in messages]


def _kept_case(visit: Visit, tx: Tx, message_id: str) -> tuple[Kept, list[Case]]:
    """Return a message of the inbox, and the case it is, with the secret typed or those of its source. Raises Refused."""
    kept = inbox.get(tx, visit.organization_id, message_id)
    stored = tx.inbox.get(visit.organization_id, message_id)
    source = tx.registry.get_even_deleted(Source, visit.organization_id, kept.source_id)
    if stored is None or source is None or kept.body is None:
        raise NotFound("message_erased", f"What {message_id} said is not here any more.")
    if kept.size > pasted.BODY_MAX:
        raise Refused("body_too_large", "It is too large to look for mistakes in here; affwire explain-signature does.")
    trust, typed = sources.trust(tx, source), visit.sent("secret")
    message = Message(headers=credentials.opened_headers(tx, stored), body=kept.body)
    trusts = [structs.replace(trust, secrets=(one,)) for one in _secrets(typed)] if typed.strip() else [trust]
    return kept, [Case(_dialect(visit, kept.dialect), message, one, kept.received_at) for one in trusts]


def _lines(headers: Headers) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers)


def _dialect(visit: Visit, name: str) -> Dialect:
    found = visit.desk.dialects.get(name)
    if found is None or found.card.inbound is None:
        said = f"There is no platform {name!r} here." if name else "Choose one of the platforms."
        raise NotFound("unknown_dialect", said)
    return found


NAV: Final = (Nav("Wire", "Playground", PATH),)
ROUTES: Final[tuple[Route, ...]] = (
    Page(PATH, "playground/page.html", view),
    Action(PATH, read, scope="read"),
    Page(SIGNATURE, "playground/signature.html", signature),
    Action(SIGNATURE, explain, scope="read"),
)
