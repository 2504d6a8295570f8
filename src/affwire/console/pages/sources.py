"""Sources: where platforms' webhooks come in. The list, a new one, and one of them: its URL, what it trusts, what it brought."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from starlette.responses import Response

from affwire.console import forms
from affwire.console.forms import Field, Form
from affwire.console.listing import Badge, Column, Listing, Loaded, Query, Tone, cut
from affwire.console.pages import inbox
from affwire.console.routes import Action, Nav, Page, Route
from affwire.console.visit import Visit
from affwire.dialects.base import Card
from affwire.errors import Refused
from affwire.model.inbound import Source
from affwire.services import organizations, sources
from affwire.services.actions import found
from affwire.store.tx import Tx

PATH: Final = "/sources"
_ONE: Final = f"{PATH}/{{source_id}}"
_OPTION: Final = "option-"
OVERLAPS: Final = (("86400", "a day"), ("3600", "an hour"), ("604800", "7 days"), ("0", "not at all"))
"""Seconds for which the old secrets verify beside a new one."""
LATEST: Final = 10
"""Messages that a source's page shows."""
_TONES: Final[Mapping[str, Tone]] = {"green": "good", "yellow": "warn", "red": "bad"}
AUTHENTICITY: Final = {
    "signed+time": "Signed with a time: a message is its platform's, whole, and new.",
    "signed": "Signed: a message is its platform's, and whole.",
    "bearer": "A token: whoever knows it sent the message.",
    "none": "Nothing proves who sent a message.",
}
DEDUPE: Final = {
    "id": "Each message has an id: a repeat is known for certain.",
    "derived": "A repeat is known by what it says: its record, its time and its word together.",
    "none": "A repeat cannot be told from news.",
}
_MODES: Final = (("mirror", "Mirror: it keeps this registry up to date"), ("relay", "Relay: it is only passed on"))
_MATCHES: Final = (("email", "by the platform's id, else by e-mail"), ("id", "only by the platform's id"))


class Row(Struct, frozen=True):
    """A source, what it is worth, and how many of its messages nobody could carry out."""

    source: Source
    badge: sources.Badge
    parked: int

    @property
    def path(self) -> str:
        """Where its page is."""
        return f"{PATH}/{self.source.id}"


def state(source: Source) -> Badge:
    """Return how a source stands."""
    if not source.enabled:
        return Badge("disabled", "warn")
    if source.last_message_at is None:
        return Badge("waiting", "info")
    return Badge("silent", "bad") if source.silent_since is not None else Badge("listening", "good")


def called(visit: Visit, source: Source) -> str:
    """Return what a source is called: by its owner's name for it, else by its platform."""
    card = _card(visit, source.dialect)
    return source.name or (card.title if card else source.dialect)


