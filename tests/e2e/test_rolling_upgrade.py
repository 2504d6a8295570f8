"""A rolling upgrade (F15): the next version migrates the database while this one runs, both work, and nothing is lost.

The next version is this code with one more step of the schema and a few words that this code has never heard.
"""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from installation import Worker, eventually
from test_kill import Writer
from test_workers import PATIENT, books, check, unfinished

from affwire.store import schema

STEP = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{revision}", "{down}", None, None
compatible = {compatible}

def upgrade():
    op.add_column("affiliates", sa.Column("shoe_size", sa.Integer()))
    op.add_column("endpoints", sa.Column("colour", sa.Text(), server_default="blue"))
    op.create_table("shoes", sa.Column("id", sa.Text(), primary_key=True))
"""
NEXT = """
from pathlib import Path
from affwire.cli.main import main
from affwire.store import schema

for function in (schema.head, schema.upgrade, schema.alembic_config):
    function.__defaults__ = (Path({folder!r}),)
main()
"""


def next_version(folder: Path, *, compatible: bool) -> str:
    """Return the program of a version whose schema goes one step further."""
    shutil.copytree(schema.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    step = STEP.format(revision="8000", down=schema.head(), compatible=compatible)
    (folder / "versions" / "8000_next.py").write_text(step)
    return NEXT.format(folder=str(folder))


@pytest.mark.slow
def test_the_next_version_joins_during_traffic_and_nothing_is_lost(house, hire, receiver, tmp_path) -> None:
    client = house.start().organization()
    for path in ("/in", "/also"):
        body = {"url": receiver.url(path), "dialect": "standard", "policy": PATIENT}
        assert client.post("/v1/endpoints", json=body).status_code == 201
    program_id = client.post("/v1/programs", json={"name": "Spring"}).json()["id"]
    old = hire().ready()
    writers = [Writer(number, house.client(client.headers["Authorization"][7:]), program_id) for number in range(2)]
    for writer in writers:
        writer.start()
    eventually(lambda: len(receiver.seen) > 20, 60, "traffic")
    new = hire(next_version(tmp_path / "next", compatible=True)).ready()
    with psycopg.connect(house.environment["AFFWIRE_DATABASE_URL"]) as book:
        assert book.execute("SELECT version_num FROM alembic_version").fetchone() == ("8000",)
        book.execute('UPDATE affiliates SET shoe_size = 43, metadata = \'{"unheard": {"of": 1}}\'')
        book.execute("UPDATE endpoints SET policy = (policy::jsonb || '{\"unheard_of\": 1}')::json")
    seen = len(receiver.seen)
    eventually(lambda: len(receiver.seen) > seen + 40, 60, "traffic with both")
    for worker in (old, new):
        eventually(lambda worker=worker: delivered(worker) > 0, 30, "its share")
    again = hire().ready()  # a machine that is not upgraded yet starts under the new schema
    seen = len(receiver.seen)
    eventually(lambda: len(receiver.seen) > seen + 20, 60, "traffic with three")
    for writer in writers:
        writer.running = False
    for writer in writers:
        writer.join()
    eventually(lambda: not unfinished(house), 60, "the drain")
    assert house.stop() == 0
    assert [worker.end(signal.SIGTERM) for worker in (old, new, again)] == [0, 0, 0]
    found = books(house)
    check(found, receiver, {affiliate_id for writer in writers for affiliate_id in writer.accepted})
    assert set(found[2]) == {"ok"}
    for worker in (old, new, again):
        assert "failed" not in worker.log.read_text()


@pytest.mark.slow
def test_under_a_schema_that_it_cannot_serve_this_version_refuses_to_start(house, hire, tmp_path) -> None:
    hire(next_version(tmp_path / "next", compatible=False)).ready().end(signal.SIGTERM)
    command = [sys.executable, "-m", "affwire", "worker"]
    told = subprocess.run(command, env=house.environment, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert "schema 8000, made by a newer affwire; this one knows" in told.stderr


def delivered(worker: Worker) -> int:
    return worker.log.read_text().count('"verdict":"delivered"')
