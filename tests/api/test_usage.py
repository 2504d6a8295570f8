"""How much a key may do in a minute, and when it was last used."""

import pytest
from office import refused

from affwire.api.usage import KEYS_MAX, WINDOW_MS, Usage
from affwire.errors import TooMany


def test_a_key_has_its_own_count_and_a_new_one_every_minute():
    usage = Usage(per_minute=2)
    assert dict(usage.count("a", 0))["RateLimit"] == '"default";r=1;t=60'
    usage.count("a", 30_500)
    with pytest.raises(TooMany) as refusal:
        usage.count("a", 30_500)
    assert refusal.value.facts["retry_after"] == 30
    usage.count("b", 30_500)
    assert dict(usage.count("a", WINDOW_MS))["RateLimit"] == '"default";r=1;t=60'


def test_a_clock_that_was_set_back_locks_nobody_out():
    usage = Usage(per_minute=1)
    usage.count("a", 10 * WINDOW_MS)
    usage.count("a", 0)


def test_a_use_is_noted_once_a_minute():
    usage = Usage()
    assert [usage.notes("a", at) for at in (0, 1, WINDOW_MS - 1, WINDOW_MS, WINDOW_MS + 1)] == [
        True,
        False,
        False,
        True,
        False,
    ]


def test_keys_beyond_the_limit_are_counted_anew():
    usage = Usage(per_minute=1)
    for number in range(KEYS_MAX + 1):
        usage.count(str(number), 0)
    usage.count("0", 0)


def test_too_many_requests_are_429_and_told_before(office):
    office.http.app.state.usage = Usage(per_minute=2)
    assert office.admin.get("/v1/programs").headers["ratelimit"] == '"default";r=1;t=60'
    assert office.admin.get("/v1/programs").headers["ratelimit-policy"] == '"default";q=2;w=60'
    answer = office.admin.get("/v1/programs")
    refused(answer, 429, "too_many_requests", retry_after=60)
    assert answer.headers["retry-after"] == "60"
    assert office.reader.get("/v1/programs").status_code == 200
    assert office.operator.get("/v1/organizations").status_code == 200


def test_a_key_shows_when_it_was_last_used(office):
    def used():
        return {key["scope"]: key["last_used_at"] for key in office.admin.get("/v1/keys").json()["data"]}

    assert used()["read"] is None
    office.reader.get("/v1/programs")
    assert used()["read"] == "2026-02-25T06:13:20.000Z"
    assert office.http.get("/livez").headers.get("ratelimit") is None
