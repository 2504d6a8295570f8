"""Where traces go: the collector that the operator names by the standard OTEL_* variables, over OTLP/HTTP.

Rule: it is the operator's own setting and nobody else's, so it does not pass the guard. Without it, nothing is imported.
"""
# ruff: noqa: PLC0415 -- the extra `otel` need not be installed

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from affwire import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.id_generator import IdGenerator

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SERVICE: Final = "affwire"


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether traces are to be sent: a collector is named, and neither the SDK nor its traces are switched off."""
    off = (
        environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none"
    )
    return not off and any(environment.get(name) for name in ENDPOINTS)


def open_provider(ids: "IdGenerator") -> "TracerProvider":
    """Return a provider that sends in batches from a thread of its own; close it with shutdown(). Raises ImportError.

    Sampling, headers, limits and batches are OTEL_*, too. What the collector does not take in time is dropped and told
    in the log; no request and no delivery ever waits for it.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    ours = Resource({"service.name": SERVICE, "service.version": __version__})
    provider = TracerProvider(
        resource=ours.merge(OTELResourceDetector().detect()), id_generator=ids, shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
