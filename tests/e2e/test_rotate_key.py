"""Another master key while everything runs (F56): killed half-way, both keys are read; in the end the former is not needed."""

import json
import subprocess
import sys

import psycopg
import pytest
from installation import MASTER_KEY, Installation, eventually
from standardwebhooks import Webhook
from test_kill import Writer
from test_workers import PATIENT, books, check, unfinished

from affwire.store.vault import key_from_text, key_id_of

FORMER, NEW = MASTER_KEY, "the new master key, of as many characters"
ENDPOINTS = 400
"""That hear nothing: something for a rotation to do, in batches, so that it can be killed between two of them."""
ROTATE = [sys.executable, "-m", "affwire", "secrets", "rotate-key", "--json"]


@pytest.mark.slow
def test_a_rotation_is_killed_half_way_under_load_and_goes_on_and_the_former_key_can_go(house, hire, receiver) -> None:
    ignorant = hire().ready()
    house.environment["AFFWIRE_NEXT_MASTER_KEY"] = NEW
    client = house.start().organization()
    secrets = {}
    for path in ("/in", "/also"):
        body = {"url": receiver.url(path), "dialect": "standard", "policy": PATIENT, "headers": {"X-Own": path}}
        secrets[path] = client.post("/v1/endpoints", json=body).json()["secret"]
    quiet = {"url": receiver.url("/quiet"), "dialect": "standard", "event_types": ["program.deleted"]}
    for _ in range(ENDPOINTS):
        assert client.post("/v1/endpoints", json=quiet).status_code == 201
    assert client.post("/v1/sources", json={"dialect": "standard", "secret": secrets["/in"]}).status_code == 201

    told = subprocess.run(ROTATE, env=house.environment, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert f"does not know the new key {name(NEW)} yet" in told.stderr
    assert under(house) == {name(FORMER)}
    assert ignorant.end(15) == 0

    hire().ready()
    program_id = client.post("/v1/programs", json={"name": "Spring"}).json()["id"]
    writers = [Writer(n, house.client(client.headers["Authorization"][7:]), program_id) for n in range(2)]
    for writer in writers:
        writer.start()
    cut = subprocess.Popen(ROTATE, env=house.environment, stdout=subprocess.DEVNULL)
    with psycopg.connect(house.environment["AFFWIRE_DATABASE_URL"], autocommit=True) as book:
        anew = "SELECT count(*) > 0 FROM endpoints WHERE secrets::text LIKE %s"
        eventually(lambda: book.execute(anew, [f"%{name(NEW)}%"]).fetchone()[0], 30, "the first batch")
        cut.kill()
    cut.wait()
    assert under(house) == {name(FORMER), name(NEW)}, "killed half-way"
    assert client.post("/v1/endpoints", json=quiet).status_code == 201
    hire().ready()  # which finds the database under the new key, and much of it under the former
    done = subprocess.run(ROTATE, env=house.environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["key_id"] == name(NEW)
    assert under(house) == {name(NEW)}
    assert client.post("/v1/endpoints", json=quiet).status_code == 201
    assert under(house) == {name(NEW)}, "what is sealed from now on is under it, too"
    for writer in writers:
        writer.running = False
    for writer in writers:
        writer.join()
    eventually(lambda: not unfinished(house), 60, "the drain")
    accepted = {affiliate_id for writer in writers for affiliate_id in writer.accepted}
    found = books(house)
    check(found, receiver, accepted)
    assert set(found[2]) == {"ok"}, "nothing failed, nothing was said twice"
    for seen in receiver.seen:
        Webhook(secrets[seen.path]).verify(seen.body, seen.headers)
        assert seen.headers["x-own"] == seen.path


@pytest.mark.slow
def test_after_a_rotation_the_new_key_is_enough(house, hire, receiver) -> None:
    house.environment["AFFWIRE_NEXT_MASTER_KEY"] = NEW
    client = house.start().organization()
    secret = client.post("/v1/endpoints", json={"url": receiver.url(), "dialect": "standard"}).json()["secret"]
    subprocess.run(ROTATE, env=house.environment, capture_output=True, check=True)
    assert house.stop() == 0
    del house.environment["AFFWIRE_NEXT_MASTER_KEY"]
    house.environment["AFFWIRE_MASTER_KEY"] = NEW
    house.start()
    hire().ready()
    assert client.post("/v1/affiliates", json={"email": "kim@example.org"}).status_code == 201
    eventually(lambda: bool(receiver.seen), 30, "a delivery")
    Webhook(secret).verify(receiver.seen[0].body, receiver.seen[0].headers)
    house.environment["AFFWIRE_MASTER_KEY"] = FORMER
    told = subprocess.run(ROTATE, env=house.environment, capture_output=True, text=True, check=False)
    assert (told.returncode, "AFFWIRE_NEXT_MASTER_KEY" in told.stderr) == (2, True)


def name(key: str) -> str:
    return key_id_of(key_from_text(key))


def under(house: Installation) -> set[str]:
    """Return the names of the keys that anything in the database is sealed under."""
    with psycopg.connect(house.environment["AFFWIRE_DATABASE_URL"]) as book:
        return {
            key_id
            for table in ("endpoints", "sources", "messages", "meta")
            for (key_id,) in book.execute(
                f"SELECT DISTINCT (regexp_matches(t::text, 'v1\\.([0-9a-f]{{12}})\\.', 'g'))[1] FROM {table} t"  # noqa: S608
            )
        }
