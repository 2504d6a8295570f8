"""What the console's pages cost on a store full of history: time to the first byte, CPU, bytes.

Every list, each with its facets set to what is rare, and the search, in front of one `affwire serve`.
"""

import http.client
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import quote, urlencode

from archive import Archive, seed
from book import Figures
from drivers.affwire import Affwire
from processes import cpu_s
from stage import Stage

ROUNDS = 9
"""Of each page; the first is not counted: templates are compiled, and the pages of the file are read."""


def run(stage: Stage) -> None:
    deliveries = stage.pick(4_000, 20_000, 200_000, 1_000_000)
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        archive = seed(folder / "data", deliveries, stage.say)
        driver = Affwire()
        try:
            driver.start_on(folder, stage.sink.ca_file)
            pages = {path: _asked(driver, archive, path) for path in lists(archive)}
            finds = {path: _asked(driver, archive, path) for path in searches(archive)}
        finally:
            driver.stop()
    at = "" if stage.size != "full" else ", 1,000,000"
    for title, found in (("console: lists", pages), ("console: search", finds)):
        stage.figure(f"{title}{at}", {"deliveries": deliveries, **_worst(found)})
        for path, figures in sorted(found.items(), key=lambda one: -one[1]["cpu_ms"]):
            told = path.replace(archive.organization_id, "org_...")
            stage.say(f"{figures['first_ms']:7.1f} ms {figures['cpu_ms']:7.1f} ms CPU {figures['kb']:6.1f} KB  {told}")


def lists(archive: Archive) -> list[str]:
    """Return every list, as it opens and with each facet set, to what is rare if there is such."""
    endpoint, affiliate = archive.endpoint_ids[0], archive.first["affiliate"]
    facets = {
        "/deliveries": [
            *({"status": one} for one in ("delivered", "retrying", "pending", "held", "exhausted", "cancelled")),
            *({"outcome": one} for one in ("ok", "failed", "unknown", "2xx", "5xx")),
            {"endpoint": endpoint},
            {"endpoint": endpoint, "status": "exhausted"},
            {"endpoint": endpoint, "outcome": "failed"},
            {"endpoint": endpoint, "status": "retrying"},
            {"dialect": "growi", "outcome": "5xx"},
            {"dialect": "tamio"},
            {"type": "affiliate.deleted"},
            {"since": "1h"},
            {"event": archive.first["event"]},
            {"order": "oldest"},
            {"order": "oldest", "since": "1h"},
        ],
        "/events": [
            {"type": "affiliate.deleted"},
            {"since": "1h"},
            {"since": "1h", "order": "oldest"},
            {"affiliate": affiliate},
            {"program": archive.program_ids[-1]},
            {"subject": affiliate},
        ],
        "/inbox": [
            *({"status": one} for one in ("applied", "parked", "rejected")),
            {"dialect": "rewardful"},
            {"since": "1h"},
            {"word": "none"},
            {"affiliate": affiliate},
        ],
        "/affiliates": [
            *({"status": one} for one in ("active", "pending", "left")),
            {"program": archive.program_ids[-1]},
            {"program": archive.program_ids[-1], "status": "pending"},
            {"tag": "none"},
            {"source": "none"},
            {"country": "SE"},
            {"country": "FR"},
            {"account": "suspicious"},
            {"q": "person17"},
            {"q": "nobody is called so"},
        ],
        "/programs": [{"order": "oldest"}],
        "/endpoints": [{"dialect": "growi"}],
        "/sources": [],
        "/settings/users": [],
        "/settings/keys": [],
        "/settings/mails": [],
        "/": [],
    }
    return [f"{path}?{urlencode(one)}" if one else path for path, many in facets.items() for one in [{}, *many]]


def searches(archive: Archive) -> list[str]:
    """Return searches for everything that can be searched for."""
    asked = [*archive.first.values(), archive.endpoint_ids[-1], archive.program_ids[-1]]
    asked += ["person49000@example.org", "Person 49000", "Person", "49999", "nobody is called so", "cus_49000"]
    asked += ["ext:crm:cus_49000", "rwd-49000", "ia_0123abcd", "SAVE49000", "https://shop.example/?via=token49000"]
    asked += ["https://127.0.0.1:9443/receiver/7", "wh_17", f"{'0' * 8}-0000-7000-8000-{'0' * 12}", "v1,c2lnbmF0dXJl"]
    return [f"/search?q={quote(one)}" for one in asked]


def _asked(driver: Affwire, archive: Archive, path: str) -> dict[str, float]:
    """Return a page's median ms to its first byte, its CPU in ms, and its KB."""
    pid = driver.pids()["system"][0]
    connection = http.client.HTTPConnection("127.0.0.1", driver.port, timeout=60)
    headers = {"Cookie": f"affwire={archive.token}"}
    firsts: list[float] = []
    size = 0
    for turn in range(ROUNDS + 1):
        if turn == 1:
            used = cpu_s(pid)
        began = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        firsts.append((time.perf_counter() - began) * 1000)
        size = len(answer.read())
        if answer.status not in {200, 303}:
            raise RuntimeError(f"{path} was answered {answer.status}")
    used = cpu_s(pid) - used
    connection.close()
    return {"first_ms": median(firsts[1:]), "cpu_ms": used * 1000 / ROUNDS, "kb": size / 1024}


def _worst(found: dict[str, dict[str, float]]) -> Figures:
    """Return the slowest page's and the largest page's figures, and what is usual."""
    return {
        "pages": len(found),
        "first_ms": max(one["first_ms"] for one in found.values()),
        "first_ms_median": median(one["first_ms"] for one in found.values()),
        "cpu_ms": max(one["cpu_ms"] for one in found.values()),
        "cpu_ms_median": median(one["cpu_ms"] for one in found.values()),
        "kb": max(one["kb"] for one in found.values()),
        "slowest": max(found, key=lambda path: found[path]["cpu_ms"]),
    }
