"""The suite itself: a dialect that breaks one promise fails the check of that promise."""

import pytest
from msgspec import structs

from affwire.dialects import affonso, growi, standard
from affwire.dialects.base import Saying
from affwire.testing import card_suite, dialect_suite, shapes


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


OURS, SIGNED, OPEN = standard.dialect, affonso.dialect, growi.dialect

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
}
CASES = [(name, at) for name, dialects in BROKEN.items() for at in range(len(dialects))]


@pytest.mark.slow
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
