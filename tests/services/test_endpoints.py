"""Endpoints: secrets that nobody reads back, limits of the platforms, and deliveries that follow."""

import asyncio
import base64

import msgspec
import pytest
from registry_walk import HOOKS

from affwire.errors import Broken
from affwire.model.endpoints import Endpoint
from affwire.services import affiliates, deliveries, endpoints, health, programs
from affwire.services.endpoints import HEADERS_MAX, Wish
from affwire.store.engines.sqlite import open_sqlite
from affwire.store.store import Store
from affwire.store.tables import metadata
from affwire.store.tx import Tx
from affwire.testing.house import MemoryHouse

SECRET = "whsec_" + base64.b64encode(bytes(range(100, 132))).decode()
TEXT_SECRET = "a text secret nobody else has"


def create(house, dialect="standard", **wish):
    made = Wish(**{"url": HOOKS, **wish})
    return house.run(lambda tx: endpoints.create(tx, house.organization, house.dialects, dialect, made))


def update(house, endpoint, **wish):
    changed = Wish(**wish)
    return house.run(lambda tx: endpoints.update(tx, house.organization, house.dialects, endpoint.id, changed))


def delete(house, endpoint):
    house.run(lambda tx: endpoints.delete(tx, house.organization, endpoint.id))


def reload(house, endpoint):
    return house.run(lambda tx: tx.registry.endpoints([endpoint.id]))[endpoint.id]


def recipient(house, endpoint):
    return house.run(lambda tx: endpoints.recipient(tx, tx.registry.endpoints([endpoint.id])[endpoint.id]))


def claim(house, limit=10):
    return house.run(
        lambda tx: deliveries.claim(tx, house.dialects, worker="w", limit=limit, room=lambda *_: limit)
    ).claims


def states(house, endpoint):
    return [(row.status, row.reason) for row in house.deliveries(endpoint)]


def test_an_unknown_dialect_is_refused_with_the_known_ones(house):
    with house.refuses("unknown_dialect", field="dialect", known=sorted(house.dialects)):
        create(house, "morse")


def test_an_endpoint_needs_a_judged_url(house):
    with house.refuses("url_required", field="url"):
        create(house, url=msgspec.UNSET)
    with house.refuses("url_required", field="url"):
        create(house, url="https://hooks.example.com/in")
    endpoint = create(house)[0]
    with house.refuses("url_required", field="url"):
        update(house, endpoint, url="https://hooks.example.com/in")


@pytest.mark.parametrize(
    ("dialect", "secret", "code"),
    [
        ("standard", "", "invalid_secret"),
        ("standard", TEXT_SECRET, "invalid_secret"),
        ("standard", "whsec_" + base64.b64encode(b"x" * 23).decode(), "invalid_secret"),
        ("rewardful", "7 chars", "invalid_secret"),
        ("tamio", "new\nline in it", "invalid_secret"),
        ("affonso", "x" * 257, "invalid_secret"),
        ("growi", TEXT_SECRET, "no_secret"),
        ("insert_affiliate", TEXT_SECRET, "no_secret"),
    ],
)
def test_a_secret_must_fit_its_dialect(house, dialect, secret, code):
    with house.refuses(code, field="secret") as refusal:
        create(house, dialect, secret=secret)
    assert len(secret) < 8 or secret not in str(refusal.value)
    endpoint = create(house, dialect)[0]
    with house.refuses(code, field="secret"):
        update(house, endpoint, secret=secret)


@pytest.mark.parametrize(("dialect", "secret"), [("standard", SECRET), ("rewardful", "8 chars."), ("tamio", "x" * 256)])
def test_a_fitting_secret_is_used_as_it_is(house, dialect, secret):
    endpoint, shown = create(house, dialect, secret=secret)
    assert shown == secret
    assert recipient(house, endpoint)[0].secrets == (secret,)
    assert endpoint.secrets[0].last4 == secret[-4:]


@pytest.mark.parametrize("dialect", ["standard", "rewardful", "affonso", "tamio"])
@pytest.mark.parametrize("missing", [msgspec.UNSET, None])
def test_a_signing_dialects_missing_secret_is_made(house, dialect, missing):
    (first, one), (_, two) = create(house, dialect, secret=missing), create(house, dialect, secret=missing)
    assert one != two
    assert recipient(house, first)[0].secrets == (one,)
    update(house, first, secret=one)


