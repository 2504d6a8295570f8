"""One suite for every dialect, ours and third parties'. A check is a function of the dialect, and raises Unfit.

    @pytest.mark.parametrize("check", dialect_suite.CHECKS, ids=dialect_suite.name)
    def test_my_dialect(check):
        check(my_package.dialect)

Needs hypothesis. The dialect's class stands in its package's `__init__`, the samples in `samples/` beside it.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, settings

from affwire.dialects.base import Attempt, Card, Dialect, Recipient, Saying, load_samples
from affwire.errors import Unencodable
from affwire.model.events import EVENT_TYPES, Event, Snapshot
from affwire.model.ids import PREFIXES
from affwire.model.wire import Request
from affwire.rules import signing
from affwire.testing import events as build
from affwire.testing import strategies
from affwire.testing.card_suite import CARD_CHECKS, Check, Unfit, demand
from affwire.testing.shapes import differences, find, without

EXAMPLES: Final = 60
"""Events drawn per check."""

URL: Final = "https://example.com/hooks?tenant=%C3%A9&a=b"
_DELIVERY: Final = build.id_of("delivery")
_NOBODY: Final = build.id_of("affiliate", 77)
_FIRST: Final = Attempt(build.id_of("attempt", 1), 1, build.NOW)
_SECOND: Final = Attempt(build.id_of("attempt", 2), 2, build.NOW + 60_000)


def name(check: Check) -> str:
    """Return what a check proves, as a test's id."""
    return check.__name__


def every_word_has_a_sample(dialect: Dialect) -> None:
    """There is a JSON object for every word and none for another; the dedupe fields stand in it."""
    card, samples = dialect.card, _samples(dialect)
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

    _over_events(check)


def every_body_has_its_samples_shape(dialect: Dialect) -> None:
    """A body has the keys of the sample of its word, with values of the sample's types."""
    card, samples = dialect.card, _samples(dialect)

    def check(saying: Saying, event: Event) -> None:
        body = _body(_request(dialect, saying, event))
        found = sorted(differences(card, _sample_of(card, samples, saying.word), body))
        demand(not found, f"{saying.word} for {event.type}: {'; '.join(found)}")

    _over_sayings(dialect, check)


def every_request_is_well_formed(dialect: Dialect) -> None:
    """The URL is untouched, the body a JSON object in UTF-8 and announced as JSON, headers are printable and unique."""

    def check(saying: Saying, event: Event) -> None:
        request = _request(dialect, saying, event)
        demand(request.url == URL, "the endpoint's URL was changed")
        demand(isinstance(_body(request), dict), f"{saying.word}: the body is no JSON object")
        names = [header.lower() for header, _ in request.headers]
        demand(len(set(names)) == len(names), f"a header stands there twice: {names}")
        demand(_header(request, "content-type").startswith("application/json"), "Content-Type is not application/json")
        demand(all(f"{title}{value}".isascii() for title, value in request.headers), "a header is not ASCII")
        demand(all(f"{title}{value}".isprintable() for title, value in request.headers), "a header is not printable")

    _over_sayings(dialect, check)


def a_retry_repeats_the_body(dialect: Dialect) -> None:
    """The same try is the same bytes; between tries only what the card lists as `varies` differs, and that does."""
    varies = dialect.card.varies

    def check(saying: Saying, event: Event) -> None:
        first = _request(dialect, saying, event)
        demand(first == _request(dialect, saying, event), f"{saying.word} is not rendered the same way twice")
        one, two = _body(first), _body(_request(dialect, saying, event, attempt=_SECOND))
        kept = without(one, varies) == without(two, varies)
        demand(kept, f"{saying.word}: the body of a retry differs in more than {varies}")
        demand(all(find(one, path) != find(two, path) for path in varies), f"{varies} stay as they are in a retry")

    _over_sayings(dialect, check)


