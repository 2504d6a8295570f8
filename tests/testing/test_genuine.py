"""The kit's genuine requests: what they are, and that each wrong one is wrong."""

import json

import pytest

from affwire import NotGenuine, receive
from affwire.dialects.base import load_samples
from affwire.plugins import load_dialects
from affwire.testing import genuine

AT = 1_772_235_192_345
DIALECTS = load_dialects()
SIGNED = [name for name, dialect in DIALECTS.items() if dialect.card.authentication.kind.startswith("hmac")]


def test_what_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="no dialect"):
        genuine.request("nonsense")
    with pytest.raises(KeyError):
        genuine.request("rewardful", no__such__place=1)


@pytest.mark.parametrize("name", SIGNED)
def test_every_forgery_is_none(name):
    signed = genuine.request(name, at=AT)
    assert signed.is_genuine()
    assert signed.forgeries().keys() >= {"tampered", "forged", "unsigned"}
    assert not [label for label, wrong in signed.forgeries().items() if wrong.is_genuine()]


def test_a_platform_that_proves_nothing_has_no_forgeries():
    assert genuine.request("growi").forgeries() == {}
    with pytest.raises(ValueError, match="nothing to forge"):
        genuine.request("growi").forged()


def test_a_bearer_token_says_nothing_of_the_body():
    signed = genuine.request("insert_affiliate", at=AT)
    assert signed.forgeries().keys() == {"unsigned", "forged"}
    assert signed.tampered().is_genuine()


def test_only_a_signed_time_can_be_stale():
    timed = {name for name in DIALECTS if "stale" in genuine.request(name, at=AT).forgeries()}
    assert timed == {"affonso", "standard"}
    options = {"signed_text": "timestamp.body"}
    assert not genuine.request("tamio", at=AT, options=options).stale().is_genuine()
    with pytest.raises(ValueError, match="signs no time"):
        genuine.request("tamio", at=AT).stale()


@pytest.mark.parametrize("name", DIALECTS)
def test_the_same_arguments_make_the_same_bytes(name):
    assert genuine.request(name, at=AT) == genuine.request(name, at=AT)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_repeat_is_a_later_try_with_another_body_only_where_the_card_says_so(name):
    signed = genuine.request(name, at=AT)
    again = signed.repeated()
    assert again.is_genuine()
    assert again.at > signed.at
    assert (again.body != signed.body) == bool(DIALECTS[name].card.varies)
    assert again.repeated().is_genuine()


def test_a_word_may_be_any_and_changes_reach_into_the_body():
    signed = genuine.request("rewardful", "sale.unheard", object__email="kim@example.com", object__state=..., at=AT)
    body = json.loads(signed.body)
    assert body["event"]["type"] == "sale.unheard"
    assert body["object"]["email"] == "kim@example.com"
    assert "state" not in body["object"]
    assert signed.is_genuine()


def test_without_a_word_it_is_one_of_the_cards():
    for name, dialect in DIALECTS.items():
        signed = genuine.request(name, at=AT)
        assert receive(name, signed.headers, signed.body, signed.secret, AT).word in load_samples(
            type(dialect).__module__
        )


def test_a_secret_may_be_given_and_unpacks_with_the_request():
    headers, body, secret = genuine.request("rewardful", secret="my-own-secret")
    assert secret == "my-own-secret"
    assert receive("rewardful", headers, body, "my-own-secret")
    with pytest.raises(NotGenuine):
        receive("rewardful", headers, body, genuine.request("rewardful").secret)
