"""The composition root: what it refuses at the start, in a sentence."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from relays import AUTHORITY, Box, relay

from affwire.app import open_house
from affwire.dialects.base import Dialect
from affwire.errors import Refused
from affwire.model.events import Actor
from affwire.services import application_form, applications, organizations, programs
from affwire.services.actions import Caller
from affwire.services.events import acting
from affwire.settings import Settings
from affwire.store.tx import Tx


@pytest.mark.parametrize("name", ["nonexistent.pem", "."])
def test_a_ca_file_that_cannot_be_read_is_refused_in_a_sentence_not_a_traceback(tmp_path: Path, name: str) -> None:
    settings = Settings(data_dir=tmp_path / "data", ca_file=tmp_path / name)

    async def start() -> None:
        async with open_house(settings):
            pass

    with pytest.raises(Refused, match=r"AFFWIRE_CA_FILE: .* cannot be read: ") as refusal:
        asyncio.run(start())
    assert refusal.value.code == "invalid_settings"


@pytest.mark.parametrize(
    "wrong",
    [
        {"mail_from": None},
        {"public_url": None},
        {"smtp_url": "https://mail.example.com"},
        {"mail_from": "nobody"},
    ],
)
def test_a_mail_relay_that_cannot_be_used_is_refused_at_the_start_without_its_password(
    tmp_path: Path, wrong: dict[str, str | None]
) -> None:
    good = {
        "smtp_url": "smtps://acme:p4ssword@mail.example.com",
        "mail_from": "partners@acme.example",
        "public_url": "https://partners.acme.example",
    }
    settings = Settings(data_dir=tmp_path / "data", **{**good, **wrong})  # type: ignore[arg-type]

    async def start() -> None:
        async with open_house(settings):
            pass

    with pytest.raises(Refused, match="AFFWIRE_SMTP_URL") as refusal:
        asyncio.run(start())
    assert refusal.value.code == "invalid_settings"
    assert "p4ssword" not in str(refusal.value)
    assert "p4ssword" not in repr(settings)


@pytest.mark.slow
def test_an_open_house_sends_the_mail_of_an_application_through_its_relay(tmp_path: Path) -> None:
    box = Box()
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    async def scene() -> None:
        async with relay(box, name="localhost", auth=True) as port:
            settings = Settings(
                data_dir=tmp_path / "data",
                smtp_url=f"smtp://acme:s3cret%3A%2F%40@localhost:{port}",
                mail_from="Acme <partners@acme.example>",
                public_url="https://partners.acme.example/",
                allow_networks="127.0.0.0/8,::1/128",
                ca_file=tmp_path / "ca.pem",
            )
            async with open_house(settings) as house:
                await house.store.run(lambda tx: _applied(tx, house.dialects))
                await asyncio.wait_for(box.arrived.wait(), 10)

    asyncio.run(scene())
    [letter] = box.letters
    assert letter["To"] == "ada@example.com"
    assert "https://partners.acme.example/confirm/" in letter.get_body(("plain",)).get_content()


def _applied(tx: Tx, dialects: Mapping[str, Dialect]) -> None:
    organization, _ = organizations.create(tx, {"slug": "acme", "name": "Acme"})
    with acting(tx, Caller(organization.id, Actor("operator")), dialects) as action:
        program = programs.create(action, {"name": "Spring", "is_public": True})
    form = application_form.read({"email": "ada@example.com", "first_name": "Ada"})
    applications.apply(tx, dialects, program.id, form, origin="203.0.113.7")


@pytest.mark.slow
def test_traces_that_cannot_be_made_are_told_and_keep_nobody_from_serving(tmp_path: Path) -> None:
    code = """
import asyncio, sys
sys.modules["opentelemetry.sdk"] = None
from affwire.app import open_house
from affwire.settings import Settings

async def start():
    async with open_house(Settings(data_dir=sys.argv[1])):
        print("serves")

asyncio.run(start())
"""
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "data")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "serves" in done.stdout
    assert "tracing.off" in done.stdout + done.stderr
    assert "affwire[otel]" in done.stdout + done.stderr
