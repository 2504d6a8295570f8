"""affwire on PostgreSQL: a server that delivers itself, or one that does not beside some workers."""

import sys
from pathlib import Path

from processes import Pids

from drivers.affwire import Affwire
from drivers.children import Child

sys.path.append(str(Path(__file__).parents[2] / "tests" / "store"))
from servers import SAFE, Cluster


class OnPostgres(Affwire):
    """PostgreSQL of the machine, or of the package that the tests use, in a directory of its own."""

    name = "affwire-postgres"
    notes = "one `affwire serve`, PostgreSQL with fsync and synchronous_commit on and its own defaults otherwise"

    def __init__(self, *, workers: int = 0, in_flight: int | None = None) -> None:
        super().__init__(AFFWIRE_MASTER_KEY="the same on every machine, and long")
        self.arguments = ("--no-worker",) if workers else ()
        self.hired: list[Child] = []
        self.workers, self.in_flight = workers, in_flight

    def start(self, folder: Path, ca_file: Path) -> None:
        self.cluster = Cluster(SAFE)
        self.settings["AFFWIRE_DATABASE_URL"] = self.cluster.url
        super().start(folder, ca_file)

    def restart(self) -> None:
        super().restart()
        self.hired = [self._hire(number) for number in range(self.workers)]

    def pids(self) -> Pids:
        workers = [child.pid for child in self.hired]
        server = [self.child.pid] if self.child else []
        found = {"system": workers, "server": server} if workers else {"system": server}
        return {**found, "database": [server_of(self.cluster)]}

    def kill(self) -> None:
        super().kill()
        for worker in self.hired:
            worker.kill()

    def stop(self) -> None:
        for worker in self.hired:
            if worker.process.poll() is None:
                worker.stop()
        super().stop()
        if hasattr(self, "cluster"):
            self.cluster.close()

    def _hire(self, number: int) -> Child:
        environment = {**self.environment, "AFFWIRE_DATA_DIR": str(self.folder / f"worker-{number}")}
        if self.in_flight:  # one of many small machines, on a large one
            environment["AFFWIRE_IN_FLIGHT_MAX"] = str(self.in_flight)
        log = self.folder / f"worker-{number}.log"
        child = Child([sys.executable, "-m", "affwire", "worker"], log, environment, self.folder)
        child.wait_until(lambda: "is delivering" in log.read_text())
        return child


def server_of(cluster: Cluster) -> int:
    """Return the pid of the server that the others of a cluster descend from: the first line of its lock file."""
    return int((cluster.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
