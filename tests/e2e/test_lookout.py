"""A worker's own door: health and metrics where the operator asked for them, and nothing of the API."""

import httpx2
import pytest
from installation import Worker, eventually, free_port

pytestmark = pytest.mark.slow


def test_a_worker_tells_of_itself_and_serves_nothing_else(tmp_path, house, receiver) -> None:
    port = free_port()
    acme = house.start().organization()
    worker = Worker(house, tmp_path / "worker", AFFWIRE_WORKER_PORT=str(port)).ready()
    try:
        acme.post("/v1/endpoints", json={"url": receiver.url(), "dialect": "standard"})
        acme.post("/v1/programs", json={"name": "Spring"})
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as ask:
            eventually(lambda: 'outcome="ok"} 1.0' in ask.get("/metrics").text, what="the delivery")
            assert "affwire_delivers 1.0" in ask.get("/metrics").text
            assert [ask.get(path).status_code for path in ("/livez", "/readyz", "/v1/stats")] == [200] * 3
            assert ask.get("/v1/programs", headers=dict(acme.headers)).status_code == 404
            assert ask.get("/metrics", headers={"X-Forwarded-For": "198.51.100.7"}).status_code == 401
            assert "affwire_delivers 0.0" in house.client().get("/metrics").text
    finally:
        assert worker.end(15) == 0
