"""Traces: ids that follow from the request's, one decision for all processes, links only to callers that exist."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import StatusCode

from affwire.engine.tracing import Ids, Tracing
from affwire.model import ids
from affwire.model.inbound import Kept

MS = 1_000_000


class Traced:
    """A process with traces that are kept in memory."""

    def __init__(self, share=1.0):
        self.exporter, generator = InMemorySpanExporter(), Ids()
        provider = TracerProvider(sampler=TraceIdRatioBased(share), id_generator=generator, shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracing = Tracing(provider, generator)

    def request(self, request_id="req_1", path="/v1/programs", status=201, headers=()):
        scope = {"method": "POST", "path": path, "headers": list(headers), "state": {"request_id": request_id}}
        self.tracing.requested(scope, status, 5 * MS, 7 * MS)

    @property
    def spans(self):
        return self.exporter.get_finished_spans()


def test_processes_agree_on_what_is_sampled_and_it_is_the_share_asked_for():
    one, other = Traced(0.25), Traced(0.25)
    names = [ids.make("request", 1_772_000_000_000 + n, n * 0x9E3779B97F4A7C15) for n in range(400)]
    for name in names:
        one.request(name)
        other.request(name)
    seen = [[span.attributes["affwire.request_id"] for span in process.spans] for process in (one, other)]
    assert seen[0] == seen[1]
    assert 60 < len(seen[0]) < 140


def test_a_request_s_ids_are_its_own_and_always_the_same():
    traced = Traced()
    for name in ("req_1", "req_1", "req_2"):
        traced.request(name)
    first, again, other = (span.context for span in traced.spans)
    assert (first.trace_id, first.span_id) == (again.trace_id, again.span_id)
    assert {first.trace_id, first.span_id}.isdisjoint({other.trace_id, other.span_id})


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v1/affiliates", "/v1/affiliates"),
        ("/v1/promo-codes/pc_01abc", "/v1/promo-codes/{id}"),
        ("/v1/affiliates/ext:crm:17/confirm", "/v1/affiliates/{id}/confirm"),
    ],
)
def test_a_span_s_name_holds_no_id(path, route):
    traced = Traced()
    traced.request(path=path)
    assert traced.spans[0].name == f"POST {route}"


@pytest.mark.parametrize(
    "told",
    [b"", b"nonsense", b"00-" + b"0" * 32 + b"-" + b"1" * 16 + b"-01", b"01-" + b"a" * 32 + b"-" + b"1" * 16 + b"-01"],
)
def test_a_caller_s_span_that_is_none_is_not_linked(told):
    traced = Traced()
    traced.request(headers=[(b"traceparent", told)])
    assert traced.spans[0].links == ()


def test_only_our_own_faults_are_errors():
    traced = Traced()
    for status in (201, 422, 503, 0):
        traced.request(status=status)
    wrong = [span.status.status_code is StatusCode.ERROR for span in traced.spans]
    assert wrong == [False, False, True, True]


def test_a_message_s_span_goes_from_its_arrival_to_its_end_and_tells_the_fault():
    traced = Traced()
    message = Kept(id="msg_1", organization_id="org_1", source_id="src_1", dialect="growi", received_at=1_000)
    traced.tracing.processed(message, 1_250, ValueError("a secret"))
    [span] = traced.spans
    assert (span.start_time, span.end_time) == (1_000 * MS, 1_250 * MS)
    assert span.status.description == "ValueError"
