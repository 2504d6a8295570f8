"""The collector of traces: only where the operator names one, under the operator's names, and never in the way."""

import pytest
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from affwire.destinations.collector import open_provider, wanted

NAMED = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_SERVICE_NAME": "ours"}, False),
        (NAMED, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({**NAMED, "OTEL_SDK_DISABLED": "TRUE"}, False),
        ({**NAMED, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({**NAMED, "OTEL_TRACES_EXPORTER": "otlp"}, True),
    ],
)
def test_traces_are_sent_where_a_collector_is_named_and_nothing_is_switched_off(environment, expected):
    assert wanted(environment) is expected


@pytest.mark.parametrize(("given", "name"), [({}, "affwire"), ({"OTEL_SERVICE_NAME": "partners"}, "partners")])
def test_the_service_is_called_affwire_unless_the_operator_says_otherwise(monkeypatch, given, name):
    for variable, value in (NAMED | given).items():
        monkeypatch.setenv(variable, value)
    provider = open_provider(RandomIdGenerator())
    assert provider.resource.attributes["service.name"] == name
    provider.shutdown()