@pytest.mark.parametrize("dialect", ["growi", "insert_affiliate"])
def test_a_dialect_that_signs_nothing_has_no_secret(house, dialect):
    endpoint, secret = create(house, dialect)
    assert (secret, endpoint.secrets, recipient(house, endpoint)[0].secrets) == (None, [], ())


@pytest.mark.parametrize("dialect", ["standard", "growi", "rewardful", "affonso", "tamio"])
def test_a_bearer_token_is_for_dialects_that_carry_one(house, dialect):
    with house.refuses("no_bearer_token", field="bearer_token"):
        create(house, dialect, bearer_token="token")


def test_a_bearer_token_can_be_changed_and_taken_away(house):
    endpoint = create(house, "insert_affiliate", bearer_token="first token")[0]
    assert recipient(house, endpoint)[0].bearer_token == "first token"
    update(house, endpoint, bearer_token="second token")
    assert recipient(house, endpoint)[0].bearer_token == "second token"
    assert update(house, endpoint, bearer_token=None).bearer_token is None
    assert recipient(house, endpoint)[0].bearer_token is None


def test_headers_are_merged_without_regard_to_case_and_taken_away_by_null(house):
    endpoint = create(house, headers={"X-One": "1", "X-Two": "2"})[0]
    update(house, endpoint, headers={"x-one": "one", "X-Two": None, "X-Three": "3"})
    assert dict(recipient(house, endpoint)[1]) == {"x-one": "one", "X-Three": "3"}
    update(house, endpoint, headers=None)
    assert recipient(house, endpoint)[1] == ()


def test_a_header_that_is_null_from_the_start_is_no_header(house):
    endpoint = create(house, headers={"X-One": "1", "X-Two": None})[0]
    assert recipient(house, endpoint)[1] == (("X-One", "1"),)


def test_an_endpoint_has_so_many_headers_and_no_more(house):
    many = {f"X-{number}": "v" for number in range(HEADERS_MAX)}
    endpoint = create(house, headers=many)[0]
    with house.refuses("too_many_headers", field="headers"):
        update(house, endpoint, headers={"X-more": "v"})
    with house.refuses("too_many_headers", field="headers"):
        create(house, headers={**many, "X-more": "v"})
    assert update(house, endpoint, headers={"X-more": "v", "X-0": None})


@pytest.mark.parametrize(("dialect", "name"), [("standard", "signed_text"), ("tamio", "color"), ("growi", "x")])
def test_an_option_the_dialect_has_not_is_refused(house, dialect, name):
    with house.refuses("unknown_option", field="options"):
        create(house, dialect, fields={"options": {name: "body"}})


def test_an_option_with_choices_takes_one_of_them(house):
    with house.refuses("invalid_option", field="options"):
        create(house, "tamio", fields={"options": {"signed_text": "everything"}})
    assert create(house, "tamio", fields={"options": {"signed_text": "timestamp.body"}})


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "X Y",
        "X:Y",
        "X\nY",
        "Xä",
        "x" * 129,
        "X\x00",
        '"X"',
        "(X)",
        "Authorization",
        "CONTENT-TYPE",
        "content-length",
        "Host",
        "user-agent",
        "Cookie",
        "Transfer-Encoding",
        "connection",
        "Content-Encoding",
        "Accept",
        "User_Agent",
        "Affwire-Test",
        "webhook-signature",
    ],
)
def test_a_signatures_header_has_a_name_of_its_own(house, name):
    with house.refuses("invalid_option", field="options"):
        create(house, "tamio", fields={"options": {"signature_header": name}})
    endpoint = create(house, "tamio")[0]
    with house.refuses("invalid_option", field="options"):
        update(house, endpoint, fields={"options": {"signature_header": name}})


@pytest.mark.parametrize("name", ["X-Signature", "x" * 128, "Tamio-Signature", "!#$%&'*+-.^_`|~9"])
def test_a_signatures_header_may_have_any_other_name(house, name):
    endpoint = create(house, "tamio", fields={"options": {"signature_header": name}})[0]
    assert endpoint.options == {"signature_header": name}
    assert update(house, endpoint, fields={"options": {"signature_header": None}}).options == {}


