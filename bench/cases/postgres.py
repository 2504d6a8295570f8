"""The drain on PostgreSQL: the CPU of affwire's process, and of the database's own processes apart from it."""

from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop
from drivers.postgres import SAFE, Cluster, server_of
from processes import watching
from stage import Stage

from cases.drain import drain


def run(stage: Stage) -> None:
    deliveries = stage.pick(200, 5_000, 50_000)
    bare = stage.bare()
    cluster = Cluster(SAFE)
    try:
        with TemporaryDirectory() as folder, watching(lambda: {"database": [server_of(cluster)]}) as watch:
            figures = uvloop.run(drain(Path(folder), stage.sink, deliveries, cluster.url))
        stage.figure("drain on PostgreSQL", {**watch.figures(deliveries), **figures}, bare=bare)
    finally:
        cluster.close()
