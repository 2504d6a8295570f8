"""A word of a dialect typed at a terminal: whose it is, and what makes it said."""

import pytest

from affwire.cli.spelling import installed_cards
from affwire.cli.words import meant, owner
from affwire.errors import AffwireError


@pytest.mark.parametrize(
    ("typed", "named", "dialect", "event_type", "fields"),
    [
        ("membership.activated", None, "standard", "membership.activated", {}),
        ("campaign_affiliate.activated", None, "growi", "membership.activated", {}),
        ("campaign_affiliate.paused", None, "growi", "membership.changed", {"status": "paused"}),
        ("campaign_affiliate.*", None, "growi", "membership.changed", {}),
        ("affiliate-approved", None, "tamio", "membership.activated", {}),
        ("affiliate.deactivated", None, "insert_affiliate", "affiliate.deleted", {}),
        ("affiliate.created", "affonso", "affonso", "membership.requested", {}),
        ("affiliate.created", "rewardful", "rewardful", "affiliate.created", {}),
    ],
)
def test_a_word_is_its_dialects_and_leads_to_an_event_type(typed, named, dialect, event_type, fields):
    found = meant(typed, named)
    assert (found.dialect, found.event_type, found.fields) == (dialect, event_type, fields)


def test_a_canonical_type_that_another_dialect_means_otherwise_is_told():
    assert meant("affiliate.created", None).elsewhere == (("affonso", "membership.requested"),)
    assert meant("affiliate.created", "rewardful").elsewhere == ()
    assert meant("membership.activated", None).elsewhere == ()


@pytest.mark.parametrize(
    ("typed", "named", "code", "told"),
    [
        ("membership.activatd", None, "unknown_event_type", "'membership.activated'?"),
        ("affiliate-aproved", None, "unknown_event_type", "'affiliate-approved'?"),
        ("campaign_affiliate.activatd", None, "unknown_event_type", "'campaign_affiliate.activated'?"),
        ("campaign_affiliate.activatd", "growi", "unknown_event_type", "'campaign_affiliate.activated'?"),
        ("klingon", None, "unknown_event_type", "known are program.created, "),
        ("klingon", "tamio", "unknown_event_type", "known are affiliate-program-created, "),
        ("affiliate-approved", "growi", "unknown_event_type", "it is one of tamio."),
        ("affiliate-approved", "tamoi", "unknown_dialect", "'tamio'?"),
        ("endpoint.failing", None, "untriggerable_word", "--sample"),
    ],
)
def test_what_is_no_word_is_refused_with_what_may_have_been_meant(typed, named, code, told):
    with pytest.raises(AffwireError) as refusal:
        meant(typed, named)
    assert refusal.value.code == code
    assert told in refusal.value.sentence


def test_a_word_that_several_dialects_have_names_them():
    card = installed_cards()["tamio"]
    cards = {"tamio": card, "oimat": card}
    with pytest.raises(AffwireError, match="ambiguous_word") as refusal:
        owner("affiliate-approved", None, cards)
    assert "tamio, oimat" in refusal.value.sentence
    assert owner("affiliate-approved", "oimat", cards) == "oimat"
