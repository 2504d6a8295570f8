"""The suite itself: a dialect that breaks one promise fails the check of that promise."""

import json

import pytest
from hypothesis import Phase, settings
from msgspec import structs

from affwire.dialects import affonso, growi, insert_affiliate, standard
from affwire.dialects.base import Identity, Saying
from affwire.model.reading import Reading, Told
from affwire.testing import card_suite, dialect_suite, events, reading_suite, shapes, stage


def changed(original, **parts):
    """Return a dialect like the original with some of its parts replaced; it shares the original's samples."""
    own = {name: staticmethod(part) if callable(part) else part for name, part in parts.items()}
    return type("Changed", (type(original),), own | {"__module__": type(original).__module__})()


def with_card(original, **fields):
    return changed(original, card=structs.replace(original.card, **fields))


def with_word(original, **fields):
    words = original.card.words
    return with_card(original, words=(structs.replace(words[0], **fields), *words[1:]))


def with_request(original, change):
    """Return the dialect with every request changed by `change(request, attempt, recipient)`."""

    def request(event, saying, recipient, delivery_id, attempt):
        made = original.request(event, saying, recipient, delivery_id, attempt)
        return structs.replace(made, **change(made, attempt, recipient))

    return changed(original, request=request)


def with_promise(original, **fields):
    return with_card(original, promise=structs.replace(original.card.promise, **fields))


def with_authentication(original, **fields):
    return with_card(original, authentication=structs.replace(original.card.authentication, **fields))


def unsteady():
    """Return a `says` that never says the same thing twice."""
    turns = iter(range(10**9))
    return lambda event: (Saying(event.type, f"{event.subject_id}{next(turns)}"),)


def with_inbound(original, **fields):
    return with_card(original, inbound=structs.replace(original.card.inbound, **fields))


def with_identity(original, change):
    return changed(original, identify=lambda message: change(original.identify(message)))


def with_reading(original, change):
    return changed(original, decode=lambda message: change(original.decode(message)))


def with_field(told, name, value):
    return None if told is None else structs.replace(told, fields={**told.fields, name: value})


def stripped(message):
    return structs.replace(message, body=message.body.strip())


def lowered(message):
    headers = tuple((name, value.lower()) for name, value in message.headers)
    return structs.replace(message, headers=headers)


def deduplicated(message):
    return structs.replace(
        message, headers=tuple({name.lower(): (name, value) for name, value in message.headers}.values())
    )


def newest(trust):
    return structs.replace(trust, secrets=trust.secrets[:1])


OURS, SIGNED, OPEN, BEARER = standard.dialect, affonso.dialect, growi.dialect, insert_affiliate.dialect
TRUST = stage.trust_of(OURS)

