"""Jobs through the API: many deliveries sent again, with counts first, progress and a way to stop."""

import pytest
from office import refused


@pytest.fixture
def waiting(admin):
    """Return an endpoint with one delivery that was cancelled."""
    made = admin.made("/v1/endpoints", url="https://public.test/", dialect="standard")
    admin.made("/v1/programs", name="Spring")
    [delivery] = admin.get("/v1/deliveries").json()["data"]
    admin.post(f"/v1/deliveries/{delivery['id']}/cancel")
    return made


def test_a_replay_by_filter_counts_first_and_then_runs_as_a_job(office, waiting):
    wish = {"endpoint_id": waiting["id"], "since": "2020-01-01T00:00:00Z", "rate_per_second": 5}
    dry = office.registry.post("/v1/deliveries/replay", {**wish, "dry_run": True})
    assert (dry.status_code, dry.json()) == (200, {"dry_run": True, "total": 1, "arrived": 0})
    answer = office.registry.post("/v1/deliveries/replay", wish)
    assert answer.status_code == 202
    job = answer.json()
    assert (job["kind"], job["status"], job["total"], job["done"]) == ("replay", "running", 1, 0)
    assert office.reader.get(f"/v1/jobs/{job['id']}").json() == job
    assert office.reader.get("/v1/jobs").json()["data"] == [job]


def test_a_repeated_replay_is_one_job(admin, waiting):
    first, again = (
        admin.post("/v1/deliveries/replay", {"status": "cancelled"}, headers={"Idempotency-Key": "k"}) for _ in "ab"
    )
    assert first.json() == again.json()
    assert len(admin.get("/v1/jobs").json()["data"]) == 1


def test_a_job_is_cancelled_once(office, waiting):
    job = office.admin.post("/v1/deliveries/replay", {}).json()
    answer = office.registry.post(f"/v1/jobs/{job['id']}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (201, "cancelled")
    refused(office.registry.post(f"/v1/jobs/{job['id']}/cancel"), 409, "job_finished")


def test_jobs_are_their_organizations_own(office, waiting):
    job = office.admin.post("/v1/deliveries/replay", {}).json()
    refused(office.stranger.get(f"/v1/jobs/{job['id']}"), 404, "job_not_found")
    refused(office.stranger.post(f"/v1/jobs/{job['id']}/cancel"), 404, "job_not_found")
    assert office.stranger.get("/v1/jobs").json()["data"] == []
    refused(office.reader.post("/v1/deliveries/replay", {}), 403, "scope_insufficient")
    refused(office.stranger.post("/v1/deliveries/replay", {"endpoint_id": waiting["id"]}), 404, "endpoint_not_found")


@pytest.mark.parametrize(
    "wish", [{"status": "held"}, {"status": "leased"}, {"rate_per_second": 0}, {"rate_per_second": 1001}, {"sinc": "x"}]
)
def test_malformed_replays_are_refused(admin, wish):
    assert admin.post("/v1/deliveries/replay", wish).status_code == 422


def test_a_span_that_ends_before_it_begins_is_refused_and_starts_no_job(admin, waiting):
    span = {"since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}
    for path in ("/v1/deliveries/replay", f"/v1/endpoints/{waiting['id']}/recover", "/v1/messages/reprocess"):
        told = refused(admin.post(path, span), 422, "invalid_request")
        assert told["errors"][0]["pointer"] == "/until"
    assert admin.get("/v1/jobs").json()["data"] == []


def test_jobs_are_listed_the_newest_first_page_by_page(admin, waiting):
    made = [admin.post("/v1/deliveries/replay", {}).json()["id"] for _ in range(3)]
    page = admin.get("/v1/jobs", limit=2).json()
    rest = admin.get("/v1/jobs", limit=2, cursor=page["next_cursor"]).json()
    assert sorted(made) == sorted(job["id"] for job in page["data"] + rest["data"])
    assert rest["next_cursor"] is None
