"""Stats: what waits over all organizations, and the endpoints in most trouble."""

from registry_walk import judged

from affwire.model.health import EndpointHealth
from affwire.services import endpoints, programs, stats


def shown(house):
    return house.read(stats.shown)


def test_nothing_waits_in_an_empty_house(house):
    found = shown(house)
    assert found["queue"] == {"pending": 0, "behind": 0, "held": 0, "leased": 0}
    assert (found["oldest_due_ms"], found["worst_endpoints"]) == (0, [])


def test_an_endpoint_that_is_late_is_named_with_what_waits_but_not_with_its_url(house):
    late = house.endpoint("standard", judged("https://late.example.com/in?key=hidden"))
    house.act(programs.create, {"name": "P"})
    house.clock.advance(5_000)
    found = shown(house)
    assert found["queue"]["pending"] == 1
    assert found["oldest_due_ms"] == 5_000
    [worst] = found["worst_endpoints"]
    assert (worst["endpoint_id"], worst["host"], worst["state"]) == (late.id, "late.example.com", "healthy")
    assert (worst["backlog"]["pending"], worst["oldest_due_ms"]) == (1, 5_000)
    assert "hidden" not in str(found)


def test_failing_endpoints_come_before_late_ones_and_at_most_five_are_named(house):
    receivers = [house.endpoint("standard", judged(f"https://r{n}.example.com/in")) for n in range(7)]
    house.act(programs.create, {"name": "P"})
    house.clock.advance(1_000)
    bad = EndpointHealth(endpoint_id=receivers[6].id, failures_in_row=3, last_error="HTTP 500")
    house.run(lambda tx: tx.health.put(bad))
    worst = shown(house)["worst_endpoints"]
    assert len(worst) == stats.WORST_MAX
    assert (worst[0]["endpoint_id"], worst[0]["state"], worst[0]["last_error"]) == (
        receivers[6].id,
        "failing",
        "HTTP 500",
    )


def test_a_disabled_endpoint_is_nobody_s_trouble(house):
    receiver = house.endpoint("standard", judged("https://a.example.com/in"))
    house.run(lambda tx: tx.health.put(EndpointHealth(endpoint_id=receiver.id, failures_in_row=3)))
    wish = endpoints.Wish(fields={"enabled": False})
    house.run(lambda tx: endpoints.update(tx, house.organization, house.dialects, receiver.id, wish))
    found = shown(house)
    assert found["worst_endpoints"] == []
    assert found["endpoints"]["disabled"] == 1
