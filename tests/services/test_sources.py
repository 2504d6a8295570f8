"""Sources: no secret is missing unsaid, every secret is sealed, and a badge says what the way in is worth."""

import pytest

from affwire.dialects.base import Card
from affwire.errors import Conflict
from affwire.model.inbound import Source
from affwire.services import sources

SECRET = "a-secret-of-the-platform"
NEXT = "another-secret"
STANDARD = "whsec_" + "A" * 32


def create(house, dialect="rewardful", **fields):
    if dialect == "rewardful" and "unverified" not in fields:
        fields = {"secret": SECRET, **fields}
    return house.run(lambda tx: sources.create(tx, house.organization, house.dialects, dialect, fields))


def update(house, source, **fields):
    return house.run(lambda tx: sources.update(tx, house.organization, house.dialects, source.id, fields))


def rotate(house, source, secret=NEXT, overlap_ms=1_000, *, token=False):
    wish = {"secret": secret, "overlap_ms": overlap_ms, "token": token}
    return house.run(lambda tx: sources.rotate(tx, house.organization, house.dialects, source.id, **wish))


def opened(house, source):
    return list(house.run(lambda tx: sources.opened_secrets(tx, read(house, source, tx))))


def read(house, source, tx=None):
    work = lambda tx: tx.registry.get(Source, house.organization.id, source.id)  # noqa: E731
    return work(tx) if tx else house.run(work)


def test_a_source_keeps_its_secret_and_its_token_sealed(house):
    source = create(house, name="Ours", mode="relay", match="id")
    path = house.run(lambda tx: sources.ingest_path(tx, source))
    assert path.startswith("/in/awi_")
    assert len(path) == len("/in/awi_") + 48
    stored = str(house.everything())
    assert SECRET not in stored
    assert path.removeprefix("/in/") not in stored
    assert opened(house, source) == [SECRET]
    assert (source.name, source.mode, source.match, source.enabled, source.secrets[0].last4) == (
        "Ours",
        "relay",
        "id",
        True,
        SECRET[-4:],
    )


def test_two_sources_have_two_urls(house):
    first, second = create(house), create(house)
    assert house.run(lambda tx: sources.ingest_path(tx, first)) != house.run(lambda tx: sources.ingest_path(tx, second))


@pytest.mark.parametrize("dialect", ["rewardful", "affonso", "tamio", "standard", "insert_affiliate"])
def test_a_missing_secret_is_refused_unless_it_is_said(house, dialect):
    with house.refuses("missing_secret", field="secret"):
        house.run(lambda tx: sources.create(tx, house.organization, house.dialects, dialect, {}))
    assert create(house, dialect, unverified=True).unverified


def test_a_dialect_that_never_signs_needs_no_word_and_takes_no_secret(house):
    assert create(house, "growi").secrets == []
    with house.refuses("no_secret", field="secret"):
        create(house, "growi", secret=SECRET)


@pytest.mark.parametrize(
    ("dialect", "secret"),
    [
        ("rewardful", ""),
        ("rewardful", "short"),
        ("rewardful", "sécret-with-accent"),
        ("standard", "whsec_short"),
        ("standard", SECRET),
        ("insert_affiliate", "two words"),
        ("insert_affiliate", ""),
        ("insert_affiliate", "x" * 1_025),
        ("insert_affiliate", "é"),
    ],
)
def test_a_secret_that_does_not_fit_is_refused(house, dialect, secret):
    with house.refuses("invalid_secret", field="secret"):
        create(house, dialect, secret=secret)


def test_secrets_that_fit_are_taken(house):
    assert opened(house, create(house, "standard", secret=STANDARD)) == [STANDARD]
    assert opened(house, create(house, "insert_affiliate", secret="x" * 1_024)) == ["x" * 1_024]


def test_a_secret_beside_unverified_is_a_contradiction(house):
    with house.refuses("secret_unused", field="secret"):
        create(house, secret=SECRET, unverified=True)


def test_an_unknown_dialect_and_one_that_is_only_written_are_refused(house):
    with house.refuses("unknown_dialect", field="dialect"):
        create(house, "nobody")
    name = next(iter(house.dialects))
    mute = type("Mute", (), {"card": replaced(house.dialects[name].card)})
    house.dialects = {**house.dialects, name: mute}
    with house.refuses("not_read", field="dialect"):
        create(house, name)


def replaced(card: Card) -> Card:
    return Card(**{**{name: getattr(card, name) for name in card.__struct_fields__}, "inbound": None})


def test_an_unknown_option_is_refused(house):
    with house.refuses("unknown_option", field="options"):
        create(house, options={"nothing": "x"})