BROKEN = {
    "card_words_are_complete": [
        with_card(OURS, words=()),
        with_card(OURS, words=OURS.card.words * 2),
        with_word(OURS, meaning=" "),
        with_word(OURS, canonical=()),
        with_word(OURS, canonical=("program.renamed",)),
        with_word(OURS, open=True),
    ],
    "card_says_who_and_where_from": [
        with_card(OURS, source=""),
        with_card(OURS, dedupe=()),
        with_card(OURS, objects=("sale",)),
        with_promise(OURS, sources=""),
    ],
    "card_promise_is_sound": [
        with_promise(OURS, retry_schedule=(5, 4)),
        with_promise(OURS, retry_schedule=(0,)),
        with_promise(OURS, retry_schedule=(1,) * 101),
        with_promise(OURS, retry_schedule=(8 * 86_400,)),
        with_promise(OURS, total_timeout=61),
        with_promise(OURS, connect_timeout=16),
    ],
    "card_authentication_is_consistent": [
        with_authentication(OURS, secret="none"),
        with_authentication(OURS, rotation="none"),
        with_authentication(OURS, header=None),
        with_authentication(OPEN, header="X-Signature"),
    ],
    "every_word_has_a_sample": [
        with_card(OURS, words=OURS.card.words[1:]),
        with_word(OURS, name="program.born"),
        with_card(OURS, dedupe=("data.nonce",)),
    ],
    "every_event_is_answered": [
        changed(OURS, says=lambda event: (Saying("program.renamed", event.subject_id),)),
        changed(OURS, says=lambda event: (Saying(event.type, event.subject_id),) * 2),
        changed(OURS, says=unsteady()),
        changed(OURS, says=lambda event: (Saying(event.type, ""),)),
        changed(OURS, says=lambda _event: (), silence=lambda _event: " "),
    ],
    "every_body_has_its_samples_shape": [
        with_card(OURS, nullable=()),
        with_card(SIGNED, nullable=()),
        with_card(OPEN, optional=()),
        with_request(
            OURS, lambda made, _attempt, _recipient: {"body": made.body.replace(b'{"id"', b'{"extra":1,"id"')}
        ),
        with_request(
            OURS, lambda made, _attempt, _recipient: {"body": made.body.replace(b'"sequence":', b'"sequel":')}
        ),
    ],
    "every_request_is_well_formed": [
        with_request(OURS, lambda made, _attempt, _recipient: {"url": made.url + "#"}),
        with_request(OURS, lambda made, _attempt, _recipient: {"headers": made.headers[1:]}),
        with_request(OURS, lambda made, _attempt, _recipient: {"headers": made.headers * 2}),
        with_request(OURS, lambda made, _attempt, _recipient: {"headers": (*made.headers, ("X-Name", "Åsa"))}),
        with_request(OURS, lambda made, _attempt, _recipient: {"headers": (*made.headers, ("X-Name", "a\r\nb: c"))}),
        with_request(OURS, lambda _made, _attempt, _recipient: {"body": b"[]"}),
    ],
    "a_retry_repeats_the_body": [
        with_request(OURS, lambda _made, attempt, _recipient: {"body": b'{"try":%d}' % attempt.number}),
        with_card(SIGNED, varies=()),
        with_card(SIGNED, varies=("attempt", "id")),
    ],
    "a_shared_body_is_the_same_for_everybody": [
        with_card(SIGNED, shared_body=True),
        with_card(SIGNED, shared_body=True, addressed={}),
        with_card(OURS, shared_body=True, addressed={"id": "delivery.whd"}),
    ],
    "authentication_is_as_the_card_says": [
        with_request(OURS, lambda made, _attempt, _recipient: {"headers": made.headers[:1]}),
        with_request(
            OURS, lambda made, _attempt, _recipient: {"headers": (*made.headers[:3], ("webhook-signature", "v1,"))}
        ),
        with_request(
            SIGNED, lambda made, _attempt, recipient: {"headers": (*made.headers, ("X-Key", recipient.secrets[0]))}
        ),
        with_authentication(OURS, rotation="newest"),
        with_authentication(SIGNED, rotation="all"),
    ],
    "nothing_is_sent_unsigned": [
        changed(OURS, request=lambda *_arguments: None),
    ],
    "a_sample_is_signed_like_a_request": [
        changed(OURS, sign=lambda _body, _recipient, _attempt: (("Content-Type", "application/json"),)),
        with_request(OPEN, lambda made, _attempt, _recipient: {"headers": (*made.headers, ("X-More", "1"))}),
    ],
    "objects_are_total": [
        with_card(OURS, objects=("program",)),
        changed(OURS, object=lambda *_arguments: {"id": 1}),
    ],
    "card_reading_is_declared": [
        with_card(OURS, inbound=None),
        with_inbound(OURS, paste=" "),
        with_inbound(OURS, tolerance=0),
        with_card(OURS, reads={}),
        with_card(OURS, reads={"id": "affiliate.shoe_size"}),
        with_card(OURS, coarse={"affiliate.shoe_size": {"*": "42"}}),
        with_card(OURS, addressed={"id": "attempt.colour"}),
        with_card(OURS, addressed={"timestamp": "attempt.number"}),
    ],
    "what_it_writes_it_recognises": [
        with_identity(OURS, lambda known: structs.replace(known, word="program.renamed")),
        with_identity(OURS, lambda known: structs.replace(known, dedupe_key=None)),
        with_identity(OURS, lambda known: structs.replace(known, dedupe_key="one for all")),
        changed(OURS, identify=lambda message: Identity(json.loads(message.body)["type"], str(message.headers))),
    ],
    "what_it_writes_comes_back": [
        with_reading(OURS, lambda read: structs.replace(read, events=())),
        with_reading(OURS, lambda read: structs.replace(read, unread=("data",))),
        with_reading(OURS, lambda read: structs.replace(read, previous={"tag": "never"})),
        with_reading(OURS, lambda read: structs.replace(read, affiliate=with_field(read.affiliate, "email", "a@b"))),
        with_reading(OPEN, lambda read: structs.replace(read, affiliate=with_field(read.affiliate, "country", "SE"))),
        with_reading(OPEN, lambda read: structs.replace(read, program=Told(kind="program", id="1"))),
        with_reading(OURS, lambda read: structs.replace(read, links=(Told(kind="link", fields={"url": "?"}),))),
    ],
    "what_it_reads_it_writes_again": [
        with_reading(OURS, lambda read: structs.replace(read, events=("program.deleted",))),
        with_reading(OPEN, lambda read: structs.replace(read, affiliate=Told(kind="affiliate", id="1"))),
        with_reading(OURS, lambda read: structs.replace(read, links=None)),
        with_reading(OPEN, lambda read: structs.replace(read, events=())),
        changed(OURS, sign=lambda _body, recipient, attempt: OURS.sign(b'{"id":"another"}', recipient, attempt)),
    ],
    "every_sample_is_read_whole": [
        with_card(OPEN, reads={path: one for path, one in OPEN.card.reads.items() if path != "tag"}),
        with_identity(OPEN, lambda known: structs.replace(known, word="campaign_affiliate.x")),
    ],
    "every_changed_byte_is_refused": [
        changed(OURS, verify=lambda *_arguments: None),
        changed(OURS, verify=lambda message, trust, now: OURS.verify(stripped(message), trust, now)),
    ],
    "every_changed_header_is_refused": [
        changed(SIGNED, verify=lambda message, trust, now: SIGNED.verify(lowered(message), trust, now)),
        changed(BEARER, verify=lambda message, trust, now: BEARER.verify(deduplicated(message), trust, now)),
    ],
    "only_the_secret_verifies": [
        changed(OURS, verify=lambda message, trust, now: trust.secrets and OURS.verify(message, TRUST, now)),
        changed(OURS, verify=lambda message, trust, now: OURS.verify(message, newest(trust), now)),
    ],
    "a_stale_time_is_refused": [
        changed(OURS, verify=lambda message, trust, now: OURS.verify(message, trust, min(now, events.NOW))),
        changed(OURS, verify=lambda message, trust, now: OURS.verify(message, trust, now + 1_000)),
        with_inbound(OURS, tolerance=0),
    ],
    "strangers_get_nothing_but_not_genuine": [
        changed(OURS, verify=lambda *_arguments: None),
    ],
    "nonsense_is_undecodable": [
        changed(OURS, decode=lambda _message: Reading(word="program.created")),
    ],
    "unknown_keys_are_listed": [
        with_reading(OURS, lambda read: structs.replace(read, unread=())),
        changed(OPEN, decode=lambda message: structs.replace(OPEN.decode(message), occurred_at=len(message.body))),
    ],
    "unknown_words_mean_nothing": [
        with_reading(OPEN, lambda read: structs.replace(read, events=("membership.left",))),
        with_reading(OPEN, lambda read: structs.replace(read, word="campaign_affiliate.left")),
    ],
}
CASES = [(name, at) for name, dialects in BROKEN.items() for at in range(len(dialects))]


