"""Insert Affiliate read: the page's two payloads, in our values; the bearer token; what cannot be read."""

import json

import pytest

from affwire.dialects.base import Identity, Trust
from affwire.dialects.insert_affiliate import dialect
from affwire.errors import NotGenuine, Undecodable
from affwire.model import ids
from affwire.model.reading import Reading, Told, ToldMembership
from affwire.model.wire import Message
from affwire.rules.assembly import Scene, assemble
from affwire.rules.signing import fingerprint
from affwire.testing import events

TOKEN = "a-token-of-32-characters-or-more"
AT = 1_778_000_000_120
CREATED = {
    "event": "affiliate.created",
    "affiliate_id": "ia_7c19d2e4",
    "email": "Kim@example.org",
    "deep_link": "https://example.com/r/kim",
    "occurred_at": "2026-05-05T16:53:20.120Z",
}


def message(body=CREATED, headers=(), **changes):
    shown = {name: value for name, value in {**body, **changes}.items() if value is not ...}
    return Message(headers=headers, body=json.dumps(shown).encode())


def verify(*values, secrets=(TOKEN,), name="Authorization"):
    dialect.verify(message(headers=tuple((name, value) for value in values)), Trust(secrets=secrets), AT)


@pytest.mark.parametrize(
    ("word", "event"), [("affiliate.created", "affiliate.created"), ("affiliate.deactivated", "affiliate.deleted")]
)
def test_both_words_are_read_whole(word, event):
    assert dialect.decode(message(event=word)) == Reading(
        word=word,
        events=(event,),
        occurred_at=AT,
        affiliate=Told(kind="affiliate", id="ia_7c19d2e4", fields={"email": "Kim@example.org"}),
        memberships=(ToldMembership(told=Told(kind="membership", fields={"deep_link": "https://example.com/r/kim"})),),
    )


@pytest.mark.parametrize("none", ["", None, ...])
def test_without_a_deep_link_no_membership_is_told(none):
    reading = dialect.decode(message(deep_link=none))
    assert (reading.memberships, reading.own, reading.unread) == ((), None, ())


@pytest.mark.parametrize("path", ["affiliate_id", "email", "occurred_at"])
@pytest.mark.parametrize("value", [..., None, 17, "", []])
def test_what_must_be_there_is_named_when_it_is_not(path, value):
    with pytest.raises(Undecodable) as error:
        dialect.decode(message(**{path: value}))
    assert error.value.code == "not_this_dialect" or error.value.facts == {"path": path}


def test_the_key_is_the_word_the_affiliate_and_the_time():
    key = "affiliate.created|ia_7c19d2e4|2026-05-05T16:53:20.120Z"
    assert dialect.identify(message()) == Identity("affiliate.created", key)
    assert dialect.identify(message(occurred_at=...)) == Identity("affiliate.created", None)


def test_another_word_is_kept_without_a_meaning():
    assert dialect.decode(message(event="affiliate.renamed", to="x")) == Reading(
        word="affiliate.renamed", unread=("to",)
    )


def test_the_token_is_the_proof():
    verify(f"Bearer {TOKEN}")
    verify(f"Bearer {TOKEN}", name="authorization")
    verify(f"Bearer {TOKEN}", secrets=("another", TOKEN))
    verify(f"Bearer {TOKEN}", secrets=("", TOKEN))


@pytest.mark.parametrize(
    "values",
    [
        (),
        ("",),
        ("Bearer ",),
        ("Bearer",),
        (TOKEN,),
        (f"Basic {TOKEN}",),
        (f"bearer {TOKEN}",),
        (f"Bearer  {TOKEN}",),
        (f"Bearer {TOKEN} ",),
        (f"Bearer {TOKEN}x",),
        (f"Bearer {TOKEN[:-1]}",),
        (f"Bearer {TOKEN.upper()}",),
        (f"Bearer {TOKEN}", f"Bearer {TOKEN}"),
        (f"Bearer {TOKEN}", "Bearer other"),
        (f"Bearer {TOKEN}é",),
        ("Bearer \xff\xfe",),
        ("Bearer \ud800",),
    ],
)
def test_anything_else_is_not_genuine(values):
    with pytest.raises(NotGenuine):
        verify(*values)


@pytest.mark.parametrize("secrets", [(), ("",), ("", "")])
def test_no_token_verifies_nothing(secrets):
    for value in ("Bearer ", "Bearer", f"Bearer {TOKEN}"):
        with pytest.raises(NotGenuine, match="no_secret"):
            verify(value, secrets=secrets)


def test_a_deep_link_without_its_program_makes_no_program_up():
    class Names:
        def of(self, kind, key, told):
            return ids.derived(kind, AT, fingerprint(kind, key))

        def event(self, event_type):
            return ids.derived("event", AT, fingerprint(event_type))

    scene = Scene(dialect="insert_affiliate", organization=events.organization(), at=AT, request_id="req")
    (event,) = assemble(dialect.decode(message()), scene, Names())
    assert event.type == "affiliate.created"
    assert event.snapshot.memberships == ()
    assert event.standing_after
