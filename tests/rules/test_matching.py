"""Which sayings an endpoint asked for."""

import pytest

from affwire.rules.matching import covers, wanted


@pytest.mark.parametrize(
    ("pattern", "name", "does"),
    [
        ("affiliate.created", "affiliate.created", True),
        ("affiliate.created", "affiliate.create", False),
        ("affiliate.create", "affiliate.created", False),
        ("affiliate.*", "affiliate.created", True),
        ("affiliate.*", "affiliate", False),
        ("affiliate*", "affiliate-signup", True),
        ("*", "anything", True),
        ("", "", True),
        ("", "x", False),
        ("*.created", "affiliate.created", False),
        ("affiliate.[a-z]*", "affiliate.created", False),
        ("Affiliate.*", "affiliate.created", False),
    ],
)
def test_a_pattern_covers_a_name_or_all_that_begins_so(pattern, name, does):
    assert covers(pattern, name) is does


@pytest.mark.parametrize(
    ("patterns", "does"),
    [
        ([], True),
        (["*"], True),
        (["membership.activated"], True),
        (["campaign_affiliate.activated"], True),
        (["campaign_affiliate.*"], True),
        (["program.*", "membership.*"], True),
        (["program.*"], False),
        (["membership.requested"], False),
    ],
)
def test_an_endpoint_may_ask_in_our_words_or_in_its_dialects(patterns, does):
    assert wanted(patterns, "membership.activated", "campaign_affiliate.activated", explicit=False) is does


@pytest.mark.parametrize(
    ("patterns", "does"),
    [
        ([], False),
        (["*"], False),
        (["c*"], False),
        (["program.created"], False),
        (["program.*"], False),
        (["affiliate.*"], False),
        (["campaign.*"], True),
        (["campaign*"], True),
        (["campaign.created"], True),
        (["campaign.updated"], False),
        (["affiliate.*", "campaign.*"], True),
    ],
)
def test_an_explicit_word_is_said_only_where_its_family_is_named(patterns, does):
    assert wanted(patterns, "program.created", "campaign.created", explicit=True) is does
