"""Traces: a real server and a real OTLP collector; a request, its events and their attempts are one trace."""

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from installation import HttpsReceiver, Installation, eventually
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from test_inbound import as_rewardful, open_source, send

pytestmark = pytest.mark.slow


class Collector:
    """Takes what an exporter sends: OTLP over plain HTTP."""

    def __init__(self) -> None:
        collector = self
        self.spans = []
        self.services = set()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Be quiet."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            facts = {one.key: one.value.string_value for one in resource.resource.attributes}
            self.services.add(facts["service.name"])
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]

    def named(self, name: str) -> list:
        return [span for span in self.spans if span.name == name]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture
def traced(tmp_path, collector: Collector) -> Iterator[tuple[Installation, HttpsReceiver]]:
    receiver = HttpsReceiver(tmp_path)
    server = Installation(tmp_path, receiver.ca_file)
    server.environment |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "NO_PROXY": "*",
    }
    yield server.start(), receiver
    server.close()
    receiver.close()


def facts(span) -> dict[str, object]:
    values = {one.key: one.value for one in span.attributes}
    return {name: getattr(value, value.WhichOneof("value")) for name, value in values.items()}


def test_a_request_its_event_and_its_attempts_are_one_trace_without_a_secret(traced, collector):
    server, receiver = traced
    receiver.answers["/in"] = lambda before: 503 if before == 0 else 200
    acme = server.organization()
    policy = {"retry_schedule": [0.05]}
    endpoint = acme.post("/v1/endpoints", json={"url": receiver.url(), "dialect": "standard", "policy": policy}).json()
    caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = acme.post("/v1/programs", json={"name": "Spring"}, headers={"traceparent": caller})
    eventually(lambda: len(collector.named("deliver standard")) == 2)
    eventually(lambda: bool(collector.named("POST /v1/programs")))
    [request] = collector.named("POST /v1/programs")
    assert facts(request)["affwire.request_id"] == answer.headers["x-request-id"]
    assert [event.name for event in request.events] == ["program.created"]
    assert [link.trace_id.hex() for link in request.links] == ["0af7651916cd43dd8448eb211c80319c"]
    attempts = sorted(collector.named("deliver standard"), key=lambda span: facts(span)["affwire.attempt"])
    assert [facts(one)["affwire.verdict"] for one in attempts] == ["retry", "delivered"]
    assert [facts(one)["http.response.status_code"] for one in attempts] == [503, 200]
    assert [one.status.code for one in attempts] == [2, 0]
    assert {one.trace_id for one in attempts} == {request.trace_id}
    assert {one.parent_span_id for one in attempts} == {request.span_id}
    assert collector.services == {"affwire"}
    assert endpoint["secret"] not in str(collector.spans)
    assert not [span for span in collector.spans if "/readyz" in span.name]


def test_a_batch_is_a_span_and_each_of_its_operations_a_trace_that_links_to_it(traced, collector):
    server, receiver = traced
    acme = server.organization()
    acme.post("/v1/endpoints", json={"url": receiver.url(), "dialect": "standard"})
    operations = [{"method": "POST", "path": "/v1/programs", "body": {"name": f"P{n}"}} for n in range(2)]
    acme.post("/v1/batches", json={"emit": True, "operations": operations})
    eventually(lambda: len(collector.named("deliver standard")) == 2)
    eventually(lambda: len(collector.named("POST /v1/batches operation")) == 2)
    [batch] = collector.named("POST /v1/batches")
    inner = collector.named("POST /v1/batches operation")
    assert {link.span_id for one in inner for link in one.links} == {batch.span_id}
    assert {one.parent_span_id for one in collector.named("deliver standard")} == {one.span_id for one in inner}


def test_a_message_that_came_in_is_a_span_until_it_is_settled(traced, collector):
    server, _ = traced
    acme = server.organization()
    source = open_source(acme, "rewardful")
    send(acme, source, as_rewardful("affiliate.created"))
    eventually(lambda: bool(collector.named("process rewardful")))
    [span] = collector.named("process rewardful")
    assert facts(span)["affwire.source_id"] == source["id"]
    token = source["ingest_url"].rpartition("/")[2]
    assert token not in str(collector.spans)


def test_without_a_collector_nothing_of_it_is_imported():
    code = "import sys, affwire.app; sys.exit(any(name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter')) for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
