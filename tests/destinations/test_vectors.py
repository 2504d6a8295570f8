"""The guard meets every vector of the list, and the runner reads its format as documented."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from affwire.destinations.vectors import run

VECTORS = json.loads(Path(__file__).with_name("ssrf_vectors.json").read_text(encoding="utf-8"))
PUBLIC = {"input": "https://hooks.example.com/", "dns": [["93.184.216.34"]]}


def verdicts(*vectors: Any) -> list[dict[str, str]]:
    """Run vectors to their end."""

    async def scene() -> list[dict[str, str]]:
        return [verdict async for verdict in run(vectors)]

    return asyncio.run(scene())


def test_every_vector_is_judged_as_expected_and_in_order() -> None:
    judged = verdicts(*VECTORS)
    assert [line["input"] for line in judged] == [vector["input"] for vector in VECTORS]
    wrong = [
        (line, vector["expect"])
        for line, vector in zip(judged, VECTORS, strict=True)
        if line["verdict"] != vector["expect"]
    ]
    assert wrong == []
    assert all(line["why"] for line in judged)


@pytest.mark.parametrize(
    "more",
    [
        {"dns": []}, {"dns": [[]]}, {"dns": [["93.184.216.34"], []]}, {"dns": [["93.184.216.34"], ["10.0.0.1"]]},
        {"dns": [["nonsense"]]},
        {"dns": [["$SELF"]]}, {"cname": "db.internal"}, {"cname": "localhost."}, {"cname": "10.0.0.1"},
        {"header": ["Host", "x"]}, {"response": {"status": 302, "location": "https://x.example/"}},
        {"response": {"status": 200, "headers": {"REFRESH": "0;url=x"}}}, {"response": {"headers": {"Location": "/"}}},
        {"input": "https://$SELF/"}, {"input": "https://$SELF:8787/"},
    ],
)  # fmt: skip
def test_one_bad_part_refuses_a_vector(more: dict[str, Any]) -> None:
    assert verdicts({**PUBLIC, **more})[0]["verdict"] == "refuse"


@pytest.mark.parametrize(
    "more",
    [{}, {"cname": "edge.example.net"}, {"header": ["X-A", "b"]}, {"response": {"status": 200,
    "headers": {"Content-Type": "x"}}},
     {"dns": [["93.184.216.34", "2606:4700::1"], ["1.1.1.1"]]}],
)  # fmt: skip
def test_good_parts_leave_a_vector_allowed(more: dict[str, Any]) -> None:
    assert verdicts({**PUBLIC, **more})[0]["verdict"] == "allow"


@pytest.mark.parametrize("field", ["dns", "cname", "header", "response"])
def test_a_part_that_is_null_counts_as_absent(field: str) -> None:
    assert verdicts({**PUBLIC, "input": "https://93.184.216.34/", field: None})[0]["verdict"] == "allow"


def test_a_name_whose_dns_is_null_is_an_empty_answer() -> None:
    assert verdicts({**PUBLIC, "dns": None})[0]["verdict"] == "refuse"


def test_no_address_is_this_service_itself_unless_self_is_named() -> None:
    literal = {"input": "https://192.30.252.1/", "why": "$SELF is not what is meant"}
    answer = {**PUBLIC, "dns": [["192.30.252.1"]]}
    assert [line["verdict"] for line in verdicts(literal, answer)] == ["allow", "allow"]
    itself = verdicts({"input": "https://$SELF/"}, {**PUBLIC, "dns": [["192.30.252.1"], ["$SELF"]]})
    assert [line["verdict"] for line in itself] == ["refuse", "refuse"]


def test_a_name_without_dns_is_an_empty_answer() -> None:
    assert verdicts({"input": "https://hooks.example.com/"})[0]["verdict"] == "refuse"


@pytest.mark.parametrize(
    "broken",
    ["https://a.example", {}, {"input": 1}, {"dns": []}, {**PUBLIC, "dns": "1.1.1.1"}, {**PUBLIC, "dns": ["1.1.1.1"]},
    {**PUBLIC, "dns": [[1]]},
     {**PUBLIC, "header": ["a"]}, {**PUBLIC, "header": ["a", 1]}, {**PUBLIC, "cname": 1}, {**PUBLIC, "response": []},
     {**PUBLIC, "response": {"headers": []}}],
)  # fmt: skip
def test_a_malformed_vector_is_named_by_its_number(broken: Any) -> None:
    with pytest.raises(ValueError, match="vector 2"):
        verdicts(PUBLIC, broken)