def test_a_change_keeps_what_it_does_not_name(house):
    source = create(house, name="Ours")
    after = update(house, source, mode="relay", enabled=False)
    assert (after.name, after.mode, after.enabled, after.secrets) == ("Ours", "relay", False, source.secrets)
    assert after.updated_at > source.updated_at


def test_a_change_of_nothing_moves_nothing(house):
    source = create(house, name="Ours")
    with house.changes_nothing():
        update(house, source, name="Ours", unverified=False)


def test_a_new_secret_replaces_all_others(house):
    source = rotate(house, create(house))
    after = update(house, source, secret="third-secret")
    assert opened(house, after) == ["third-secret"]


def test_unverified_forgets_the_secrets_and_a_secret_ends_it(house):
    source = update(house, create(house), unverified=True)
    assert (source.unverified, source.secrets) == (True, [])
    with house.refuses("missing_secret"):
        update(house, source, unverified=False)
    after = update(house, source, secret=SECRET)
    assert (after.unverified, len(after.secrets)) == (False, 1)
    with house.refuses("secret_unused"):
        update(house, source, secret=SECRET, unverified=True)


def test_options_are_merged(house):
    source = create(house, "tamio", secret=SECRET)
    name, option = next(iter(house.dialects["tamio"].card.options.items()))
    value = option.choices[0] if option.choices else "X-Other"
    after = update(house, source, options={name: value})
    assert after.options == {name: value}
    assert update(house, after, options={name: None}).options == {}


def test_all_secrets_of_a_rotation_verify_until_it_is_over(house):
    source = rotate(house, create(house))
    assert opened(house, source) == [NEXT, SECRET]
    house.clock.advance(999)
    assert len(opened(house, source)) == 2
    house.clock.advance(1)
    assert opened(house, source) == [NEXT]
    assert house.run(lambda tx: sources.drop_expired_secrets(tx, house.organization.id)) == 1
    assert len(read(house, source).secrets) == 1
    assert house.run(lambda tx: sources.drop_expired_secrets(tx, house.organization.id)) == 0


def test_without_an_overlap_the_old_secret_ends_at_once(house):
    assert opened(house, rotate(house, create(house), overlap_ms=0)) == [NEXT]


def test_secrets_that_verify_together_are_counted(house):
    source = create(house)
    for nth in range(4):
        rotate(house, source, f"secret-number-{nth}")
    with pytest.raises(Conflict) as refusal:
        rotate(house, source, "one-too-many")
    assert refusal.value.code == "too_many_secrets"
    rotate(house, source, "without-overlap", overlap_ms=0)


def test_a_rotation_of_nothing_is_refused(house):
    source = create(house)
    with house.refuses("nothing_to_rotate"):
        rotate(house, source, None)


def test_a_new_url_leaves_the_secrets_alone(house):
    source = create(house)
    after = rotate(house, source, None, token=True)
    assert after.secrets == source.secrets
    assert after.token_digest != source.token_digest
    assert house.run(lambda tx: tx.sources.by_token(source.token_digest)) is None
    assert house.run(lambda tx: tx.sources.by_token(after.token_digest)).id == source.id


def test_a_deleted_source_is_found_no_more(house):
    source = create(house)
    house.run(lambda tx: sources.delete(tx, house.organization, source.id))
    with house.refuses("source_not_found"):
        update(house, source, enabled=False)
    assert read(house, source) is None


@pytest.mark.parametrize(
    ("dialect", "fields", "expected"),
    [
        ("rewardful", {}, ("signed", "id", "yellow")),
        ("affonso", {"secret": SECRET}, ("signed+time", "id", "green")),
        ("standard", {"secret": STANDARD}, ("signed+time", "id", "green")),
        ("insert_affiliate", {"secret": "token"}, ("bearer", "derived", "yellow")),
        ("growi", {}, ("none", "derived", "red")),
        ("rewardful", {"unverified": True}, ("none", "id", "red")),
    ],
)
def test_a_badge_says_what_the_way_in_is_worth(house, dialect, fields, expected):
    source = create(house, dialect, **fields)
    badge = sources.badge(house.dialects[dialect].card, source)
    assert (badge.authenticity, badge.dedupe, badge.colour) == expected
    assert (badge.warning is None) == (badge.colour == "green")


def test_a_source_whose_dialect_is_gone_is_worth_nothing(house):
    badge = sources.badge(None, create(house))
    assert (badge.authenticity, badge.colour) == ("none", "red")
    assert "not installed" in badge.warning


def test_trust_holds_the_secrets_in_clear_and_the_options(house):
    trust = house.run(lambda tx: sources.trust(tx, create_in(tx, house)))
    assert (trust.secrets, trust.options) == ((SECRET,), {})


def create_in(tx, house):
    return sources.create(tx, house.organization, house.dialects, "rewardful", {"secret": SECRET})