def test_an_own_header_and_the_signature_cannot_come_to_have_one_name(house):
    both = {"headers": {"x-sig": "mine"}, "fields": {"options": {"signature_header": "X-Sig"}}}
    with house.refuses("invalid_header", field="headers"):
        create(house, "tamio", **both)
    named = create(house, "tamio", headers={"X-Sig": "mine"})[0]
    for name in ("X-Sig", "x-sig", "X_Sig"):
        with house.refuses("invalid_option", field="options"):
            update(house, named, fields={"options": {"signature_header": name}})
    signed = create(house, "tamio", fields=both["fields"])[0]
    with house.refuses("invalid_header", field="headers"):
        update(house, signed, headers={"X_SIG": "mine"})
    assert update(house, named, headers={"X-Sig": None}, fields=both["fields"]).options == {"signature_header": "X-Sig"}
    assert update(house, signed, headers={"X-Sig": "mine"}, fields={"options": {"signature_header": None}})


@pytest.mark.parametrize(
    ("dialect", "name"),
    [("affonso", "x-affonso-timestamp"), ("affonso", "X-Affonso-Signature"), ("tamio", "Tamio_Signature")],
)
def test_an_own_header_never_doubles_one_that_the_dialect_writes(house, dialect, name):
    with house.refuses("invalid_header", field="headers"):
        create(house, dialect, headers={name: "mine"})


def test_options_and_policy_are_merged_and_nulls_fall_back_to_the_dialects(house):
    fields = {
        "options": {"signature_header": "X-S", "signed_text": None},
        "policy": {"max_in_flight": 2, "success": None},
    }
    endpoint = create(house, "tamio", fields=fields)[0]
    assert (endpoint.options, endpoint.policy) == ({"signature_header": "X-S"}, {"max_in_flight": 2})
    fields = {"options": {"signed_text": "body"}, "policy": {"max_in_flight": None, "retry_schedule": []}}
    after = update(house, endpoint, fields=fields)
    assert after.options == {"signature_header": "X-S", "signed_text": "body"}
    assert after.policy == {"retry_schedule": []}


@pytest.mark.parametrize(("dialect", "limit"), [("growi", 1), ("insert_affiliate", 1), ("tamio", 100)])
def test_a_platforms_limit_on_endpoints_is_imitated(house, dialect, limit):
    house.organization = msgspec.structs.replace(house.organization, unlimited_endpoints=False)
    first = create(house, dialect)[0]
    for _ in range(limit - 1):
        create(house, dialect)
    with house.refuses("endpoint_limit", existing_id=first.id):
        create(house, dialect)
    delete(house, first)
    assert create(house, dialect)
    house.organization = msgspec.structs.replace(house.organization, unlimited_endpoints=True)
    assert create(house, dialect)


@pytest.mark.parametrize("dialect", ["standard", "rewardful", "affonso"])
def test_the_other_dialects_have_no_limit(house, dialect):
    house.organization = msgspec.structs.replace(house.organization, unlimited_endpoints=False)
    assert create(house, dialect)[0].number + 1 == create(house, dialect)[0].number


def test_one_that_is_not_there_or_deleted_cannot_be_changed(house):
    endpoint = create(house)[0]
    delete(house, endpoint)
    for gone in (endpoint, msgspec.structs.replace(endpoint, id="ep_gone")):
        with house.refuses("endpoint_not_found"):
            update(house, gone, fields={"paused": True})
        with house.refuses("endpoint_not_found"):
            delete(house, gone)


def test_what_changes_nothing_writes_nothing(house):
    endpoint = create(house, fields={"description": "CRM", "event_types": ["*"]})[0]
    same = {"description": "CRM", "event_types": ["*"], "paused": False, "enabled": True, "policy": {}, "options": {}}
    with house.changes_nothing():
        update(house, endpoint, fields=same, url=HOOKS)


def test_a_new_secret_replaces_the_old_at_once(house):
    endpoint, old = create(house)
    house.clock.advance(-1)
    after = update(house, endpoint, secret=SECRET)
    assert recipient(house, endpoint)[0].secrets == (SECRET,)
    assert after.updated_at > endpoint.updated_at
    assert old != SECRET


