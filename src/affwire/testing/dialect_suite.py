"""One suite for every dialect, ours and third parties'. A check is a function of the dialect, and raises Unfit.

    @pytest.mark.parametrize("check", dialect_suite.CHECKS, ids=dialect_suite.name)
    def test_my_dialect(check):
        check(my_package.dialect)

Needs hypothesis. The dialect's class stands in its package's `__init__`, the samples in `samples/` beside it.
"""

import json
from typing import Any, Final

from msgspec import structs

from affwire.dialects.base import Card, Dialect, Saying, load_samples
from affwire.errors import Unencodable
from affwire.model.events import EVENT_TYPES, Event, Snapshot
from affwire.model.ids import PREFIXES
from affwire.model.wire import Request
from affwire.testing import events as build
from affwire.testing.card_suite import CARD_CHECKS, Check, Unfit, demand
from affwire.testing.reading_suite import READING_CHECKS
from affwire.testing.shapes import differences, find, without
from affwire.testing.stage import (
    FIRST,
    SECOND,
    URL,
    over_events,
    over_sayings,
    recipient_of,
    request_of,
    samples_of,
    secret_of,
)

_NOBODY: Final = build.id_of("affiliate", 77)


def name(check: Check) -> str:
    """Return what a check proves, as a test's id."""
    return check.__name__


def every_word_has_a_sample(dialect: Dialect) -> None:
    """There is a JSON object for every word and none for another; the dedupe fields stand in it."""
    card, samples = dialect.card, samples_of(dialect)
    shown = [card.word(sample) for sample in samples]
    demand(None not in shown, f"a sample is of no word of the card: {sorted(samples)}")
    missing = [word.name for word in card.words if word not in shown]
    demand(not missing, f"no sample for {missing}")
    for word, sample in samples.items():
        demand(isinstance(sample, dict), f"the sample of {word} is no JSON object")
        for path in (path for path in card.dedupe if not path.startswith("header ")):
            demand(_has(sample, path), f"the sample of {word} has no {path} to dedupe on")


def every_event_is_answered(dialect: Dialect) -> None:
    """What is said stands on the card and is always the same; where nothing is said, a reason is."""

    def check(event: Event) -> None:
        sayings = dialect.says(event)
        demand(sayings == dialect.says(event), f"{event.type} is not said the same way twice")
        demand(len(set(sayings)) == len(sayings), f"{event.type} says {sayings}: the same thing twice")
        for saying in sayings:
            demand(dialect.card.word(saying.word), f"{saying.word} stands not on the card")
            demand(saying.subject, f"{saying.word} is about no record")
        demand(sayings or dialect.silence(event).strip(), f"{event.type}: silence without a reason")

    over_events(check)


def every_body_has_its_samples_shape(dialect: Dialect) -> None:
    """A body has the keys of the sample of its word, with values of the sample's types."""
    card, samples = dialect.card, samples_of(dialect)

    def check(saying: Saying, event: Event) -> None:
        body = _body(request_of(dialect, saying, event))
        found = sorted(differences(card, _sample_of(card, samples, saying.word), body))
        demand(not found, f"{saying.word} for {event.type}: {'; '.join(found)}")

    over_sayings(dialect, check)


def every_request_is_well_formed(dialect: Dialect) -> None:
    """The URL is untouched, the body a JSON object in UTF-8 and announced as JSON, headers are printable and unique."""

    def check(saying: Saying, event: Event) -> None:
        request = request_of(dialect, saying, event)
        demand(request.url == URL, "the endpoint's URL was changed")
        demand(isinstance(_body(request), dict), f"{saying.word}: the body is no JSON object")
        names = [header.lower() for header, _ in request.headers]
        demand(len(set(names)) == len(names), f"a header stands there twice: {names}")
        demand(_header(request, "content-type").startswith("application/json"), "Content-Type is not application/json")
        demand(all(f"{title}{value}".isascii() for title, value in request.headers), "a header is not ASCII")
        demand(all(f"{title}{value}".isprintable() for title, value in request.headers), "a header is not printable")

    over_sayings(dialect, check)


def a_retry_repeats_the_body(dialect: Dialect) -> None:
    """The same try is the same bytes; between tries only what the card lists as `varies` differs, and that does."""
    varies = dialect.card.varies

    def check(saying: Saying, event: Event) -> None:
        first = request_of(dialect, saying, event)
        demand(first == request_of(dialect, saying, event), f"{saying.word} is not rendered the same way twice")
        one, two = _body(first), _body(request_of(dialect, saying, event, attempt=SECOND))
        kept = without(one, varies) == without(two, varies)
        demand(kept, f"{saying.word}: the body of a retry differs in more than {varies}")
        demand(all(find(one, path) != find(two, path) for path in varies), f"{varies} stay as they are in a retry")

    over_sayings(dialect, check)


def a_shared_body_is_the_same_for_everybody(dialect: Dialect) -> None:
    """Where the card says so, a body depends on the event, the saying and the options alone: it is rendered once."""
    if not dialect.card.shared_body:
        return
    demand(not dialect.card.addressed, "what is addressed to one endpoint, delivery or try cannot be shared")
    delivery_id = build.id_of("delivery", 2)
    other = structs.replace(
        recipient_of(dialect, secrets=(secret_of(dialect.card, 2),), bearer_token="another"),  # noqa: S106 -- of nobody
        endpoint_id=build.id_of("endpoint", 2),
        url="https://other.example.com/",
    )

    def check(saying: Saying, event: Event) -> None:
        mine, theirs = request_of(dialect, saying, event), dialect.request(event, saying, other, delivery_id, SECOND)
        demand(mine.body == theirs.body, f"{saying.word}: another endpoint or try gets another body")

    over_sayings(dialect, check)


