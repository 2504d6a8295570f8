"""Settings: defaults, the file, the environment, flags; the later wins."""

from pathlib import Path

import pytest

from affwire.errors import Refused
from affwire.settings import Settings, load, unknown_variables

LONG = "k" * 32


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    """An environment without any setting, in an empty directory."""
    import os

    for name in list(os.environ):
        if name.startswith("AFFWIRE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def refused(code, *parts, **flags):
    with pytest.raises(Refused) as refusal:
        load(**flags)
    assert refusal.value.code == code
    for part in parts:
        assert part in refusal.value.sentence
    return refusal.value.sentence


def test_without_anything_the_defaults_hold():
    settings = load()
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 8787, Path("affwire-data"))
    assert (settings.admin_key, settings.master_key, settings.allow_networks) == (None, None, "")
    assert (settings.allow_http, settings.retention_days, settings.database_path) == (False, 30, None)


def test_flags_win_over_the_environment_and_that_over_the_file(monkeypatch):
    Path("affwire.toml").write_text('port = 1\nhost = "a"\nallow_networks = "10.0.0.0/8"\n')
    assert (load().port, load().host) == (1, "a")
    monkeypatch.setenv("AFFWIRE_PORT", "2")
    monkeypatch.setenv("AFFWIRE_HOST", "b")
    assert (load().port, load().host) == (2, "b")
    settings = load(port=3, host=None)
    assert (settings.port, settings.host, settings.allow_networks) == (3, "b", "10.0.0.0/8")


@pytest.mark.parametrize("yes", ["1", "true", "yes", "on"])
def test_a_switch_is_turned_on_in_words_or_figures(monkeypatch, yes):
    monkeypatch.setenv("AFFWIRE_ALLOW_HTTP", yes)
    assert load().allow_http is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AFFWIRE_PORT", "-1"),
        ("AFFWIRE_PORT", "65536"),
        ("AFFWIRE_PORT", "http"),
        ("AFFWIRE_RETENTION_DAYS", "0"),
        ("AFFWIRE_RETENTION_DAYS", "-1"),
        ("AFFWIRE_RETENTION_DAYS", "nan"),
        ("AFFWIRE_RETENTION_DAYS", "inf"),
        ("AFFWIRE_ALLOW_HTTP", "perhaps"),
    ],
)
def test_a_setting_that_is_wrong_is_named(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    refused("invalid_settings", name)


def test_every_setting_that_is_wrong_is_named(monkeypatch):
    monkeypatch.setenv("AFFWIRE_PORT", "x")
    monkeypatch.setenv("AFFWIRE_ADMIN_KEY", "short-key")
    sentence = refused("invalid_settings", "AFFWIRE_PORT", "AFFWIRE_ADMIN_KEY", "32 characters")
    assert "short-key" not in sentence


@pytest.mark.parametrize("name", ["ADMIN_KEY", "MASTER_KEY"])
def test_a_key_comes_from_the_environment_or_from_a_file(monkeypatch, name):
    field = name.lower()
    Path("key").write_text(f"  {LONG}\n")
    monkeypatch.setenv(f"AFFWIRE_{name}_FILE", "key")
    assert getattr(load(), field).get_secret_value() == LONG
    monkeypatch.setenv(f"AFFWIRE_{name}", "e" * 40)
    assert getattr(load(), field).get_secret_value() == "e" * 40


def test_a_key_given_as_a_flag_wins_over_its_file(monkeypatch):
    Path("key").write_text(LONG)
    monkeypatch.setenv("AFFWIRE_ADMIN_KEY_FILE", "key")
    assert load(admin_key="f" * 32).admin_key.get_secret_value() == "f" * 32


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"too short"])
def test_a_key_file_that_cannot_be_used_is_named_and_never_shown(monkeypatch, content):
    if content is not None:
        Path("key").write_bytes(content)
    monkeypatch.setenv("AFFWIRE_MASTER_KEY_FILE", "key")
    assert "too short" not in refused("invalid_settings", "AFFWIRE_MASTER_KEY")


@pytest.mark.parametrize("content", ["port =", "\x00", "[port"])
def test_a_file_that_cannot_be_read_is_named(content):
    Path("affwire.toml").write_text(content)
    refused("invalid_settings", "affwire.toml")


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("alow_http = true", "did you mean 'allow_http'?"),
        ("Prt = 1", "did you mean 'port'?"),
        ("AFFWIRE_PORT = 1", "did you mean 'port'?"),
        ("[server]\nport = 1", "there are: data_dir, "),
    ],
)
def test_a_key_of_the_file_that_is_misspelt_is_not_ignored(line, hint):
    Path("affwire.toml").write_text(line)
    refused("invalid_settings", "affwire.toml: there is no ", hint)


def test_what_stands_behind_a_misspelt_key_is_never_shown():
    Path("affwire.toml").write_text(f'admin_ky = "{LONG}"')
    assert LONG not in refused("invalid_settings", "admin_key")


def test_a_variable_that_is_misspelt_is_told_and_not_refused(monkeypatch):
    monkeypatch.setenv("AFFWIRE_ALOW_HTTP", "1")
    monkeypatch.setenv("AFFWIRE_QQQQQ", LONG)
    assert load().allow_http is False
    assert unknown_variables() == (
        "AFFWIRE_ALOW_HTTP is no setting; did you mean AFFWIRE_ALLOW_HTTP?",
        "AFFWIRE_QQQQQ is no setting.",
    )


def test_every_variable_that_is_read_is_known(monkeypatch):
    read = ("URL", "API_KEY", "MASTER_KEY_FILE", "ADMIN_KEY_FILE", *(name.upper() for name in Settings.model_fields))
    for name in read:
        monkeypatch.setenv(f"AFFWIRE_{name}", "x")
    monkeypatch.setenv("OTHER_AFFWIRE_X", "x")
    monkeypatch.setenv("affwire_host", "x")
    assert unknown_variables() == ()


def test_a_key_is_never_shown():
    settings = load(admin_key=LONG, master_key=LONG)
    assert LONG not in repr(settings) + str(settings.model_dump())


@pytest.mark.parametrize(
    ("url", "path"), [("sqlite:///affwire.db", "affwire.db"), ("sqlite:////var/lib/a.db", "/var/lib/a.db")]
)
def test_a_database_is_a_file(url, path):
    assert Settings(database_url=url).database_path == Path(path)


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///", "sqlite:/x", "affwire.db"])
def test_any_other_database_is_refused(url):
    with pytest.raises(Refused) as refusal:
        _ = Settings(database_url=url).database_path
    assert refusal.value.code == "unknown_database"


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("::1", "::1"), ("example.com", "0.0.0.0")],  # noqa: S104
)
def test_where_we_listen_is_known_as_an_address(host, address):
    assert Settings(host=host, port=1).listening == frozenset({(address, 1)})
