"""Settings, one declaration: defaults < affwire.toml < environment (AFFWIRE_*, or AFFWIRE_*_FILE for secrets) < flags.

Read by the doors and by app.py, which hands every room its own slice.
"""

import difflib
import os
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any, Final

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from affwire.errors import Refused

CONFIG_FILE: Final = "affwire.toml"
KEY_CHARACTERS_MIN: Final = 32
PREFIX: Final = "AFFWIRE_"
_KEYS: Final = ("master_key", "next_master_key", "admin_key", "smtp_url")
"""What may also be given as a file: AFFWIRE_<NAME>_FILE."""
_OF_THE_TERMINAL: Final = ("AFFWIRE_URL", "AFFWIRE_API_KEY", "AFFWIRE_SECRET")
"""Read by the commands that talk to a running server, or judge a signature."""


class Settings(BaseSettings):
    """What an operator may decide. Every field is the environment variable AFFWIRE_<NAME>."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, toml_file=CONFIG_FILE, extra="forbid")

    data_dir: Path = Field(Path("affwire-data"), description="Where the database, the keys and the lock live.")
    database_url: str | None = Field(
        None, repr=False, description="postgresql://..., or sqlite:///PATH; default: affwire.db in the data dir."
    )
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8787, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    worker_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Where a worker answers /livez, /readyz, /metrics and /v1/stats; else nowhere.",
    )
    public_url: str | None = Field(
        None, description="How the outside reaches this server; else ingest URLs are relative."
    )
    master_key: SecretStr | None = Field(
        None, description="Seals secrets at rest; else a 0600 key file in the data dir."
    )
    next_master_key: SecretStr | None = Field(
        None, description="The master key that `affwire secrets rotate-key` will bring in; known beforehand."
    )
    admin_key: SecretStr | None = Field(None, description="The operator's key; else made and kept in a 0600 file.")
    allow_networks: str = Field("", description="CIDRs, comma-separated, that outbound may reach although private.")
    allow_http: bool = Field(False, description="Allow plain http, and only into allowed networks.")
    ca_file: Path | None = Field(None, description="A PEM file of authorities to trust besides the machine's own.")
    in_flight_max: int = Field(
        2048, ge=1, le=2048, description="Requests under way in one process; fewer for a small machine."
    )
    retention_days: float = Field(30, gt=0, le=36_500, description="Age at which finished deliveries are forgotten.")

    smtp_url: SecretStr | None = Field(
        None,
        description="The mail relay: smtps://user:password@host:port, or smtp:// for STARTTLS; else no mail leaves.",
    )
    mail_from: str | None = Field(None, description="Who mail is from: Acme Partners <partners@example.com>.")

    @field_validator("admin_key", "master_key", "next_master_key")
    @classmethod
    def _long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < KEY_CHARACTERS_MIN:
            raise ValueError(f"must have {KEY_CHARACTERS_MIN} characters or more")
        return key

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- no .env files: nothing is read unasked
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- AFFWIRE_*_FILE does this by name
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))

    @property
    def database_path(self) -> Path | None:
        """The SQLite file of `database_url`; None for the default one in the data dir.

        Raises Refused: "embedded_only" for PostgreSQL, "unknown_database" for any other kind of URL.
        """
        if self.database_url is None:
            return None
        if self.postgres_url:
            raise Refused(
                "embedded_only",
                "This is for the embedded SQLite database, and AFFWIRE_DATABASE_URL names a PostgreSQL: "
                "use its own tools (pg_dump, pg_restore; see docs/operate.md).",
            )
        scheme, found, path = self.database_url.partition(":///")
        if not found or scheme != "sqlite" or not path:
            raise Refused(
                "unknown_database",
                "AFFWIRE_DATABASE_URL is postgresql://user@host/database, or sqlite:/// and a path.",
            )
        return Path(path)

    @property
    def postgres_url(self) -> str | None:
        """The URL of the PostgreSQL that holds everything; None where it is SQLite."""
        url = self.database_url or ""
        return url if url.startswith(("postgresql://", "postgres://")) else None

    @property
    def master_keys(self) -> tuple[str | None, str | None]:
        """The master key in clear, and the one that is to follow it; None what is not set."""
        keys = (self.master_key, self.next_master_key)
        master_key, following = (key.get_secret_value() if key else None for key in keys)
        return master_key, following

    @property
    def listening(self) -> frozenset[tuple[str, int]]:
        """Where this very service listens, so that no delivery goes to itself."""
        return frozenset({(str(_address(self.host)), self.port)})


def load(**flags: Any) -> Settings:
    """Return the settings; flags that are None are as if not given. Raises Refused naming each setting that is wrong."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**{**_secrets_from_files(), **given})
    except ValidationError as error:
        wrong = "; ".join(_told(str(fault["loc"][0]), fault["type"], fault["msg"]) for fault in error.errors())
        raise Refused("invalid_settings", wrong if wrong.endswith("?") else f"{wrong}.") from None
    except (OSError, ValueError) as error:
        raise Refused("invalid_settings", f"{CONFIG_FILE} cannot be read: {error}.") from error


def unknown_variables() -> tuple[str, ...]:
    """Return a sentence for each AFFWIRE_ variable that nothing reads: most likely a setting that is misspelt."""
    known = [
        *(f"{PREFIX}{name.upper()}" for name in Settings.model_fields),
        *(f"{PREFIX}{name.upper()}_FILE" for name in _KEYS),
        *_OF_THE_TERMINAL,
    ]
    given = sorted(name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known)
    return tuple(f"{name} is no setting{_hint(name.upper(), known)}" for name in given)


def _told(name: str, kind: str, message: str) -> str:
    """Say what is wrong with one setting. Only the file can hold an unknown one: the environment is asked by name."""
    if kind != "extra_forbidden":
        return f"{PREFIX}{name.upper()}: {message.removeprefix('Value error, ')}"
    known = list(Settings.model_fields)
    near = difflib.get_close_matches(name.lower().removeprefix(PREFIX.lower()), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
    return f"{CONFIG_FILE}: there is no {name!r}; {hint}"


def _hint(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name.removeprefix(PREFIX), [one.removeprefix(PREFIX) for one in known], n=1)
    return f"; did you mean {PREFIX}{near[0]}?" if near else "."


def _secrets_from_files() -> dict[str, Any]:
    """AFFWIRE_MASTER_KEY_FILE and the like name files that hold the secret, as container platforms mount them."""
    found = {}
    for name in _KEYS:
        path = os.environ.get(f"AFFWIRE_{name.upper()}_FILE")
        if path and not os.environ.get(f"AFFWIRE_{name.upper()}"):
            found[name] = _key_in(Path(path), f"AFFWIRE_{name.upper()}_FILE")
    return found


def _key_in(path: Path, setting: str) -> str:
    try:
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise Refused("invalid_settings", f"{setting}: {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Refused("invalid_settings", f"{setting}: {path} holds no text.") from error


def _address(host: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(host)
    except ValueError:
        return ip_address("127.0.0.1" if host == "localhost" else "0.0.0.0")  # noqa: S104 -- a name may be any of ours
