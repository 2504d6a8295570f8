"""What the store's tests share: two processes at one PostgreSQL."""

import pytest

from affwire.store.engines.postgres import began_at, open_postgres
from affwire.store.store import Store
from affwire.store.tables import metadata
from affwire.store.tx import Tx
from affwire.store.vault import Vault
from affwire.world import World


@pytest.fixture
def processes(schemas):
    """The stores of two processes on one database; each engine stands for a process."""
    url, world, vault = schemas.new(), World(), Vault(b"k" * 32)

    def make_tx(connection):
        return Tx(connection, world, vault, began_at(connection))

    engines = [open_postgres(url, make_tx, prepare=metadata.create_all) for _ in range(2)]
    yield [Store(engine) for engine in engines]
    for engine in engines:
        engine.close()
