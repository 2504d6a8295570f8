"""Endpoints through the API: judged URLs, secrets shown once, policies and filters checked."""

import pytest
from office import refused

from affwire.services.endpoints import HEADERS_MAX

URL = "https://public.test/hooks"


def body(**fields):
    return {"url": URL, "dialect": "standard", **fields}


def make(admin, **fields):
    return admin.made("/v1/endpoints", **body(**fields))


@pytest.mark.parametrize(
    "url",
    [
        "http://public.test/",
        "https://10.0.0.1/",
        "https://169.254.169.254/",
        "https://[::1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://user:pass@public.test/",
        "https://inside.test/",
        "ftp://public.test/",
        "nonsense",
        "",
        "https://public.test\x00/",
    ],
)
def test_a_url_that_may_not_be_dialled_is_422_with_the_reason(admin, url):
    problem = refused(admin.post("/v1/endpoints", body(url=url)), 422, "url_refused")
    assert problem["errors"][0]["pointer"] == "/url"
    assert len(problem["detail"]) > 10
    assert "10.0.0.7" not in problem["detail"]
    made = make(admin)
    refused(admin.patch(f"/v1/endpoints/{made['id']}", {"url": url}), 422, "url_refused")


def test_an_unknown_dialect_is_422_listing_the_known(admin):
    problem = refused(admin.post("/v1/endpoints", body(dialect="shopify")), 422, "unknown_dialect")
    assert "growi" in problem["known"]
    assert problem["errors"][0]["pointer"] == "/dialect"


def test_a_second_growi_endpoint_is_409_unless_the_operator_lifts_the_limit(office):
    first = make(office.admin, dialect="growi")
    refused(office.admin.post("/v1/endpoints", body(dialect="growi")), 409, "endpoint_limit", existing_id=first["id"])
    office.operator.patch(f"/v1/organizations/{office.organization['id']}", {"unlimited_endpoints": True})
    assert make(office.admin, dialect="growi")


def test_a_missing_secret_is_made_and_shown_once(admin):
    made = make(admin)
    assert made["secret"].startswith("whsec_")
    assert made["secret"].endswith(made["secret_last4"])
    path = f"/v1/endpoints/{made['id']}"
    for answer in (admin.get(path), admin.get("/v1/endpoints"), admin.patch(path, {"description": "x"})):
        assert made["secret"] not in answer.text
        assert '"secret":' not in answer.text


def test_a_dialect_that_signs_nothing_has_no_secret(admin):
    made = make(admin, dialect="growi")
    assert "secret" not in made
    assert made["secret_last4"] is None
    refused(admin.post("/v1/endpoints", body(dialect="tamio", secret="short")), 422, "invalid_secret")


def test_a_bearer_token_is_never_shown(admin):
    answer = admin.post("/v1/endpoints", body(dialect="insert_affiliate", bearer_token="token-token-1234"))
    assert "token-token" not in answer.text
    assert answer.json()["bearer_token_last4"] == "1234"
    path = f"/v1/endpoints/{answer.json()['id']}"
    assert admin.patch(path, {"bearer_token": None}).json()["bearer_token_last4"] is None
    refused(admin.post("/v1/endpoints", body(bearer_token="x")), 422, "no_bearer_token")


def test_the_policy_shown_is_the_one_in_force(admin):
    made = make(
        admin,
        dialect="rewardful",
        policy={"retry_schedule": [0, 1.5], "ordering": "affiliate", "rate_per_second": None},
    )
    assert made["policy"]["retry_schedule"] == [0, 1.5]
    assert made["policy"]["success"] == "200"
    assert made["policy"]["ordering"] == "affiliate"
    assert made["policy_overrides"] == {"retry_schedule": [0, 1.5], "ordering": "affiliate"}


def test_a_policy_is_merged_and_null_gives_the_cards_back(admin):
    path = f"/v1/endpoints/{make(admin, policy={'retry_schedule': [], 'total_timeout': 2})['id']}"
    changed = admin.patch(path, {"policy": {"total_timeout": None, "max_in_flight": 3}}).json()
    assert changed["policy_overrides"] == {"retry_schedule": [], "max_in_flight": 3}
    assert changed["policy"]["total_timeout"] == 15


@pytest.mark.parametrize(
    "policy",
    [
        {"retry_schedule": []},
        {"retry_schedule": [0] * 100},
        {"retry_schedule": [0.25, 60]},
        {"success": "2xx"},
        {"success": "200"},
        {"success": [200, 202, 599]},
        {"connect_timeout": 0.1, "read_timeout": 60, "total_timeout": 1},
        {"max_in_flight": 1000, "rate_per_second": 0.5, "ordering": "none"},
        {},
    ],
)
def test_good_policies_are_taken(admin, policy):
    made = make(admin, policy=policy)
    assert policy.items() <= made["policy"].items()


