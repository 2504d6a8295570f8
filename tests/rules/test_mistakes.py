"""Each known mistake is made deliberately, in each dialect that signs, and has to be named."""

import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affwire.dialects.base import Attempt, Recipient, Trust
from affwire.errors import NotGenuine
from affwire.model import ids
from affwire.model.wire import Message
from affwire.plugins import load_dialects
from affwire.rules import mending, mistakes, signing, variants
from affwire.rules.mistakes import UNPADDED
from affwire.rules.variants import AS_IS

AT = 1_772_000_000_000
SECONDS = str(AT // 1000)
BODY = '{"id":"evt_1","type":"x","b":[1,2],"a":{"n":"Zoë/é","e":[]},"t":1.5}\r\n'.encode()
DIALECTS = {
    name: dialect for name, dialect in load_dialects().items() if dialect.card.authentication.kind.startswith("hmac")
}
ENDPOINT = ids.make("endpoint", 0, 1)


def secret_of(dialect):
    form = dialect.card.authentication
    return signing.minted(form.secret, form.secret_prefix, bytes(range(32)))


def genuine(dialect, body=BODY, secret=None):
    recipient = Recipient(endpoint_id=ENDPOINT, url="", secrets=(secret or secret_of(dialect),))
    return dialect.sign(body.strip(), recipient, Attempt(ids.make("attempt", 0, 1), 1, AT))


def right_way(dialect):
    body = BODY.strip()
    way = mistakes.expected(genuine(dialect), body, secret_of(dialect))
    assert way is not None
    return way


def made(
    dialect, *, body=None, secret=AS_IS, key=None, signed=None, algorithm="sha256", encoding=None, body_in_hand=BODY
):
    """Return headers whose signature was made with these mistakes, whatever else is right."""
    right, headers = right_way(dialect), genuine(dialect)
    one = next(one for one in mistakes.carried(headers) if one.header == right.header)
    text = variants.SECRETS[secret](secret_of(dialect))
    made_key = variants.KEYS[key or right.key](text)
    content = variants.BODIES[body or AS_IS](body_in_hand)
    if made_key is None or content is None:
        return None
    texts = {name: text for name, _, text in variants.texts(content, [SECONDS], ["evt_1"])}
    digest = variants.ALGORITHMS[algorithm](made_key, texts[signed or right.signed])
    written = {
        "hex": digest.hex(),
        "upper-case hex": digest.hex().upper(),
        "base64": base64.b64encode(digest).decode(),
        "base64url": base64.urlsafe_b64encode(digest).decode(),
        UNPADDED: base64.b64encode(digest).decode().rstrip("="),
    }[encoding or right.encoding]
    return tuple((name, value.replace(one.text, written)) for name, value in headers)


def explained(dialect, headers, body=BODY, secret=None):
    return mistakes.explain(headers, body, [secret or secret_of(dialect)], [right_way(dialect)])


def named(dialect, headers, **expected):
    """The finding names just these mistakes, and has a sentence and a remedy for each."""
    finding = explained(dialect, headers)
    assert finding is not None
    assert {name: getattr(finding.way, name) for name in finding.mistakes} == expected
    if expected:
        assert all(mending.sentence(finding))


def test_nothing_is_called_a_mistake_of_another_secret():
    dialect = DIALECTS["rewardful"]
    assert explained(dialect, genuine(dialect), secret="another-secret") is None


def test_headers_without_a_signature_explain_nothing():
    assert explained(DIALECTS["rewardful"], (("X-Rewardful-Signature", "hello"), ("Date", "now"))) is None


def test_a_right_signature_has_no_mistake():
    for dialect in DIALECTS.values():
        finding = mistakes.explain(genuine(dialect), BODY.strip(), [secret_of(dialect)], [right_way(dialect)])
        assert finding is not None
        assert finding.mistakes == ()


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("body", [one for one in variants.BODIES if one != AS_IS])
def test_each_other_body_is_named(name, body):
    dialect, content = DIALECTS[name], variants.BODIES[body](BODY)
    if content is None:
        return  # only a body that is JSON twice over can be unwrapped
    same = [one for one, value in variants.made(variants.BODIES, BODY) if value == content]
    if content == BODY:
        return
    named(dialect, made(dialect, body=body), body=same[0] if same else body)


def test_a_body_encoded_twice_is_named():
    dialect = DIALECTS["rewardful"]
    in_hand = b'"{\\"a\\":1}"'
    headers = genuine(dialect, b'{"a":1}')
    finding = mistakes.explain(headers, in_hand, [secret_of(dialect)], [right_way(dialect)])
    assert finding is not None
    assert finding.way.body == "encoded as JSON once, not twice"


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("secret", [one for one in variants.SECRETS if one != AS_IS])
def test_each_other_secret_is_named(name, secret):
    dialect = DIALECTS[name]
    if variants.SECRETS[secret](secret_of(dialect)) in {None, secret_of(dialect)}:
        return
    headers = made(dialect, secret=secret)
    if headers is not None and name != "standard":  # base64 does not look at blanks, or refuses them
        named(dialect, headers, secret=secret)


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("key", variants.KEYS)
def test_each_other_key_is_named(name, key):
    dialect = DIALECTS[name]
    headers = made(dialect, key=key)
    if headers is None or key == right_way(dialect).key:
        return
    usable = {value: one for one, value in reversed(list(variants.made(variants.KEYS, secret_of(dialect))))}
    one = usable[variants.KEYS[key](secret_of(dialect))]
    named(dialect, headers, **({} if one == right_way(dialect).key else {"key": one}))


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("algorithm", [name for name in variants.ALGORITHMS if name != "sha256"])
def test_each_other_algorithm_is_named(name, algorithm):
    named(DIALECTS[name], made(DIALECTS[name], algorithm=algorithm), algorithm=algorithm)


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("encoding", ["hex", "upper-case hex", "base64", "base64url", UNPADDED])
def test_each_other_encoding_is_named(name, encoding):
    headers = made(DIALECTS[name], encoding=encoding)
    if headers != made(DIALECTS[name]):  # a digest may look the same in both
        named(DIALECTS[name], headers, encoding=encoding)


@pytest.mark.parametrize(("name", "form"), [("affonso", "v0="), ("tamio", "v1="), ("standard", "v1=")])
def test_another_form_before_the_digest_is_one_mistake(name, form):
    dialect, right = DIALECTS[name], right_way(DIALECTS[name])
    headers = tuple(
        (title, value.replace(right.form, form) if title.lower() == right.header else value)
        for title, value in genuine(dialect)
    )
    trust = Trust(secrets=(secret_of(dialect),))

    def accepts(headers, at):
        try:
            dialect.verify(Message(headers=headers, body=BODY.strip()), trust, at or AT)
        except NotGenuine:
            return False
        return True

    ways = mistakes.rights(headers, BODY.strip(), secret_of(dialect), right, accepts)
    finding = mistakes.explain(headers, BODY.strip(), [secret_of(dialect)], ways)
    assert finding is not None
    assert finding.mistakes == ("form",)


@pytest.mark.parametrize("signed", variants.TEXTS)
def test_each_other_text_is_named(signed):
    dialect = DIALECTS["standard"]
    if signed != right_way(dialect).signed:
        named(dialect, made(dialect, signed=signed), signed=signed)


@pytest.mark.parametrize("name", DIALECTS)
def test_another_header_is_named(name):
    right = right_way(DIALECTS[name])
    headers = tuple(
        ("X-Hub-Signature" if title.lower() == right.header else title, value) for title, value in made(DIALECTS[name])
    )
    finding = explained(DIALECTS[name], headers)
    assert finding is not None
    assert "header" in finding.mistakes
    assert finding.way.header == "x-hub-signature"


def test_a_prefix_before_the_digest_is_named():
    dialect = DIALECTS["rewardful"]
    headers = tuple((name, f"sha256={value}" if "Sign" in name else value) for name, value in made(dialect))
    named(dialect, headers, form="sha256=")


def test_milliseconds_that_were_signed_are_named():
    dialect = DIALECTS["standard"]
    secret = secret_of(dialect)
    digest = hmac.digest(signing.standard_key(secret), f"evt_1.{AT}.".encode() + BODY, "sha256")
    headers = (("webhook-id", "evt_1"), ("webhook-timestamp", SECONDS))
    signed = (*headers, ("webhook-signature", "v1," + base64.b64encode(digest).decode()))
    named(dialect, signed, unit=mistakes.OTHER_UNIT)


def test_the_time_of_another_header_is_named():
    dialect = DIALECTS["standard"]
    digest = hmac.digest(signing.standard_key(secret_of(dialect)), b"evt_1.1772000777." + BODY, "sha256")
    headers = (("webhook-id", "evt_1"), ("webhook-timestamp", SECONDS), ("X-Sent-At", "1772000777"))
    named(dialect, (*headers, ("webhook-signature", "v1," + base64.b64encode(digest).decode())), time_from="x-sent-at")


@given(
    name=st.sampled_from(["rewardful", "tamio", "affonso"]),
    body=st.sampled_from(
        ["as JSON with a blank behind commas and colons", "with a newline at the end", "as JSON indented by 2"]
    ),
    other=st.sampled_from(
        [{"encoding": "base64"}, {"algorithm": "sha1"}, {"secret": "with a newline at the end"}, {"signed": "id.body"}]
    ),
)
def test_two_mistakes_together_are_named(name, body, other):
    if "signed" in other and name != "affonso":
        other = {"signed": "time.body"} if name == "tamio" else {"encoding": "upper-case hex"}
    if "signed" in other and name == "affonso":
        other = {"signed": "the body alone"}
    named(DIALECTS[name], made(DIALECTS[name], body=body, **other), body=body, **other)


@given(value=st.text(max_size=300), body=st.binary(max_size=200), secret=st.text(max_size=20))
def test_nothing_that_comes_breaks_the_search(value, body, secret):
    right = right_way(DIALECTS["standard"])
    mistakes.explain((("webhook-signature", value), ("webhook-id", value)), body, [secret], [right])


def test_a_large_body_is_searched_in_seconds():
    dialect = DIALECTS["rewardful"]
    assert explained(dialect, genuine(dialect), secret="another", body=b'{"a":"' + b"x" * 100_000 + b'"}') is None


def test_mistakes_are_counted():
    assert mistakes.known() > 50