def load(visit: Visit, tx: Tx, query: Query) -> Loaded:
    """Return a page of sources; there are few."""
    every = sorted(tx.registry.find(Source, visit.organization_id), key=lambda one: one.number)
    if not query.oldest:
        every.reverse()
    place = query.place
    behind = [one for one in every if place is None or (one.number > place if query.oldest else one.number < place)]
    rows = [
        Row(one, sources.badge(_card(visit, one.dialect), one), tx.inbox.parked(one.id)[0])
        for one in behind[: query.limit + 1]
    ]
    return cut(rows, query.limit, lambda row: row.source.number)


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return a source; its URL only for who may paste it. Raises NotFound."""
    source = _found(visit, tx)
    card = _card(visit, source.dialect)
    messages = inbox.of_source(tx, visit.organization_id, source.id, LATEST)
    badge = sources.badge(card, source)
    return {
        "title": called(visit, source),
        "source": source,
        "state": state(source),
        "path": f"{PATH}/{source.id}",
        "card": card,
        "ingest_url": visit.public_url + sources.ingest_path(tx, source) if visit.may("admin") else None,
        "badge": badge,
        "tone": _TONES.get(badge.colour, "calm"),
        "authenticity": AUTHENTICITY.get(badge.authenticity, ""),
        "dedupe": DEDUPE.get(badge.dedupe, ""),
        "secrets": sources.live_secrets(source, tx.now),
        "overlaps": OVERLAPS,
        "parked": tx.inbox.parked(source.id)[0],
        "listing": inbox.LISTING,
        "columns": inbox.BRIEF,
        "rows": messages,
        "live_from": tx.inbox.last_position(),
    }


def new(visit: Visit, tx: Tx) -> Mapping[str, Any]:  # noqa: ARG001 -- a view
    """Return the platforms to choose from; or, one chosen, the form of its source. Raises Refused."""
    name = visit.asked("dialect")
    if name is None:
        cards = [one.card for one in visit.desk.dialects.values() if one.card.inbound]
        return {"title": "New source", "cards": cards, "card": None, "worth_of": _worth}
    card = _readable(visit, name)
    return _filled(f"New source: {card.title}", card, Form.of(_fields(card, new=True)), PATH, f"{PATH}/new")


async def create(visit: Visit) -> Response:
    """Create a source, and show its URL; the form again, if something is not right."""
    card = _readable(visit, visit.sent("dialect"))
    form = Form.sent(_fields(card, new=True), visit.sent)
    if not form.faults:
        wish = _wish(form)
        wish["options"] = {name: value for name, value in wish.get("options", {}).items() if value}
        try:
            made = await visit.run(
                lambda tx: sources.create(tx, _organization(visit, tx), visit.desk.dialects, card.name, wish)
            )
        except Refused as error:
            form = form.refused(error.facts.get("field"), error.sentence)
        else:
            return visit.go(f"{PATH}/{made.id}", "Created. Paste its URL at the platform; its first message shows here.")
    context = _filled(f"New source: {card.title}", card, form, PATH, f"{PATH}/new")
    return visit.show("sources/edit.html", context, 422)


def edit(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return the form of a source. Raises NotFound."""
    source = _found(visit, tx)
    card, path = _readable(visit, source.dialect), f"{PATH}/{source.id}"
    options = {f"{_OPTION}{name}": value for name, value in source.options.items()}
    form = Form.of(_fields(card, new=False), source, **options)
    return _filled(f"Edit {called(visit, source)}", card, form, f"{path}/edit", path)


async def update(visit: Visit) -> Response:
    """Change a source; the form again, if something is not right. Raises NotFound."""
    source = await visit.read(lambda tx: _found(visit, tx))
    card, path = _readable(visit, source.dialect), f"{PATH}/{source.id}"
    form = Form.sent(_fields(card, new=False), visit.sent)
    if not form.faults:
        try:
            await _change(visit, source.id, _wish(form))
        except Refused as error:
            form = form.refused(error.facts.get("field"), error.sentence)
        else:
            return visit.go(path, "Saved.")
    return visit.show("sources/edit.html", _filled(f"Edit {called(visit, source)}", card, form, f"{path}/edit", path), 422)


async def enable(visit: Visit) -> Response:
    """Have a source take messages again."""
    await _change(visit, visit.path["source_id"], {"enabled": True})
    return visit.go(f"{PATH}/{visit.path['source_id']}", "It takes messages again.")


async def disable(visit: Visit) -> Response:
    """Ask, and then have a source take nothing. Raises NotFound."""
    source = await visit.read(lambda tx: _found(visit, tx))
    if visit.sent("confirmed"):
        await _change(visit, source.id, {"enabled": False})
        return visit.go(f"{PATH}/{source.id}", "It takes nothing now.")
    facts = [
        "What the platform sends is answered with 403 and not kept. Most platforms try again for a while, and then give up.",
        "Enabled again, it goes on with the same URL and secrets.",
    ]
    return _asked(visit, source, f"Disable {called(visit, source)}?", facts, "disable", "Disable it")


