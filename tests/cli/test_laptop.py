import re
import stat

import pytest

from affwire.cli.laptop import address, check_patterns, config_dir, kept_secret
from affwire.errors import Refused
from affwire.plugins import load_dialects
from affwire.rules import signing

DIALECTS = load_dialects()


@pytest.mark.parametrize("name", DIALECTS)
def test_a_secret_is_the_same_in_every_run_and_nobody_elses_to_read(tmp_path, name):
    card, folder = DIALECTS[name].card, tmp_path / "config" / "affwire"
    secret = kept_secret(card, folder)
    assert secret == kept_secret(card, folder)
    assert stat.S_IMODE((folder / f"listen-{name}").stat().st_mode) == 0o600
    form = card.authentication.secret
    assert form == "none" or signing.problem(form, secret) is None


def test_dialects_have_secrets_of_their_own(tmp_path):
    assert len({kept_secret(dialect.card, tmp_path) for dialect in DIALECTS.values()}) == len(DIALECTS)


def test_a_place_that_takes_no_file_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="secret_unusable"):
        kept_secret(DIALECTS["standard"].card, tmp_path / "file")


def test_a_filter_may_name_event_types_events_about_sending_and_the_dialects_words():
    check_patterns(DIALECTS["rewardful"].card, ["*", "membership.*", "delivery.exhausted", "campaign.created"])


@pytest.mark.parametrize("pattern", ["", "affiliate.nothing", "growi.*"])
def test_a_filter_that_lets_nothing_through_is_refused(pattern):
    with pytest.raises(Refused, match="unknown_event_type"):
        check_patterns(DIALECTS["rewardful"].card, [pattern])


def test_a_misspelt_filter_is_told_what_was_meant():
    with pytest.raises(Refused, match=re.escape("did you mean 'membership.activated'?")):
        check_patterns(DIALECTS["standard"].card, ["membrship.activated"])


def test_the_users_own_directory_is_asked_for(tmp_path):
    assert config_dir({"XDG_CONFIG_HOME": str(tmp_path)}) == tmp_path / "affwire"
    assert config_dir({}).parts[-2:] == (".config", "affwire")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("localhost:3000/hooks", "http://localhost:3000/hooks"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("https://localhost/x", "https://localhost/x"),
    ],
)
def test_a_url_without_a_scheme_is_http(typed, meant):
    assert address(typed) == meant