def test_no_secret_is_in_the_database_in_plain_text(tmp_path):
    house = MemoryHouse()
    path = tmp_path / "affwire.db"
    store = Store(
        open_sqlite(
            path,
            lambda connection: Tx(connection, house.world, house.vault, house.world.now()),
            prepare=metadata.create_all,
        )
    )
    organization = house.organization
    plain = [SECRET, TEXT_SECRET, "bearer in the clear", "header value in the clear"]

    def work(tx):
        endpoints.create(tx, organization, house.dialects, "standard", Wish(url=HOOKS, secret=SECRET))
        endpoints.create(tx, organization, house.dialects, "rewardful", Wish(url=HOOKS, secret=TEXT_SECRET))
        wish = Wish(url=HOOKS, bearer_token=plain[2], headers={"X-Key": plain[3]})
        endpoints.create(tx, organization, house.dialects, "insert_affiliate", wish)

    store.submit(work).result()
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    asyncio.run(store.close())
    written += path.read_bytes()
    assert b"hooks.example.com" in written
    for text in plain:
        assert text.encode() not in written
        assert base64.b64encode(text.encode())[4:-4] not in written
        assert text.encode().hex().encode() not in written


def test_a_sealed_secret_is_of_no_use_to_another_endpoint(house):
    one, other = create(house)[0], create(house)[0]
    swapped = msgspec.structs.replace(other, secrets=one.secrets)
    with pytest.raises(Broken, match="secret_damaged"):
        house.run(lambda tx: endpoints.recipient(tx, swapped))


def test_an_expired_secret_signs_no_more(house):
    endpoint, secret = create(house)
    until = house.clock.now() + 10
    old = msgspec.structs.replace(endpoint.secrets[0], expires_at=until)
    both = msgspec.structs.replace(endpoint, secrets=[*endpoint.secrets, old])
    house.run(lambda tx: tx.registry.update(both))
    assert recipient(house, endpoint)[0].secrets == (secret, secret)
    house.clock.advance(10)
    assert recipient(house, endpoint)[0].secrets == (secret,)


PAUSED, DISABLED = "the endpoint is paused", "the endpoint is disabled by its owner"


@pytest.mark.parametrize(
    ("stop", "go", "reason"),
    [({"paused": True}, {"paused": False}, PAUSED), ({"enabled": False}, {"enabled": True}, DISABLED)],
)
def test_pending_deliveries_wait_with_their_endpoint_and_go_on_with_it(house, stop, go, reason):
    endpoint = create(house)[0]
    house.act(programs.create, {"name": "A"})
    due_at = house.deliveries(endpoint)[0].due_at
    stopped = update(house, endpoint, fields=stop)
    assert states(house, endpoint) == [("held", reason)]
    assert claim(house) == ()
    assert (stopped.disabled_at is not None) == ("enabled" in stop)
    assert update(house, endpoint, fields=go).disabled_at is None
    assert states(house, endpoint) == [("pending", None)]
    assert house.deliveries(endpoint)[0].due_at == due_at


def test_what_is_under_way_when_its_endpoint_stops_is_not_held_before_it_ends(house):
    endpoint = create(house)[0]
    house.act(programs.create, {"name": "A"})
    assert len(claim(house)) == 1
    update(house, endpoint, fields={"paused": True})
    assert states(house, endpoint) == [("leased", None)]
    house.run(lambda tx: deliveries.take_back(tx, expired_only=False))
    assert states(house, endpoint) == [("held", PAUSED)]


def test_the_reason_of_what_is_held_follows_the_endpoint(house):
    endpoint = create(house)[0]
    house.act(programs.create, {"name": "A"})
    update(house, endpoint, fields={"paused": True})
    update(house, endpoint, fields={"enabled": False})
    assert states(house, endpoint) == [("held", DISABLED)]
    update(house, endpoint, fields={"enabled": True})
    assert states(house, endpoint) == [("held", PAUSED)]
    update(house, endpoint, fields={"paused": False})
    assert states(house, endpoint) == [("pending", None)]


def test_deleting_cancels_pending_and_held_and_leaves_what_is_under_way(house):
    endpoint = create(house)[0]
    for name in "AB":
        house.act(programs.create, {"name": name})
    claim(house, limit=1)
    delete(house, endpoint)
    assert states(house, endpoint) == [("leased", None), ("cancelled", "the endpoint was deleted")]
    assert [row.settled_at for row in house.deliveries(endpoint)] == [None, house.clock.now()]
    house.act(programs.create, {"name": "C"})
    assert len(house.deliveries(endpoint)) == 2
    held = create(house, fields={"paused": True})[0]
    house.act(programs.create, {"name": "D"})
    delete(house, held)
    assert states(house, held) == [("cancelled", "the endpoint was deleted")]


