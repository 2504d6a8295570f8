"""How a command talks with a running server: the way opened, what goes wrong told in one sentence."""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from affwire.cli.terminal import sentences

if TYPE_CHECKING:
    from affwire.cli.client import Client


@contextmanager
def talking(*, operator: bool = False) -> "Iterator[Client]":
    """Yield a client of the server, with the operator's key if wished; exits as `sentences` does."""
    with sentences():
        from affwire.cli.client import open_client, reading

        with open_client(operator=operator) as client, reading(client):
            yield client


def at(path: str, record_id: str) -> str:
    """Return the path of one record. Whatever the id holds, it names one step: dots and slashes lead nowhere else."""
    return f"{path}/{quote(record_id, safe='').replace('.', '%2E')}"