def test_every_check_has_a_dialect_that_fails_it():
    assert {dialect_suite.name(check) for check in dialect_suite.CHECKS} - BROKEN.keys() <= {
        "every_option_is_understood",
        "any_value_anywhere_is_survived",
    }


def test_an_error_of_another_kind_is_not_survived():
    def fails(message):
        raise ValueError(message)

    for part, check in (
        ("verify", "strangers_get_nothing_but_not_genuine"),
        ("decode", "any_value_anywhere_is_survived"),
    ):
        broken = changed(OURS, **{part: lambda message, *_rest: fails(message)})
        with pytest.raises(ValueError, match="Message"):
            next(one for one in dialect_suite.CHECKS if dialect_suite.name(one) == check)(broken)


def test_a_value_that_no_record_holds_is_found_where_it_is_said_again():
    def loose(message):
        read = BEARER.decode(message)
        return structs.replace(read, affiliate=with_field(read.affiliate, "email", 17))

    check = next(one for one in dialect_suite.CHECKS if dialect_suite.name(one) == "any_value_anywhere_is_survived")
    with pytest.raises(AttributeError):
        check(changed(BEARER, decode=loose))


def test_a_dialect_that_is_only_written_passes_the_reading_checks():
    mute = with_card(OURS, inbound=None, reads={}, coarse={}, addressed={})
    for check in (card_suite.card_reading_is_declared, *reading_suite.READING_CHECKS):
        if dialect_suite.name(check) not in {"every_changed_header_is_refused", "only_the_secret_verifies"}:
            check(mute)


@pytest.fixture
def unshrunk():
    """That a promise is broken is enough: nobody reads the smallest example of it here."""
    former = settings.get_current_profile_name()
    settings.register_profile("unshrunk", phases=[Phase.generate])
    settings.load_profile("unshrunk")
    yield
    settings.load_profile(former)


@pytest.mark.slow
@pytest.mark.usefixtures("unshrunk")
@pytest.mark.parametrize(("name", "at"), CASES)
def test_a_broken_promise_is_found(name, at):
    check = next(check for check in dialect_suite.CHECKS if dialect_suite.name(check) == name)
    with pytest.raises(card_suite.Unfit):
        check(BROKEN[name][at])


def test_shapes_differ_by_key_and_type():
    card = structs.replace(OURS.card, nullable=("b",), optional=("c", "free.*"))
    sample = {"a": 1, "b": "text", "c": True, "free": {"x": 1}, "open": {}, "list": [{"k": 1.5}], "any": None}
    alike = {"a": 2, "b": None, "free": {"y": 0}, "open": {"z": 1}, "list": [{"k": 1}, {"k": 2.5}], "any": [1]}
    assert list(shapes.differences(card, sample, alike)) == []
    other = {"a": "1", "b": 2, "free": {}, "open": {}, "list": [{"k": None}], "more": 1}
    assert sorted(shapes.differences(card, sample, other)) == [
        "a is str, in the sample int",
        "any is missing",
        "b is int, in the sample str",
        "list[].k is NoneType, in the sample float",
        "more stands in no sample",
    ]


def test_a_body_is_compared_without_what_varies():
    assert shapes.without({"a": 1, "b": {"c": 2, "d": 3}}, ("a", "b.c")) == {"b": {"d": 3}}
    assert shapes.find({"b": {"c": 2}}, "b.c") == 2
    with pytest.raises(KeyError):
        shapes.find({"b": 1}, "b.c")
