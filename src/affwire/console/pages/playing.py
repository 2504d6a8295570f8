"""The scratch receiver of a session: its URL, what it answers, what it was sent, and whether that is signed as it must be."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from starlette.responses import Response

from affwire.console import bodies
from affwire.console.listing import Badge, Column, Listing, Live, Loaded, Query, Tone, cut
from affwire.console.pages.playground import RECEIVER, receiver_of, tabs
from affwire.console.routes import Action, Page, Route
from affwire.console.scratch import REQUESTS_MAX, SCRIPTS, Receiver, Taken
from affwire.console.visit import Visit
from affwire.dialects.base import Trust
from affwire.errors import NotGenuine, Refused, Undecodable
from affwire.model.endpoints import Endpoint
from affwire.services import endpoints, inbox, organizations
from affwire.services.endpoints import Wish
from affwire.store.tx import Tx

_ONE: Final = f"{RECEIVER}/request"
_SCHEDULE: Final = (2, 5, 10, 30)
"""Seconds between tries to a scratch receiver: somebody watches."""
_CLASSES: Final[Mapping[int, Tone]] = {2: "good", 3: "warn", 4: "bad", 5: "bad"}


class Row(Struct, frozen=True):
    """A request, and what its signature is worth; None: it is not judged."""

    taken: Taken
    word: str | None
    verdict: Badge | None
    doubt: str | None = None

    @property
    def path(self) -> str:
        """Where its page is."""
        return f"{_ONE}?number={self.taken.number}"


def load(visit: Visit, tx: Tx, query: Query) -> Loaded:
    """Return a page of the requests that came."""
    receiver = receiver_of(visit)
    every = sorted(receiver.taken, key=lambda one: one.number, reverse=not query.oldest)
    place = query.place
    behind = [one for one in every if place is None or (one.number > place if query.oldest else one.number < place)]
    return cut(_rows(visit, tx, receiver, behind[: query.limit + 1]), query.limit, lambda row: row.taken.number)


def changes(visit: Visit, tx: Tx, query: Query, after: int) -> tuple[list[tuple[int, Row]], int]:  # noqa: ARG001 -- there is nothing to narrow
    """Return the requests behind a number."""
    receiver = receiver_of(visit)
    new = sorted((one for one in receiver.taken if one.number > after), key=lambda one: one.number)
    return [(row.taken.number, row) for row in _rows(visit, tx, receiver, new)], max(after, receiver.count)


def newest(visit: Visit, _tx: Tx) -> int:
    """Return the number of the latest request."""
    return receiver_of(visit).count


def more(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return what stands above the list: the URL, the script, by what is judged."""
    receiver = receiver_of(visit)
    return {
        "tabs": tabs(visit, RECEIVER),
        "receiver": receiver,
        "receiver_url": visit.public_url + receiver.path,
        "scripts": {name: script.title for name, script in SCRIPTS.items()},
        "cards": [one.card for one in visit.desk.dialects.values()],
        "endpoint": _endpoint(visit, tx, receiver),
        "requests_max": REQUESTS_MAX,
    }


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return one request, if it is not forgotten."""
    receiver = receiver_of(visit)
    number = visit.parameters.number("number")
    taken = next((one for one in receiver.taken if one.number == number), None)
    if taken is None:
        return {"title": "Forgotten", "row": None, "back": RECEIVER}
    [row] = _rows(visit, tx, receiver, [taken])
    return {
        "title": f"Request {taken.number}",
        "row": row,
        "taken": taken,
        "headers": inbox.without_credentials(taken.headers),
        "body": bodies.shown(taken.body),
        "dialect": receiver.dialect,
        "back": RECEIVER,
    }


async def tell(visit: Visit) -> Response:
    """Have the receiver answer by another script, from its beginning."""
    script = visit.sent("script")
    if script not in SCRIPTS:
        raise Refused("unknown_script", "Choose one of the answers that the receiver knows.")
    receiver_of(visit).tell(script)
    return visit.go(RECEIVER, f"From the next request on it answers: {SCRIPTS[script].title}.")


async def judge(visit: Visit) -> Response:
    """Have the receiver judge what comes by a platform's rules, with a secret that it forgets with the session."""
    name = visit.sent("dialect")
    if name and name not in visit.desk.dialects:
        raise Refused("unknown_dialect", "Choose one of the platforms.")
    receiver = receiver_of(visit)
    receiver.dialect, receiver.secret, receiver.endpoint_id = name or None, visit.sent("secret").strip() or None, None
    return visit.go(RECEIVER, f"Requests are judged as {name}'s." if name else "Requests are not judged.")


