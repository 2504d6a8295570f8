"""Whatever arrives, what leaves is an answer."""

import pytest
from office import refused
from structlog.testing import capture_logs

from affwire.api.envelope import BODY_BYTES_MAX

JSON = {"Content-Type": "application/json"}


def send(office, body, **headers):
    return office.admin.send("POST", "/v1/programs", content=body, headers={**JSON, **headers})


def test_every_answer_carries_a_request_id(office):
    answer = office.admin.get("/v1/programs")
    assert answer.headers["x-request-id"].startswith("req_")


def test_the_callers_request_id_is_echoed_and_ours_is_in_the_problem(office):
    answer = office.admin.send("GET", "/v1/nothing", headers={"X-Request-Id": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1"
    assert answer.json()["request_id"].startswith("req_")


@pytest.mark.parametrize("bad", ["a b", "x" * 65, "<script>"])
def test_a_strange_request_id_is_not_echoed(office, bad):
    answer = office.admin.send("GET", "/v1/programs", headers={"X-Request-Id": bad})
    assert answer.headers["x-request-id"].startswith("req_")


def test_the_actions_request_id_is_ours(office):
    answer = office.admin.send("POST", "/v1/programs", json={"name": "A"}, headers={"X-Request-Id": "mine-1"})
    assert answer.status_code == 201
    event = office.admin.get("/v1/events").json()["data"][0]
    assert event["cause"]["request_id"].startswith("req_")


def test_a_body_of_the_limit_is_read(office):
    body = b'{"name": "A"}' + b" " * (BODY_BYTES_MAX - 13)
    assert send(office, body).status_code == 201


def test_a_body_over_the_limit_is_413(office):
    refused(send(office, b" " * (BODY_BYTES_MAX + 1)), 413, "body_too_large")


def test_a_chunked_body_over_the_limit_is_413(office):
    refused(send(office, (b" " * 65_536 for _ in range(17))), 413, "body_too_large")


def test_a_lying_content_length_is_413_at_once(office):
    refused(send(office, b"{}", **{"Content-Length": str(BODY_BYTES_MAX + 1)}), 413, "body_too_large")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nope",
        b'{"name": NaN}',
        b'{"commission_percent": 1e999, "name": "A"}',
        b'{"name": "\xff"}',
        b'\xef\xbb\xbf{"name": "A"}',
        b'{"name": "\\ud800"}',
        b"[" * 200_000,
        b'{"name": "A"} {}',
    ],
    ids=["cut", "word", "nan", "infinite", "latin1", "bom", "half", "deep", "two"],
)
def test_what_is_no_json_is_400(office, body):
    problem = refused(send(office, body), 400, "malformed_json")
    assert "JSON" in problem["detail"]


@pytest.mark.parametrize("depth", [100, 500, 900])
def test_deep_json_is_refused_wherever_it_ends(office, depth):
    body = b'{"name": "A", "metadata": {"a":' + b"[" * depth + b"]" * depth + b"}}"
    assert send(office, body).status_code in {400, 422}


def test_a_number_with_thousands_of_digits_is_refused(office):
    assert send(office, b'{"name": "A", "payout_delay": 1' + b"0" * 5000 + b"}").status_code in {400, 422}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/json; charset=latin-1"]
)
def test_another_content_type_is_415(office, kind):
    refused(send(office, b'{"name": "A"}', **{"Content-Type": kind}), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "kind", ["application/json; charset=UTF-8", "application/merge-patch+json", "Application/JSON"]
)
def test_every_name_of_json_is_taken(office, kind):
    assert send(office, b'{"name": "A"}', **{"Content-Type": kind}).status_code == 201


def test_a_compressed_body_is_415(office):
    refused(send(office, b"x", **{"Content-Encoding": "gzip"}), 415, "unsupported_media_type")


def test_a_missing_body_is_422(office):
    refused(office.admin.post("/v1/programs"), 422, "invalid_request")


def test_nul_in_a_url_is_400(office):
    refused(office.admin.get("/v1/programs/a%00b"), 400, "malformed_url")
    refused(office.admin.get("/v1/affiliates?email=a%00b"), 400, "malformed_url")


def test_a_fault_of_ours_is_500_and_tells_nothing(office, monkeypatch):
    def fail(*_args, **_more):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(office.desk.store, "read", fail)
    answer = office.admin.get("/v1/programs")
    problem = refused(answer, 500, "internal_error")
    assert "secret" not in answer.text
    assert problem["request_id"] in problem["detail"]
    assert answer.headers["x-request-id"]


def test_every_change_is_one_line_of_the_log_and_a_read_is_none(office):
    with capture_logs() as lines:
        office.admin.post("/v1/programs", {"name": "P"})
        office.admin.post("/v1/programs", {"nome": "P"})
        office.admin.get("/v1/programs", limit=3)
        office.admin.get("/livez")
    told = [(line["method"], line["path"], line["status"]) for line in lines if line["event"] == "request.answered"]
    assert told == [("POST", "/v1/programs", 201), ("POST", "/v1/programs", 422)]
    assert all(line["request_id"].startswith("req_") for line in lines)
