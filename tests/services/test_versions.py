"""Versions: of two who saw the same record only one saves it, on both engines, however close they come."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from affwire.errors import PreconditionFailed
from affwire.model import canonical
from affwire.model.events import Actor
from affwire.model.registry import Program
from affwire.plugins import load_dialects
from affwire.services import organizations, programs, versions
from affwire.services.actions import Caller, found
from affwire.services.events import acting
from affwire.store.engines.postgres import began_at, open_postgres
from affwire.store.engines.sqlite import open_sqlite
from affwire.store.store import Store
from affwire.store.tables import metadata
from affwire.store.tx import Tx
from affwire.store.vault import Vault
from affwire.testing.house import TEST_KEY
from affwire.world import World

ROUNDS = 10
WAIT_S = 30


@pytest.fixture(params=["sqlite", "postgres"])
def savers(request, tmp_path):
    """Two stores of one database: on PostgreSQL two processes', on SQLite its one process's, twice."""
    world, vault, dialects = World(), Vault(TEST_KEY), load_dialects()

    def make_tx(connection):
        return Tx(connection, world, vault, began_at(connection) if request.param == "postgres" else world.now())

    if request.param == "postgres":
        url = request.getfixturevalue("schemas").new()
        engines = [open_postgres(url, make_tx, prepare=metadata.create_all) for _ in range(2)]
    else:
        engines = [open_sqlite(tmp_path / "a.db", make_tx, prepare=metadata.create_all)]
    stores = [Store(engine) for engine in engines]
    yield Savers(stores[0], stores[-1], dialects)
    for engine in engines:
        engine.close()


class Savers:
    """Two people at one program."""

    def __init__(self, one, other, dialects):
        self.stores, self.dialects = (one, other), dialects
        self.organization = one.submit(lambda tx: organizations.create(tx, {"slug": "a", "name": "A"})[0]).result(
            WAIT_S
        )
        self.program = self.act(one, lambda action: programs.create(action, {"name": "As it was"}))

    def act(self, store, do):
        def work(tx):
            with acting(tx, Caller(self.organization.id, Actor("operator")), self.dialects) as action:
                return do(action)

        return store.submit(work).result(WAIT_S)

    def now(self, tx):
        return canonical.record(found(tx, Program, self.organization.id, self.program.id))

    def tag(self):
        return self.stores[0].submit(lambda tx: versions.tag(self.now(tx))).result(WAIT_S)

    def save(self, store, name, seen):
        def change(action):
            versions.check(self.now(action.tx), seen)
            programs.update(action, self.program.id, {"name": name})

        self.act(store, change)


def test_of_two_who_save_at_once_what_they_both_saw_one_is_told_so(savers):
    for number in range(ROUNDS):
        seen, ready = savers.tag(), Barrier(2)

        def save(one, seen=seen, ready=ready, number=number):
            index, store = one
            ready.wait(WAIT_S)
            try:
                savers.save(store, f"{number} by {index}", seen)
            except PreconditionFailed as error:
                return error.code
            return f"{number} by {index}"

        with ThreadPoolExecutor(2) as pool:
            said = list(pool.map(save, enumerate(savers.stores)))
        assert said.count("precondition_failed") == 1
        [won] = [one for one in said if one != "precondition_failed"]
        assert savers.stores[0].submit(savers.now).result(WAIT_S)["name"] == won


def test_who_looks_again_may_save(savers):
    first = savers.tag()
    savers.save(savers.stores[0], "One", first)
    with pytest.raises(PreconditionFailed):
        savers.save(savers.stores[1], "Two", first)
    savers.save(savers.stores[1], "Two", savers.tag())
    with pytest.raises(PreconditionFailed):
        savers.save(savers.stores[1], "Three", "")


def test_a_tag_is_of_what_is_shown_whether_as_a_value_or_as_its_bytes():
    assert versions.tag({"a": 1}) == versions.tag(b'{"a":1}') != versions.tag({"a": 2})
