"""Dashboard and alert rules: every metric, label and value that they ask for is one that a real server under traffic gives."""

import json
import re
from pathlib import Path

import pytest
import yaml
from installation import HttpsReceiver, Installation, eventually
from prometheus_client.parser import text_string_to_metric_families
from test_inbound import as_rewardful, open_source, send
from typer.testing import CliRunner

from affwire.cli.main import app

DEPLOY = Path(__file__).parents[2] / "deploy"
OF_PROMETHEUS = {"job", "instance", "le"}
"""Labels that the scraper adds, or that a histogram has."""
FUNCTIONS = {"sum", "max", "min", "rate", "increase", "changes", "histogram_quantile", "predict_linear", "vector", "by"}
FUNCTIONS |= {"and", "or"}
SERIES = re.compile(r"\b([a-z_:][a-z0-9_:]*)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')


def panels():
    return json.loads((DEPLOY / "grafana" / "affwire.json").read_text("utf-8"))["panels"]


def rules():
    [group] = yaml.safe_load((DEPLOY / "prometheus" / "affwire.rules.yml").read_text("utf-8"))["groups"]
    return group["rules"]


def asked() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel.get("targets", ())] + [
        one["expr"] for one in rules()
    ]


def wanted(expression: str):
    """Every series of an expression, with the labels and values that it is picked by; and the labels it is grouped by."""
    plain = re.sub(r"\[[^\]]*\]|\bby \([^)]*\)", "", expression)
    series = [
        (name, MATCHER.findall(matchers or ""))
        for name, matchers in SERIES.findall(plain)
        if name not in FUNCTIONS and not re.fullmatch(r"e\d*", name) and (matchers or "_" in name or name == "up")
    ]
    grouped = {label.strip() for labels in re.findall(r"\bby \(([^)]*)\)", expression) for label in labels.split(",")}
    return series, grouped


@pytest.fixture
def seen(installation: Installation, receiver: HttpsReceiver) -> dict[str, list[dict[str, str]]]:
    """The samples of a server that delivered, failed, gave up, took a message in and refused a forged one."""
    receiver.answers |= {"/fails": lambda _: 500, "/again": lambda before: 500 if before == 0 else 200}
    acme = installation.start().organization()
    for path, schedule in (("/in", []), ("/fails", []), ("/again", [0.01])):
        body = {"url": receiver.url(path), "dialect": "standard", "policy": {"retry_schedule": schedule}}
        assert acme.post("/v1/endpoints", json=body).status_code == 201
    acme.post("/v1/programs", json={"name": "Spring"})
    source, signed = open_source(acme, "rewardful"), as_rewardful("affiliate.created")
    send(acme, source, signed)
    assert acme.post(source["ingest_url"], content=signed.body).status_code == 401
    verdicts = ("delivered", "dead", "retry")
    read = lambda: installation.client().get("/metrics").text  # noqa: E731
    eventually(lambda: all(f'verdict="{one}"' in read() for one in verdicts), what="every verdict")
    samples: dict[str, list[dict[str, str]]] = {"up": [{}]}
    for family in text_string_to_metric_families(read()):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append(sample.labels)
    return samples


@pytest.mark.slow
def test_dashboard_and_rules_ask_only_for_what_there_is(seen):
    for expression in asked():
        series, grouped = wanted(expression)
        assert series, expression
        for name, matchers in series:
            assert name in seen, f"{name} in {expression}"
            labels = set().union(*seen[name]) | OF_PROMETHEUS
            assert {label for label, _ in matchers} | grouped <= labels, expression
            for label, value in matchers:
                if label not in OF_PROMETHEUS and not value.startswith("$"):
                    there = {one[label] for one in seen[name]}
                    assert set(value.split("|")) & there, f"{label}={value} in {expression}: there is {there}"


@pytest.mark.slow
def test_every_metric_of_ours_is_on_the_dashboard_and_in_the_guide(seen):
    families = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in seen if name.startswith("affwire_")}
    document = (DEPLOY / "grafana" / "affwire.json").read_text("utf-8")
    assert not [name for name in families if name not in document]
    guide = (DEPLOY.parent / "docs" / "operate.md").read_text("utf-8")
    assert not [name for name in families if f"`{name}`" not in guide]


def test_every_expression_is_whole():
    for expression in asked():
        for opened, closed in ("()", "{}", "[]"):
            assert expression.count(opened) == expression.count(closed), expression


def test_every_alert_tells_what_to_do_and_commands_it_names_exist():
    for rule in rules():
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert set(rule["annotations"]) == {"summary", "action"}
        for named in re.findall(r"`affwire ([a-z -]+?)(?: --[^`]*)?`", rule["annotations"]["action"]):
            assert CliRunner().invoke(app, [*named.split(), "--help"]).exit_code == 0, named


def test_panels_have_a_place_of_their_own_and_say_what_they_show():
    taken = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert panel["type"] == "row" or panel["description"]
