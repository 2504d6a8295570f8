"""The composition root: what it refuses at the start, in a sentence."""

import asyncio
from pathlib import Path

import pytest

from affwire.app import open_house
from affwire.errors import Refused
from affwire.settings import Settings


@pytest.mark.parametrize("name", ["nonexistent.pem", "."])
def test_a_ca_file_that_cannot_be_read_is_refused_in_a_sentence_not_a_traceback(tmp_path: Path, name: str) -> None:
    settings = Settings(data_dir=tmp_path / "data", ca_file=tmp_path / name)

    async def start() -> None:
        async with open_house(settings):
            pass

    with pytest.raises(Refused, match=r"AFFWIRE_CA_FILE: .* cannot be read: ") as refusal:
        asyncio.run(start())
    assert refusal.value.code == "invalid_settings"
