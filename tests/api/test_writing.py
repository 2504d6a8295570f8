"""Under an Idempotency-Key a POST has one effect, and the kept answer holds no secret."""

import asyncio

import pytest
from office import open_office, refused

from affwire.services import erasure
from affwire.store.tables import idempotency


def post(client, path, body, key="k1"):
    return client.send("POST", path, json=body, headers={"Idempotency-Key": key})


def test_the_same_request_gets_the_first_answer(office):
    first = post(office.admin, "/v1/programs", {"name": "A"})
    again = post(office.admin, "/v1/programs", {"name": "A"})
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert first.headers["location"] == again.headers["location"] == f"/v1/programs/{first.json()['id']}"
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(office.admin.get("/v1/programs").json()["data"]) == 1
    assert len(office.admin.get("/v1/events").json()["data"]) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/programs", {"name": "B"}),
        ("/v1/groups", {"name": "A"}),
        ("/v1/promo-codes", {"membership_id": "mem_x", "code": "A"}),
    ],
)
def test_another_request_under_the_same_key_is_422(office, path, body):
    post(office.admin, "/v1/programs", {"name": "A"})
    refused(post(office.admin, path, body), 422, "idempotency_key_reused")


def test_organizations_do_not_share_keys(office):
    post(office.admin, "/v1/programs", {"name": "A"})
    assert post(office.stranger, "/v1/programs", {"name": "B"}).status_code == 201


def test_a_refusal_is_not_kept(office):
    body = {"email": "a@b.test", "program_id": "prg_none"}
    refused(post(office.admin, "/v1/affiliates", body), 404, "program_not_found")
    refused(post(office.admin, "/v1/affiliates", body), 404, "program_not_found")
    assert post(office.admin, "/v1/affiliates", {"email": "a@b.test"}).status_code == 201


def test_an_action_is_carried_out_once(office):
    program = office.admin.made("/v1/programs", name="A")
    joined = office.admin.made(
        "/v1/affiliates", email="a@b.test", program_id=program["id"], membership={"status": "pending"}
    )
    path = f"/v1/memberships/{joined['membership']['id']}/approve"
    first, again = (office.admin.send("POST", path, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert again.json() == first.json()
    assert office.admin.post(path).status_code == 409


@pytest.mark.parametrize("key", ["", "x" * 256, "ä".encode("latin-1"), b"a\tb"])
def test_a_key_that_is_none_is_422(office, key):
    refused(
        office.admin.send("POST", "/v1/programs", json={"name": "A"}, headers={"Idempotency-Key": key}),
        422,
        "invalid_idempotency_key",
    )


def test_a_key_of_the_longest_length_is_taken(office):
    assert post(office.admin, "/v1/programs", {"name": "A"}, "~" * 255).status_code == 201


@pytest.mark.parametrize(
    ("client", "path", "body", "secret"),
    [
        ("operator", "/v1/organizations", {"slug": "third"}, "api_key"),
        ("admin", "/v1/keys", {"scope": "read"}, "api_key"),
        ("admin", "/v1/endpoints", {"url": "https://public.test", "dialect": "standard"}, "secret"),
        (
            "admin",
            "/v1/endpoints",
            {"url": "https://public.test", "dialect": "rewardful", "secret": "12345678abcd"},
            "secret",
        ),
    ],
)
def test_a_kept_answer_holds_no_secret(office, client, path, body, secret):
    first, again = (post(getattr(office, client), path, body) for _ in range(2))
    assert first.json()[secret]
    assert again.json() == {**first.json(), secret: None}
    kept = office.desk.store.submit(
        lambda tx: tx.connection.exec_driver_sql("SELECT body FROM idempotency").scalars().all()
    )
    assert first.json()[secret].encode() not in b"".join(kept.result())


def test_a_replayed_key_makes_no_second_key(office):
    before = len(office.admin.get("/v1/keys").json()["data"])
    for _ in range(2):
        post(office.admin, "/v1/keys", {"scope": "read"})
    assert len(office.admin.get("/v1/keys").json()["data"]) == before + 1


def test_at_once_on_a_real_file_there_is_one_effect_too(tmp_path):
    office = open_office(tmp_path / "a.db")
    try:
        answers = asyncio.run(_at_once(office, 12))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert sum("idempotency-replayed" in answer.headers for answer in answers) == 11
    finally:
        office.desk.store._engine.close()


async def _at_once(office, count):
    import httpx2

    transport = httpx2.ASGITransport(app=office.http.app)
    headers = {"Authorization": f"Bearer {office.admin.key}", "Idempotency-Key": "one"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://affwire.test") as client:
        return await asyncio.gather(
            *(client.post("/v1/programs", json={"name": "A"}, headers=headers) for _ in range(count))
        )


def test_an_erased_persons_data_stay_in_no_kept_answer_and_the_request_is_not_carried_out_again(office):
    admin = office.admin
    admin.made("/v1/endpoints", url="https://public.test/", dialect="growi")
    program = admin.made("/v1/programs", name="A")["id"]
    person = {"email": "kim@secret.test", "program_id": program}
    kim = post(admin, "/v1/affiliates", person, "kim").json()
    operations = [{"method": "PATCH", "path": f"/v1/affiliates/{kim['id']}", "body": {"city": "Secretcity"}}]
    post(admin, "/v1/batches", {"operations": operations}, "batch")
    lee = post(admin, "/v1/affiliates", {"email": "lee@example.org"}, "lee").json()
    [delivery] = [one for one in admin.get("/v1/deliveries").json()["data"] if one["status"] == "pending"]
    for row in admin.get("/v1/deliveries").json()["data"]:
        post(admin, f"/v1/deliveries/{row['id']}/cancel", {}, row["id"])
    admin.delete(f"/v1/affiliates/{kim['id']}", erase=True)
    for row in admin.get("/v1/deliveries", status="pending").json()["data"]:
        admin.post(f"/v1/deliveries/{row['id']}/cancel")
    assert office.desk.store.submit(lambda tx: erasure.erase_due(tx, limit=9)).result() == 1
    rows = office.desk.store.submit(lambda tx: tx.connection.execute(idempotency.select()).all()).result()
    assert {row.key for row in rows if not row.body} >= {"kim", "batch", delivery["id"]}
    assert not [row.key for row in rows if b"ecret" in row.body or kim["id"].encode() in row.body]
    refused(post(admin, "/v1/affiliates", person, "kim"), 409, "answer_erased")
    assert admin.get("/v1/affiliates").json()["data"] == [lee]
    assert post(admin, "/v1/affiliates", {"email": "lee@example.org"}, "lee").json() == lee