async def move(visit: Visit) -> Response:
    """Ask, and then give a source a new URL. Raises NotFound."""
    source = await visit.read(lambda tx: _found(visit, tx))
    if visit.sent("confirmed"):
        await _rotate(visit, source.id, secret=None, overlap_ms=0, token=True)
        return visit.go(f"{PATH}/{source.id}", "It has a new URL: paste it at the platform.")
    facts = [
        "The URL it has now takes nothing from that moment on: what the platform sends there is lost unless it tries again.",
        "Paste the new URL at the platform at once.",
    ]
    return _asked(visit, source, f"A new URL for {called(visit, source)}?", facts, "move", "Give it a new URL")


async def rotate(visit: Visit) -> Response:
    """Add the platform's new secret beside the old ones. Raises NotFound, Refused, Conflict."""
    secret, overlap = visit.sent("secret"), visit.sent("overlap")
    if not secret:
        raise Refused("invalid_secret", "There is no secret in the field; copy it from the platform.", field="secret")
    if overlap not in dict(OVERLAPS):
        raise Refused("invalid_overlap", "Choose how long the old secrets still verify.")
    await _rotate(visit, visit.path["source_id"], secret=secret, overlap_ms=int(overlap) * 1_000, token=False)
    return visit.go(f"{PATH}/{visit.path['source_id']}", "The new secret verifies from now on.")


async def delete(visit: Visit) -> Response:
    """Ask, and then delete a source. Raises NotFound."""
    source = await visit.read(lambda tx: _found(visit, tx))
    if visit.sent("confirmed"):
        await visit.run(lambda tx: sources.delete(tx, _organization(visit, tx), source.id))
        return visit.go(PATH, f"{called(visit, source)} is deleted.")
    facts = [
        f"Its URL is unknown at once. The {source.seen:,} {'message' if source.seen == 1 else 'messages'} it brought stay.",
        "This cannot be undone.",
    ]
    return _asked(visit, source, f"Delete {called(visit, source)}?", facts, "delete", "Delete the source")


def _fields(card: Card, *, new: bool) -> tuple[Field, ...]:
    """Return what is asked of a source of this dialect."""
    fields = [
        Field("name", "Name", hint="For you; without one it is called after its platform.", part="What it is"),
        Field("mode", "What it does", "choice", required=True, choices=_given(_MODES), part="What it is"),
        Field("match", "Finds affiliates", "choice", required=True, choices=_given(_MATCHES), part="What it is"),
    ]
    if sources.secret_needed(card):
        hint = card.authentication.summary if new else "Given here, it replaces all others at once; empty, they stay."
        fields.append(Field("secret", _secret_title(card), "secret", hint, part="How it is known"))
        none = "Take whatever comes, without any proof"
        fields.append(Field("unverified", none, "check", "The secrets are forgotten.", part="How it is known"))
    fields += [
        Field(
            f"{_OPTION}{name}",
            name.replace("_", " ").capitalize(),
            "choice" if option.choices else "line",
            f"{option.meaning} Else: {option.default}.",
            choices=_given([(one, one) for one in option.choices]) if option.choices else None,
            part="How it is known",
        )
        for name, option in card.options.items()
    ]
    return tuple(fields)


def _given(choices: Sequence[tuple[str, str]]) -> Callable[[], Sequence[tuple[str, str]]]:
    return lambda: choices


def _wish(form: Form) -> dict[str, Any]:
    """Return what the form asks for; a secret left empty is not touched, and an option takes its default."""
    values = dict(form.values)
    options = {name.removeprefix(_OPTION): values.pop(name) for name in list(values) if name.startswith(_OPTION)}
    wish = {name: value for name, value in values.items() if name != "secret" or value}
    return {**wish, "options": options} if options else wish


def _secret_title(card: Card) -> str:
    return "The platform's bearer token" if card.authentication.kind == "bearer" else "The platform's secret"


def _filled(title: str, card: Card, form: Form, action: str, back: str) -> dict[str, Any]:
    return {"title": title, "card": card, "form": form, "action": action, "back": back}