@pytest.mark.parametrize(
    "policy",
    [
        {"retry_schedule": [-1]},
        {"retry_schedule": ["1"]},
        {"retry_schedule": [True]},
        {"retry_schedule": [0] * 101},
        {"retry_schedule": 5},
        {"retry_schedule": [3_000_000]},
        {"success": "201"},
        {"success": []},
        {"success": [99]},
        {"success": [600]},
        {"success": ["200"]},
        {"success": [True]},
        {"success": 200},
        {"connect_timeout": 0},
        {"read_timeout": -1},
        {"total_timeout": 61},
        {"total_timeout": "5"},
        {"max_in_flight": 0},
        {"max_in_flight": 1001},
        {"max_in_flight": 1.5},
        {"rate_per_second": 0},
        {"ordering": "strict"},
        {"retries": 3},
        [],
    ],
)
def test_bad_policies_are_422_naming_the_part(admin, policy):
    problem = refused(admin.post("/v1/endpoints", body(policy=policy)), 422, "invalid_request")
    assert problem["errors"][0]["pointer"].startswith("/policy")


@pytest.mark.parametrize(
    ("dialect", "patterns"),
    [
        ("standard", ["membership.activated", "program.*", "*"]),
        (
            "growi",
            [
                "campaign_affiliate.activated",
                "campaign_affiliate.paused",
                "campaign_affiliate.*",
                "membership.*",
                "campaign_affiliate.pau*",
            ],
        ),
        ("rewardful", ["campaign.*", "campaign.created"]),
        ("tamio", ["affiliate-program-*"]),
        ("standard", []),
    ],
)
def test_filters_name_what_can_happen(admin, dialect, patterns):
    assert make(admin, dialect=dialect, event_types=patterns)["event_types"] == patterns


@pytest.mark.parametrize(
    ("dialect", "pattern"),
    [
        ("standard", "membership.activate"),
        ("standard", "campaign.*"),
        ("standard", ""),
        ("standard", "*.created"),
        ("tamio", "affiliate-gone"),
        ("growi", "campaign.x"),
        ("standard", "sale.*"),
    ],
)
def test_a_filter_for_what_cannot_happen_is_422_naming_the_known(admin, dialect, pattern):
    problem = refused(
        admin.post("/v1/endpoints", body(dialect=dialect, event_types=["affiliate.created", pattern])),
        422,
        "unknown_event_type",
    )
    assert "membership.activated" in problem["known"]
    assert problem["errors"][0]["pointer"] == "/event_types/1"


def test_headers_are_shown_by_name_only_and_merged(admin):
    made = make(admin, headers={"X-Key": "hush-hush", "Authorization": "Basic hush"})
    assert made["headers"] == {"X-Key": "****", "Authorization": "****"}
    path = f"/v1/endpoints/{made['id']}"
    answer = admin.patch(path, {"headers": {"x-key": "other", "Authorization": None, "X-New": "n"}})
    assert answer.json()["headers"] == {"x-key": "****", "X-New": "****"}
    assert admin.patch(path, {"headers": None}).json()["headers"] == {}
    assert "hush" not in answer.text


@pytest.mark.parametrize(
    ("dialect", "headers"),
    [
        ("standard", {"Host": "x"}),
        ("standard", {"content-type": "x"}),
        ("standard", {"Content-Encoding": "gzip"}),
        ("standard", {"Content_Type": "x"}),
        ("standard", {"webhook-id": "x"}),
        ("standard", {"Transfer-Encoding": "chunked"}),
        ("rewardful", {"x-rewardful-signature": "x"}),
        ("insert_affiliate", {"authorization": "x"}),
        ("tamio", {"TAMIO-Signature": "x"}),
        ("affonso", {"x-affonso-timestamp": "1"}),
        ("affonso", {"X_Affonso_Signature": "x"}),
        ("standard", {"User-Agent": "x"}),
        ("standard", {"Accept": "x"}),
        ("standard", {"Affwire-Test": "1"}),
        ("standard", {"X-A": "a\r\nX-B: c"}),
        ("standard", {"X A": "a"}),
        ("standard", {"": "a"}),
        ("standard", {"X-A": "1", "x-a": "2"}),
        ("standard", {f"X-{n}": "x" * 3000 for n in range(3)}),
    ],
)
def test_headers_that_frame_sign_or_describe_the_request_are_422(admin, dialect, headers):
    problem = refused(admin.post("/v1/endpoints", body(dialect=dialect, headers=headers)), 422, "invalid_header")
    assert problem["errors"][0]["pointer"] == "/headers"


def test_too_many_headers_have_one_code_at_creation_as_later(admin):
    many = {f"X-{n}": "1" for n in range(HEADERS_MAX + 1)}
    refused(admin.post("/v1/endpoints", body(headers=many)), 422, "too_many_headers")


