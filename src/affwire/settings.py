"""Settings, one declaration: defaults < affwire.toml < environment (AFFWIRE_*, or AFFWIRE_*_FILE for secrets) < flags.

Read by the doors and by app.py, which hands every room its own slice.
"""

import os
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any, Final

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from affwire.errors import Refused

CONFIG_FILE: Final = "affwire.toml"
KEY_CHARACTERS_MIN: Final = 32


class Settings(BaseSettings):
    """What an operator may decide. Every field is the environment variable AFFWIRE_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="AFFWIRE_", toml_file=CONFIG_FILE, extra="ignore")

    data_dir: Path = Field(Path("affwire-data"), description="Where the database, the keys and the lock live.")
    database_url: str | None = Field(None, description="sqlite:///PATH; default: affwire.db in the data dir.")
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8787, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    public_url: str | None = Field(
        None, description="How the outside reaches this server; else ingest URLs are relative."
    )
    master_key: SecretStr | None = Field(
        None, description="Seals secrets at rest; else a 0600 key file in the data dir."
    )
    admin_key: SecretStr | None = Field(None, description="The operator's key; else made and kept in a 0600 file.")
    allow_networks: str = Field("", description="CIDRs, comma-separated, that outbound may reach although private.")
    allow_http: bool = Field(False, description="Allow plain http, and only into allowed networks.")
    ca_file: Path | None = Field(None, description="A PEM file of authorities to trust besides the machine's own.")
    retention_days: float = Field(30, gt=0, le=36_500, description="Age at which finished deliveries are forgotten.")

    @field_validator("admin_key", "master_key")
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

        Raises Refused("unknown_database") for any other kind of URL.
        """
        if self.database_url is None:
            return None
        scheme, found, path = self.database_url.partition(":///")
        if not found or scheme != "sqlite" or not path:
            raise Refused(
                "unknown_database",
                "AFFWIRE_DATABASE_URL is sqlite:/// and a path; other databases come in a later release.",
            )
        return Path(path)

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
        wrong = "; ".join(
            f"AFFWIRE_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in error.errors()
        )
        raise Refused("invalid_settings", f"{wrong}.") from None
    except (OSError, ValueError) as error:
        raise Refused("invalid_settings", f"{CONFIG_FILE} cannot be read: {error}.") from error


def _secrets_from_files() -> dict[str, Any]:
    """AFFWIRE_MASTER_KEY_FILE and AFFWIRE_ADMIN_KEY_FILE name files that hold the key, as container platforms mount them."""
    found = {}
    for name in ("master_key", "admin_key"):
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
