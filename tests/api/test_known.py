"""The keys that the API knows: remembered, never longer than they are good."""

import asyncio

import pytest

from affwire.api.known import KNOWN_MAX, KnownKeys
from affwire.errors import Unauthorized
from affwire.services import organizations
from affwire.store.keys import ApiKey
from affwire.testing.house import MemoryHouse

OPERATOR = "the-operators-own-key-of-many-characters"


class Bench:
    """A store in memory with a key, and what knows it."""

    def __init__(self) -> None:
        self.house = MemoryHouse()
        self.known = KnownKeys(self.house.store, organizations.digest(OPERATOR))
        self.key, self.secret = self.made()

    def made(self, expires_at: int | None = None) -> tuple[ApiKey, str]:
        organization_id = self.house.organization.id
        return self.house.run(
            lambda tx: organizations.create_key(tx, organization_id, name="k", scope="admin", expires_at=expires_at)
        )

    def asked(self, secret: str, at: int | None = None) -> str:
        now = self.house.world.now() if at is None else at
        return asyncio.run(self.known.identity(secret, now)).scope

    def revoke(self) -> None:
        self.house.run(lambda tx: organizations.revoke_key(tx, self.house.organization.id, self.key.id))

    def revoke_unheard(self) -> None:
        """As another process would: this one hears nothing of it."""
        self.house.run(lambda tx: tx.connection.exec_driver_sql("UPDATE keys SET revoked_at = 1"))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_key_that_is_known_is_not_looked_up_again(bench):
    assert bench.asked(bench.secret) == "admin"
    bench.revoke_unheard()
    assert bench.asked(bench.secret) == "admin"


def test_an_unknown_key_is_refused_and_not_remembered(bench):
    for _ in range(2):
        with pytest.raises(Unauthorized):
            bench.asked("awk_unknown")
    assert not bench.known._known


def test_a_key_is_refused_from_its_revocation_on(bench):
    bench.made()
    assert bench.asked(bench.secret) == "admin"
    bench.revoke()
    with pytest.raises(Unauthorized):
        bench.asked(bench.secret)


def test_a_revocation_that_was_undone_ends_nobody(bench):
    bench.made()

    def work(tx):
        organizations.revoke_key(tx, bench.house.organization.id, bench.key.id)
        raise Unauthorized("undone")

    with pytest.raises(Unauthorized, match="undone"):
        bench.house.run(work)
    assert bench.asked(bench.secret) == "admin"


def test_a_key_ends_at_its_time_though_it_is_known(bench):
    end = bench.house.world.now() + 60_000
    _, secret = bench.made(expires_at=end)
    assert bench.asked(secret, end - 1) == "admin"
    bench.house.clock.advance(60_000)
    with pytest.raises(Unauthorized):
        bench.asked(secret, end)


class Overtaken(KnownKeys):
    """During each look-up a key is revoked, too late to be seen by it."""

    def _look_up(self, tx, secret):
        found = super()._look_up(tx, secret)
        self._store.revocations += 1  # as the commit does, on the writer's thread
        return found


class Shared(KnownKeys):
    """Beside other processes, as on PostgreSQL."""

    def _look_up(self, tx, secret):
        return super()._look_up(tx, secret)[0], False


@pytest.mark.parametrize("kind", [Overtaken, Shared])
def test_what_may_be_over_is_looked_up_again(bench, kind):
    bench.known = kind(bench.house.store, organizations.digest(OPERATOR))
    assert bench.asked(bench.secret) == "admin"
    bench.revoke_unheard()
    with pytest.raises(Unauthorized):
        bench.asked(bench.secret)


def test_no_more_keys_are_remembered_than_the_limit(bench):
    bench.known._known = {str(number): (0, None) for number in range(KNOWN_MAX)}
    bench.asked(bench.secret)
    assert len(bench.known._known) == 1