async def clear(visit: Visit) -> Response:
    """Forget what came."""
    receiver_of(visit).clear()
    return visit.go(RECEIVER, "What the receiver had taken is forgotten.")


async def use(visit: Visit) -> Response:
    """Make the receiver an endpoint of the organization. Raises Refused for an address that the guard does not let pass."""
    receiver, url, name = receiver_of(visit), visit.sent("url").strip(), visit.sent("dialect")
    if not url.endswith(receiver.path):
        raise Refused("not_the_receiver", f"The URL must lead to the receiver: it ends with {receiver.path}.")
    judged = await visit.desk.guard.judge(url)
    wish = Wish(url=judged, fields={"description": "Scratch receiver", "policy": {"retry_schedule": [*_SCHEDULE]}})

    def made(tx: Tx) -> Endpoint:
        organization = organizations.get(tx, visit.organization_id)
        return endpoints.create(tx, organization, visit.desk.dialects, name, wish)[0]

    endpoint = await visit.run(made)
    receiver.dialect, receiver.endpoint_id, receiver.secret = endpoint.dialect, endpoint.id, None
    return visit.go(RECEIVER, "It is an endpoint now: what happens is told to it, and its signatures are judged.")


def _endpoint(visit: Visit, tx: Tx, receiver: Receiver) -> Endpoint | None:
    if receiver.endpoint_id is None:
        return None
    return tx.registry.get(Endpoint, visit.organization_id, receiver.endpoint_id)


def _rows(visit: Visit, tx: Tx, receiver: Receiver, taken: list[Taken]) -> list[Row]:
    dialect = visit.desk.dialects.get(receiver.dialect or "")
    if dialect is None:
        return [Row(one, None, None) for one in taken]
    trust = _trust(visit, tx, receiver)
    return [_row(one, dialect, trust) for one in taken]


def _trust(visit: Visit, tx: Tx, receiver: Receiver) -> Trust:
    endpoint = _endpoint(visit, tx, receiver)
    if endpoint is None:
        return Trust(secrets=() if receiver.secret is None else (receiver.secret,))
    return Trust(secrets=endpoints.recipient(tx, endpoint)[0].secrets, options=endpoint.options)


def _row(taken: Taken, dialect: Any, trust: Trust) -> Row:
    try:
        word = dialect.identify(taken.message).word
    except Undecodable:
        word = None
    doubt: NotGenuine | None = inbox.doubt(dialect, taken.message, trust, taken.at)
    if doubt is not None:
        return Row(taken, word, Badge("not genuine", "bad"), doubt.sentence)
    proves = dialect.card.authentication.kind != "none"
    return Row(taken, word, Badge("genuine", "good") if proves else Badge("nothing to prove"))


LISTING: Final = Listing(
    path=RECEIVER,
    title="Playground",
    one="request",
    columns=(
        Column(
            "status",
            "Answered",
            lambda row: Badge(str(row.taken.status), _CLASSES.get(row.taken.status // 100, "calm")),
            "badge",
        ),
        Column("method", "Method", lambda row: row.taken.method, href=lambda row: row.path),
        Column("word", "Says", lambda row: row.word, "code"),
        Column("verdict", "Signature", lambda row: row.verdict, "badge"),
        Column("size", "Bytes", lambda row: row.taken.size, "number"),
        Column("at", "Came", lambda row: row.taken.at, "time"),
        Column("number", "No", lambda row: row.taken.number, "number"),
    ),
    load=load,
    row_id=lambda row: str(row.taken.number),
    row_path=lambda row: row.path,
    empty=("Nothing has come yet. Send something to it:", "curl -X POST -d '{}' URL"),
    template="playground/receiver.html",
    live=Live(newest, changes),
    more=more,
)

ROUTES: Final[tuple[Route, ...]] = (
    *LISTING.routes(),
    Action(f"{RECEIVER}/tell", tell, scope="read"),
    Action(f"{RECEIVER}/judge", judge, scope="read"),
    Action(f"{RECEIVER}/clear", clear, scope="read"),
    Action(f"{RECEIVER}/use", use, scope="admin"),
    Page(_ONE, "playground/request.html", view),
)
