"""Drain a backlog over HTTPS to a receiver in another process; print deliveries/s and CPU-seconds per 1,000.

Each figure stands beside a bare loop of the same HTTP client in the same minute: machines differ, ratios less.
Usage: python bench/drain.py [EVENTS] [ENDPOINTS]
"""

import asyncio
import json
import multiprocessing
import os
import platform
import sqlite3
import ssl
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import trustme

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "e2e"))
from installation import Installation, eventually

from affwire.destinations.guard import Guard, Rules
from affwire.destinations.http import HttpWire
from affwire.model.wire import Limits, Request

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Talk(asyncio.Protocol):
    """The cheapest HTTP/1.1 server there is: one answer per complete request."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.data = transport, b""

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            head = self.data[:end].lower()
            at = head.index(b"content-length:") + 15
            length = int(head[at:].split(b"\r\n", 1)[0])
            if len(self.data) < end + 4 + length:
                return
            self.data = self.data[end + 4 + length :]
            self.transport.write(ANSWER)


def receive(cert: str, ready: "multiprocessing.Queue[int]") -> None:
    import uvloop

    async def main() -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(cert)
        server = await asyncio.get_running_loop().create_server(Talk, "127.0.0.1", 0, ssl=tls, backlog=1024)
        ready.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main(), loop_factory=uvloop.new_event_loop) if sys.version_info >= (3, 12) else uvloop.run(main())


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def bare(url: str, ca_file: Path, count: int) -> tuple[float, float]:
    """Return requests/s and CPU-seconds per 1,000 of the client alone, 200 in flight."""
    wire = HttpWire(Guard(Rules.parse("127.0.0.0/8")), ca_file)
    request = Request(url, (("Content-Type", "application/json"),), b"x" * 1300)
    limits = Limits(5000, 5000, 5000)
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            await wire.send(request, limits)

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(200)))
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    await wire.close()
    return count / seconds, used / count * 1000


def drain(folder: Path, url: str, ca_file: Path, events: int, endpoints: int) -> dict[str, float]:
    installation = Installation(folder, ca_file)
    try:
        client = installation.start().organization()
        ids = []
        for number in range(endpoints):
            body = {"url": f"{url}{number}", "dialect": "standard", "paused": True, "policy": {"max_in_flight": 50}}
            ids.append(client.post("/v1/endpoints", json=body).json()["id"])
        key = client.headers["Authorization"][7:]
        began = time.perf_counter()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda share: seed(installation, key, share), [events // 8] * 8))
        seeding = time.perf_counter() - began
        total = events // 8 * 8 * endpoints
        pid = installation._process.pid  # noqa: SLF001
        began, cpu = time.perf_counter(), cpu_seconds(pid)
        for endpoint_id in ids:
            client.patch(f"/v1/endpoints/{endpoint_id}", json={"paused": False})
        book = sqlite3.connect(f"file:{installation.data_dir / 'affwire.db'}?mode=ro", uri=True)
        count = "SELECT COUNT(*) FROM deliveries WHERE settled_at IS NOT NULL"
        eventually(lambda: book.execute(count).fetchone()[0] >= total, 300)
        seconds, used = time.perf_counter() - began, cpu_seconds(pid) - cpu
        return {
            "deliveries": total,
            "deliveries_per_second": round(total / seconds),
            "cpu_seconds_per_1000": round(used / total * 1000, 3),
            "registry_changes_per_second": round(events / seeding),
        }
    finally:
        installation.close()


def seed(installation: Installation, key: str, count: int) -> None:
    client = installation.client(key)
    for number in range(count):
        client.post("/v1/programs", json={"name": f"Program {number}"})


def main() -> None:
    events, endpoints = (int(argument) for argument in (sys.argv[1:] + ["1000", "20"][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "cert.pem")
        ready: multiprocessing.Queue[int] = multiprocessing.Queue()
        receiver = multiprocessing.Process(target=receive, args=(str(folder / "cert.pem"), ready), daemon=True)
        receiver.start()
        url = f"https://127.0.0.1:{ready.get()}/"
        rate, cpu = asyncio.run(bare(url, folder / "ca.pem", 20_000))
        figures = drain(folder, url, folder / "ca.pem", events, endpoints)
        receiver.terminate()
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "sqlite": sqlite3.sqlite_version}
    print(
        json.dumps(
            {
                **machine,
                **figures,
                "bare_requests_per_second": round(rate),
                "bare_cpu_seconds_per_1000": round(cpu, 3),
                "cpu_ratio": round(figures["cpu_seconds_per_1000"] / cpu, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