def test_an_endpoint_that_was_disabled_for_a_410_is_disabled_once_and_enabled_by_its_owner(house):
    endpoint = create(house)[0]
    house.act(programs.create, {"name": "A"})
    house.run(lambda tx: health.disabled(tx, house.dialects, endpoint, "410"))
    with house.changes_nothing():
        house.run(lambda tx: health.disabled(tx, house.dialects, endpoint, "again"))
    stored = reload(house, endpoint)
    assert (stored.enabled, stored.disabled_reason, stored.disabled_at) == (False, "410", house.clock.now())
    assert states(house, endpoint) == [("held", "410")]
    again = update(house, endpoint, fields={"enabled": True})
    assert (again.disabled_reason, again.disabled_at) == (None, None)
    assert states(house, endpoint) == [("pending", None)]


def test_a_deleted_endpoint_is_not_disabled(house):
    endpoint = create(house)[0]
    delete(house, endpoint)
    with house.changes_nothing():
        house.run(lambda tx: health.disabled(tx, house.dialects, endpoint, "410"))


def changes_of(house, count):
    kim = house.act(affiliates.create, {"email": f"k{count}{len(house.events())}@example.org"})[0]
    for number in range(count):
        house.act(affiliates.update, kim.id, {"city": f"C{number}"})
    return kim


def due(house, endpoint):
    return [row.due_at is not None for row in house.deliveries(endpoint)]


def test_an_endpoint_that_becomes_ordered_keeps_one_delivery_due_per_affiliate(house):
    endpoint = create(house)[0]
    changes_of(house, 2)
    changes_of(house, 1)
    update(house, endpoint, fields={"policy": {"ordering": "affiliate"}})
    assert not claim(house)
    house.follow()
    assert due(house, endpoint) == [True, False, False, True, False]
    update(house, endpoint, fields={"policy": {"ordering": "none"}})
    house.follow()
    assert due(house, endpoint) == [True] * 5
    assert {row.lane for row in house.deliveries(endpoint)} == {None}


def test_a_lane_goes_on_although_its_head_was_under_way_when_the_endpoint_became_ordered(house):
    endpoint = create(house)[0]
    kim = changes_of(house, 1)
    [head] = claim(house, limit=1)
    update(house, endpoint, fields={"policy": {"ordering": "affiliate"}})
    house.follow()
    assert [row.lane for row in house.deliveries(endpoint)] == [kim.id] * 2
    assert house.deliveries(endpoint)[1].due_at is None
    settle(house, head, "delivered")
    assert [(row.status, row.due_at is not None) for row in house.deliveries(endpoint)] == [
        ("delivered", False),
        ("pending", True),
    ]


def test_an_endpoint_may_become_ordered_with_everything_held(house):
    endpoint = create(house, fields={"paused": True})[0]
    changes_of(house, 3)
    update(house, endpoint, fields={"policy": {"ordering": "affiliate"}})
    house.follow()
    assert due(house, endpoint) == [True, False, False, False]
    update(house, endpoint, fields={"paused": False})
    house.follow()
    assert len(claim(house)) == 1


def settle(house, claim, status):
    from affwire.model.deliveries import AttemptRecord
    from affwire.store.queued import Settlement

    row = claim.delivery
    attempt = AttemptRecord(
        delivery_id=row.id, number=row.attempts, id=row.attempt_id, started_at=0, ended_at=0, outcome="ok"
    )
    assert house.run(lambda tx: tx.outbox.settle([Settlement(row, status, None, None, 0, attempt)], tx.now))


def test_an_endpoint_whose_secret_cannot_be_opened_is_parked_and_delays_nobody(house):
    broken, healthy = create(house)[0], create(house)[0]
    house.act(programs.create, {"name": "A"})
    damaged = msgspec.structs.replace(reload(house, broken), secrets=healthy.secrets)
    house.run(lambda tx: tx.registry.update(damaged))
    assert [one.endpoint.id for one in claim(house)] == [healthy.id]
    [(status, reason)] = states(house, broken)
    assert (status, "cannot be opened" in reason) == ("held", True)
    update(house, broken, secret=SECRET)
    assert [one.endpoint.id for one in claim(house)] == [broken.id]


def test_an_endpoint_is_found_by_its_organization(house):
    endpoint = create(house)[0]
    assert house.run(lambda tx: tx.registry.get(Endpoint, house.organization.id, endpoint.id)) == endpoint
