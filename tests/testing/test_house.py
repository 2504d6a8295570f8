"""The house in memory: its store is the code's own, however quickly it is made."""

from affwire.store.engines.sqlite import open_sqlite
from affwire.store.engines.sqlite_file import driver_of
from affwire.store.tables import metadata
from affwire.store.tx import Tx
from affwire.testing.house import MemoryHouse

MADE = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"


def test_a_house_has_the_very_tables_of_the_code():
    house = MemoryHouse()

    def make_tx(connection):
        return Tx(connection, house.world, house.vault, house.world.now())

    plain = open_sqlite(None, make_tx, prepare=metadata.create_all)
    expected = plain.submit(lambda tx: driver_of(tx.connection).execute(MADE).fetchall()).result()
    plain.close()
    assert len(expected) > 100
    assert house.run(lambda tx: driver_of(tx.connection).execute(MADE).fetchall()) == expected


def test_what_one_house_does_to_its_dialects_is_its_own():
    house = MemoryHouse()
    house.dialects.clear()
    assert MemoryHouse().dialects