def _asked(visit: Visit, source: Source, title: str, facts: Sequence[str], act: str, button: str) -> Response:
    path = f"{PATH}/{source.id}"
    context = {"title": title, "facts": facts, "fields": (), "action": f"{path}/{act}", "button": button}
    return visit.show("confirm.html", {**context, "can": True, "back": path})


async def _change(visit: Visit, source_id: str, wish: Mapping[str, Any]) -> None:
    await visit.run(lambda tx: sources.update(tx, _organization(visit, tx), visit.desk.dialects, source_id, wish))


async def _rotate(visit: Visit, source_id: str, **wish: Any) -> None:
    await visit.run(lambda tx: sources.rotate(tx, _organization(visit, tx), visit.desk.dialects, source_id, **wish))


def _organization(visit: Visit, tx: Tx) -> Any:
    return organizations.get(tx, visit.organization_id)


def _found(visit: Visit, tx: Tx) -> Source:
    return found(tx, Source, visit.organization_id, visit.path["source_id"])


def _card(visit: Visit, name: str) -> Card | None:
    dialect = visit.desk.dialects.get(name)
    return dialect.card if dialect else None


def _readable(visit: Visit, name: str) -> Card:
    card = _card(visit, name)
    if card is None or card.inbound is None:
        raise Refused("not_read", "No source can speak that: choose one of the platforms.", field="dialect")
    return card


def _worth(card: Card) -> tuple[Badge, Badge]:
    """Return what a source of a platform is worth at best: how its messages are authenticated, and told apart."""
    kind = {"hmac+time": ("signed+time", "good"), "hmac": ("signed", "warn"), "bearer": ("bearer", "warn")}
    text, tone = kind.get(card.authentication.kind, ("no proof", "bad"))
    dedupe = card.inbound.dedupe if card.inbound else "none"
    proof: Any = tone
    return Badge(text, proof), Badge(f"dedupe: {dedupe}", "good" if dedupe == "id" else "warn")


LISTING: Final = Listing(
    path=PATH,
    title="Sources",
    one="source",
    columns=(
        Column("state", "State", lambda row: state(row.source), "badge"),
        Column("name", "Source", lambda row: row.source.name or row.source.dialect, href=lambda row: row.path),
        Column("dialect", "Platform", lambda row: row.source.dialect),
        Column("mode", "Mode", lambda row: row.source.mode, first=False),
        Column(
            "authenticity",
            "Proof",
            lambda row: Badge(row.badge.authenticity, _TONES.get(row.badge.colour, "calm")),
            "badge",
        ),
        Column("dedupe", "Dedupe", lambda row: row.badge.dedupe, first=False),
        Column("seen", "Messages", lambda row: row.source.seen, "number"),
        Column("parked", "Parked", lambda row: row.parked, "number"),
        Column("last_message_at", "Last message", lambda row: row.source.last_message_at, "ago"),
        Column("created_at", "Made", lambda row: row.source.created_at, "time", first=False, chosen=False),
        Column("id", "Id", lambda row: row.source.id, "id", first=False),
    ),
    load=load,
    row_id=lambda row: row.source.id,
    row_path=lambda row: row.path,
    empty=(
        "No source yet: a source is a URL that a platform sends its webhooks to. This makes one, as New source does:",
        "affwire sources create growi",
    ),
    template="sources/list.html",
)

NAV: Final = (Nav("Wire", "Sources", PATH),)
ROUTES: Final[tuple[Route, ...]] = (
    *LISTING.routes(),
    Page(f"{PATH}/new", "sources/edit.html", new, scope="admin"),
    Action(PATH, create, scope="admin"),
    Page(_ONE, "sources/page.html", view),
    Page(f"{_ONE}/edit", "sources/edit.html", edit, scope="admin"),
    Action(f"{_ONE}/edit", update, scope="admin"),
    Action(f"{_ONE}/rotate", rotate, scope="admin"),
    Action(f"{_ONE}/enable", enable, scope="admin"),
    Action(f"{_ONE}/disable", disable, scope="admin"),
    Action(f"{_ONE}/move", move, scope="admin"),
    Action(f"{_ONE}/delete", delete, scope="admin"),
)