def test_headers_cannot_grow_beyond_the_limit_by_merging(admin):
    path = f"/v1/endpoints/{make(admin, headers={f'X-{n}': '1' for n in range(HEADERS_MAX)})['id']}"
    refused(admin.patch(path, {"headers": {"X-More": "1"}}), 422, "too_many_headers")


def test_an_option_that_names_a_stored_header_is_422(admin):
    path = f"/v1/endpoints/{make(admin, dialect='tamio', headers={'X-Sig': 'mine'})['id']}"
    problem = refused(admin.patch(path, {"options": {"signature_header": "X-Sig"}}), 422, "invalid_option")
    assert problem["errors"][0]["pointer"] == "/options"


@pytest.mark.parametrize("name", ["Content-Encoding", "Accept", "User_Agent", "Affwire-Test"])
def test_a_signature_under_a_name_of_ours_is_422(admin, name):
    wish = body(dialect="tamio", options={"signature_header": name})
    refused(admin.post("/v1/endpoints", wish), 422, "invalid_option")


def test_options_are_those_of_the_dialect(admin):
    made = make(admin, dialect="tamio", options={"signature_header": "X-Sig", "signed_text": "timestamp.body"})
    assert made["options"]["signature_header"] == "X-Sig"
    path = f"/v1/endpoints/{made['id']}"
    refused(admin.patch(path, {"headers": {"x-sig": "1"}}), 422, "invalid_header")
    assert admin.patch(path, {"options": {"signature_header": None}}).json()["options"] == {
        "signed_text": "timestamp.body"
    }
    for options in ({"nope": "1"}, {"signed_text": "all"}, {"signature_header": "a b"}):
        assert admin.post("/v1/endpoints", body(dialect="tamio", options=options)).status_code == 422


def test_a_name_without_an_address_is_a_warning(admin):
    made = make(admin, url="https://later.example/")
    assert "later.example" in made["warning"]
    assert "warning" not in admin.get(f"/v1/endpoints/{made['id']}").json()


def test_plain_http_is_for_allowed_networks(admin):
    assert make(admin, url="http://127.0.0.1:8080/x")["url"] == "http://127.0.0.1:8080/x"


def test_an_endpoint_is_paused_disabled_enabled_and_deleted(admin):
    path = f"/v1/endpoints/{make(admin, paused=True)['id']}"
    admin.made("/v1/programs", name="A")
    assert admin.get("/v1/deliveries").json()["data"][0]["status"] == "held"
    assert admin.patch(path, {"paused": False}).json()["paused"] is False
    assert admin.get("/v1/deliveries").json()["data"][0]["status"] == "pending"
    disabled = admin.patch(path, {"enabled": False}).json()
    assert (disabled["enabled"], disabled["disabled_reason"]) == (False, None)
    assert admin.delete(path).status_code == 204
    refused(admin.get(path), 404, "endpoint_not_found")
    delivery = admin.get("/v1/deliveries").json()["data"][0]
    assert (delivery["status"], delivery["reason"]) == ("cancelled", "the endpoint was deleted")


@pytest.mark.parametrize(
    "fields", [{"source_id": 5}, {"secret": 5}, {"enabled": "yes"}, {"headers": {"X-A": 1}}, {"dialect": None}]
)
def test_other_malformed_endpoints_are_422(admin, fields):
    refused(admin.post("/v1/endpoints", body(**fields)), 422, "invalid_request")


def test_an_endpoints_source_is_one_of_its_organization(admin):
    refused(admin.post("/v1/endpoints", body(source_id="src_x")), 422, "unknown_source")
    source = admin.post("/v1/sources", {"dialect": "growi"}).json()
    made = make(admin, source_id=source["id"])
    assert made["source_id"] == source["id"]
    assert admin.patch(f"/v1/endpoints/{made['id']}", {"source_id": None}).json()["source_id"] is None


def test_a_secret_can_be_replaced_but_not_taken_away(admin):
    made = make(admin, dialect="rewardful")
    path = f"/v1/endpoints/{made['id']}"
    assert admin.patch(path, {"secret": "abcdefgh9999"}).json()["secret_last4"] == "9999"
    refused(admin.patch(path, {"secret": None}), 422, "invalid_request")


def test_a_repeated_creation_gets_its_first_answer_though_the_name_has_gone_bad_since(office):
    key = {"Idempotency-Key": "once"}
    first = office.admin.post("/v1/endpoints", body(), headers=key)
    office.names.bad.add("public.test")
    again = office.admin.post("/v1/endpoints", body(), headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == {**first.json(), "secret": None}
    refused(office.admin.post("/v1/endpoints", body()), 422, "url_refused")