def authentication_is_as_the_card_says(dialect: Dialect) -> None:
    """The header is there iff the card names it; each secret signs otherwise; a secret itself is never sent."""
    auth = dialect.card.authentication
    secrets = (secret_of(dialect.card, 1), secret_of(dialect.card, 2))

    def check(saying: Saying, event: Event) -> None:
        by_first, by_second, by_both = (
            request_of(dialect, saying, event, secrets=chosen) for chosen in ((secrets[0],), (secrets[1],), secrets)
        )
        if auth.header is None:
            demand(by_first == by_second, "a dialect without authentication looks at secrets")
            return
        values = [_header(request, auth.header) for request in (by_first, by_second, by_both)]
        if auth.kind == "bearer":
            bare = request_of(dialect, saying, event, bearer_token=None)
            demand(values[0] == "Bearer a-token", "a bearer token is sent as Authorization: Bearer <token>")
            demand(not _header(bare, auth.header), "there is authentication without a token")
            return
        demand(values[0] and values[0] != values[1], f"{auth.header} does not depend on the secret")
        demand((values[2] == values[0]) == (auth.rotation == "newest"), f"two secrets sign against {auth.rotation!r}")
        sent = b"".join((by_both.body, *(value.encode() for _, value in by_both.headers)))
        demand(not any(secret.encode() in sent for secret in secrets), "a secret is sent in clear")

    over_sayings(dialect, check)


def nothing_is_sent_unsigned(dialect: Dialect) -> None:
    """A dialect that signs refuses to write for an endpoint without a secret."""
    if not dialect.card.authentication.kind.startswith("hmac"):
        return

    def check(saying: Saying, event: Event) -> None:
        try:
            request_of(dialect, saying, event, secrets=())
        except Unencodable:
            return
        raise Unfit(f"{saying.word} is sent unsigned to an endpoint without a secret")

    over_sayings(dialect, check)


def a_sample_is_signed_like_a_request(dialect: Dialect) -> None:
    """`sign` gives a body the headers that `request` gives it, and every sample can be signed."""

    def check(saying: Saying, event: Event) -> None:
        request = request_of(dialect, saying, event)
        demand(dialect.sign(request.body, recipient_of(dialect), FIRST) == request.headers, f"{saying.word} differs")

    over_sayings(dialect, check)
    for sample in load_samples(type(dialect).__module__).values():
        dialect.sign(sample, recipient_of(dialect), FIRST)


def every_option_is_understood(dialect: Dialect) -> None:
    """Each choice of each option gives a request."""
    for title, option in dialect.card.options.items():
        for choice in option.choices or (option.default,):
            event = next(event for event in map(build.event, EVENT_TYPES) if dialect.says(event))
            request = request_of(dialect, dialect.says(event)[0], event, options={title: choice})
            demand(isinstance(_body(request), dict), f"{title} = {choice!r} gives no JSON object")


def objects_are_total(dialect: Dialect) -> None:
    """Any kind and id is answered, with an object or None; each kind on the card, and no other, with an object."""
    rendered: set[str] = set()

    def check(event: Event) -> None:
        for kind, record_id in _records(event.snapshot):
            shown = dialect.object(kind, record_id, event.snapshot)
            demand(shown == dialect.object(kind, record_id, event.snapshot), f"{kind} is not shown the same way twice")
            if shown is not None:
                demand(json.dumps(shown, allow_nan=False), f"{kind} is no JSON")
                rendered.add(kind)
        for kind in (*PREFIXES, "nonsense"):
            demand(dialect.object(kind, _NOBODY, event.snapshot) is None, f"a {kind} is shown that is not there")

    over_events(check)
    for event in map(build.event, EVENT_TYPES):
        check(event)
    demand(rendered == set(dialect.card.objects), f"shows {sorted(rendered)}, the card {sorted(dialect.card.objects)}")


CHECKS: Final[tuple[Check, ...]] = (
    *CARD_CHECKS,
    every_word_has_a_sample,
    every_event_is_answered,
    every_body_has_its_samples_shape,
    every_request_is_well_formed,
    a_retry_repeats_the_body,
    a_shared_body_is_the_same_for_everybody,
    authentication_is_as_the_card_says,
    nothing_is_sent_unsigned,
    a_sample_is_signed_like_a_request,
    every_option_is_understood,
    objects_are_total,
    *READING_CHECKS,
)


def _sample_of(card: Card, samples: dict[str, Any], word: str) -> Any:
    """Return the word's own sample, else one of its open family."""
    return samples.get(word) or next(sample for name, sample in samples.items() if card.word(name) == card.word(word))


def _body(request: Request) -> Any:
    return json.loads(request.body.decode("utf-8"))


def _header(request: Request, wanted: str) -> str:
    return next((value for title, value in request.headers if title.lower() == wanted.lower()), "")


def _has(sample: Any, path: str) -> bool:
    try:
        return find(sample, path) is not None
    except KeyError:
        return False


def _records(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Return the kind and id of each record."""
    views = snapshot.memberships
    found = [("membership", view.membership.id) for view in views]
    found += [("promo_code", code.id) for view in views for code in view.promo_codes]
    found += [("group", view.group.id) for view in views if view.group]
    found += [("link", link.id) for link in snapshot.links]
    found += [("program", snapshot.program.id)] if snapshot.program else []
    found += [("affiliate", snapshot.affiliate.id)] if snapshot.affiliate else []
    return found