def authentication_is_as_the_card_says(dialect: Dialect) -> None:
    """The header is there iff the card names it; each secret signs otherwise; a secret itself is never sent."""
    auth = dialect.card.authentication
    secrets = (_secret(dialect.card, 1), _secret(dialect.card, 2))

    def check(saying: Saying, event: Event) -> None:
        by_first, by_second, by_both = (
            _request(dialect, saying, event, secrets=chosen) for chosen in ((secrets[0],), (secrets[1],), secrets)
        )
        if auth.header is None:
            demand(by_first == by_second, "a dialect without authentication looks at secrets")
            return
        values = [_header(request, auth.header) for request in (by_first, by_second, by_both)]
        if auth.kind == "bearer":
            bare = _request(dialect, saying, event, bearer_token=None)
            demand(values[0] == "Bearer a-token", "a bearer token is sent as Authorization: Bearer <token>")
            demand(not _header(bare, auth.header), "there is authentication without a token")
            return
        demand(values[0] and values[0] != values[1], f"{auth.header} does not depend on the secret")
        demand((values[2] == values[0]) == (auth.rotation == "newest"), f"two secrets sign against {auth.rotation!r}")
        sent = b"".join((by_both.body, *(value.encode() for _, value in by_both.headers)))
        demand(not any(secret.encode() in sent for secret in secrets), "a secret is sent in clear")

    _over_sayings(dialect, check)


def nothing_is_sent_unsigned(dialect: Dialect) -> None:
    """A dialect that signs refuses to write for an endpoint without a secret."""
    if not dialect.card.authentication.kind.startswith("hmac"):
        return

    def check(saying: Saying, event: Event) -> None:
        try:
            _request(dialect, saying, event, secrets=())
        except Unencodable:
            return
        raise Unfit(f"{saying.word} is sent unsigned to an endpoint without a secret")

    _over_sayings(dialect, check)


def a_sample_is_signed_like_a_request(dialect: Dialect) -> None:
    """`sign` gives a body the headers that `request` gives it, and every sample can be signed."""

    def check(saying: Saying, event: Event) -> None:
        request = _request(dialect, saying, event)
        demand(dialect.sign(request.body, _recipient(dialect), _FIRST) == request.headers, f"{saying.word} differs")

    _over_sayings(dialect, check)
    for sample in load_samples(type(dialect).__module__).values():
        dialect.sign(sample, _recipient(dialect), _FIRST)


def every_option_is_understood(dialect: Dialect) -> None:
    """Each choice of each option gives a request."""
    for title, option in dialect.card.options.items():
        for choice in option.choices or (option.default,):
            event = next(event for event in map(build.event, EVENT_TYPES) if dialect.says(event))
            request = _request(dialect, dialect.says(event)[0], event, options={title: choice})
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

    _over_events(check)
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
    authentication_is_as_the_card_says,
    nothing_is_sent_unsigned,
    a_sample_is_signed_like_a_request,
    every_option_is_understood,
    objects_are_total,
)


def _over_events(check: Callable[[Event], None]) -> None:
    """Run a check over drawn events; the same ones every time, so that a red suite is red again."""
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large]
    phases = [Phase.generate, Phase.shrink]
    chosen = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=phases,
        suppress_health_check=quiet,
    )
    chosen(given(strategies.events())(check))()


def _over_sayings(dialect: Dialect, check: Callable[[Saying, Event], None]) -> None:
    def each(event: Event) -> None:
        for saying in dialect.says(event):
            check(saying, event)

    _over_events(each)
    for event in map(build.event, EVENT_TYPES):
        each(event)


def _request(
    dialect: Dialect,
    saying: Saying,
    event: Event,
    *,
    attempt: Attempt = _FIRST,
    **of_recipient: Any,
) -> Request:
    return dialect.request(event, saying, _recipient(dialect, **of_recipient), _DELIVERY, attempt)


def _recipient(
    dialect: Dialect,
    *,
    secrets: tuple[str, ...] | None = None,
    bearer_token: str | None = "a-token",  # noqa: S107 -- of nobody
    options: dict[str, str] | None = None,
) -> Recipient:
    return Recipient(
        endpoint_id=build.id_of("endpoint"),
        url=URL,
        secrets=(_secret(dialect.card, 1),) if secrets is None else secrets,
        bearer_token=bearer_token,
        options=options or {},
    )


def _secret(card: Card, nth: int) -> str:
    auth = card.authentication
    return signing.minted(auth.secret, auth.secret_prefix, bytes([nth]) * 32)


def _samples(dialect: Dialect) -> dict[str, Any]:
    return {word: json.loads(body) for word, body in load_samples(type(dialect).__module__).items()}


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
