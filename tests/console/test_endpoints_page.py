"""Endpoints: the list, a new one, and everything that is done with one."""

import pytest
from scene import PAYLOADS

NO_HOST = "https://receiver.invalid/hooks"


@pytest.fixture
def fresh(scene):
    """An endpoint of this test's own, which takes what it is sent."""
    wish = {"url": scene.receiver.url("/fresh"), "dialect": "standard", "description": f"Fresh {PAYLOADS[0]}"}
    made = scene.made("/v1/endpoints", wish)
    yield made
    scene.api.delete(f"/v1/endpoints/{made['id']}")


def shown(scene, endpoint):
    return scene.api.get(f"/v1/endpoints/{endpoint['id']}").json()


def test_the_list_tells_how_each_endpoint_does(tab, scene):
    tab.go("/endpoints")
    tab.shot("endpoints")
    rows = tab.page.locator("tbody tr")
    assert rows.count() >= len(scene.endpoints)
    dead = tab.page.locator(f"tr[data-row={scene.endpoints['dead']['id']}]")
    assert dead.locator("td.is-share").inner_text().strip().endswith("0%")
    assert tab.page.locator("svg.spark").count() > 0


@pytest.mark.parametrize("part", ["overview", "settings", "secret", "recover", "do"])
def test_an_endpoint_shows_each_part(tab, scene, part):
    tab.go(f"/endpoints/{scene.endpoints['growi' if part == 'overview' else 'standard']['id']}?tab={part}")
    tab.shot(f"endpoint-{part}")
    said = {
        "overview": "Latest deliveries",
        "settings": "Waits between tries",
        "secret": scene.endpoints["standard"]["secret"][-4:],
        "recover": "Count it first",
        "do": "affwire endpoints test",
    }[part]
    assert said in tab.page.inner_text("main")


def test_one_that_fails_says_so_and_leads_to_what_failed(tab, scene):
    tab.go(f"/endpoints/{scene.endpoints['dead']['id']}?span=1h")
    tab.shot("endpoint-failing")
    assert "503" in tab.page.inner_text(".failure")
    tab.page.click(".failure a.button")
    tab.page.wait_for_url("**outcome=failed**")
    tab.page.wait_for_selector("tbody tr")


def test_a_new_endpoint_is_made_in_one_form_and_its_secret_shown_once(tab, scene):
    tab.go("/endpoints")
    tab.page.click("a >> text=New endpoint")
    tab.shot("endpoint-dialects")
    tab.page.click(".choice >> text=Standard Webhooks")
    tab.page.fill("input[name=url]", scene.receiver.url("/made"))
    tab.page.fill("input[name=description]", PAYLOADS[1])
    tab.page.check("input[value='membership.activated']")
    tab.shot("endpoint-new")
    tab.page.click("button >> text=Create the endpoint")
    tab.shot("endpoint-once")
    secret = tab.page.locator(".code code").first.inner_text()
    assert secret.startswith("whsec_")
    tab.page.click("button >> text=Send a test")
    tab.shot("endpoint-test")
    assert "arrived" in tab.page.inner_text("h1")
    tab.page.click("text=Back to the endpoint")
    made = shown(scene, {"id": tab.page.url.rpartition("/")[2].partition("?")[0]})
    assert (made["description"], made["event_types"]) == (PAYLOADS[1], ["membership.activated"])
    assert made["secret_last4"] == secret[-4:]
    tab.page.click(".tabs >> text=Secret")
    assert secret not in tab.page.content()
    assert any(one.path.endswith("/made") for one in scene.receiver.seen)
    scene.api.delete(f"/v1/endpoints/{made['id']}")


def test_a_form_that_is_not_right_loses_nothing_and_says_where(open_tab):
    tab = open_tab()
    tab.allowed.add(422)
    tab.go("/endpoints/new?dialect=standard")
    tab.page.fill("input[name=url]", "http://10.0.0.1/hooks")
    tab.page.fill("input[name=description]", "mine")
    tab.page.click("button >> text=Create the endpoint")
    assert tab.page.locator("#url-fault").count() == 1
    assert tab.page.input_value("input[name=description]") == "mine"
    tab.shot("endpoint-wrong")


def test_settings_are_changed_with_the_policy(open_tab, scene, fresh):
    tab = open_tab()
    tab.allowed.add(422)
    tab.go(f"/endpoints/{fresh['id']}/edit")
    tab.page.fill("input[name=retry_schedule]", "1, x")
    tab.page.click("button >> text=Save")
    assert tab.page.locator("#retry_schedule-fault").count() == 1
    tab.page.fill("input[name=retry_schedule]", "1, 2.5")
    tab.page.fill("input[name=rate_per_second]", "7")
    tab.page.fill("textarea[name=event_types]", "membership.*")
    tab.shot("endpoint-edit")
    tab.page.click("button >> text=Save")
    after = shown(scene, fresh)
    assert after["policy_overrides"] == {"retry_schedule": [1, 2.5], "rate_per_second": 7}
    assert after["event_types"] == ["membership.*"]
    tab.go(f"/endpoints/{fresh['id']}/edit")
    tab.page.fill("input[name=rate_per_second]", "")
    tab.page.click("button >> text=Save")
    assert shown(scene, fresh)["policy_overrides"] == {"retry_schedule": [1, 2.5]}


def test_it_is_paused_resumed_disabled_and_enabled(open_tab, scene, fresh):
    tab = open_tab()
    tab.go(f"/endpoints/{fresh['id']}")
    tab.page.click("button >> text=Pause")
    assert shown(scene, fresh)["paused"] is True
    tab.page.click("button >> text=Resume")
    assert shown(scene, fresh)["paused"] is False
    tab.page.click(".tabs >> text=Settings")
    tab.page.click("a.button >> text=Disable")
    assert shown(scene, fresh)["enabled"] is True
    tab.shot("endpoint-disable")
    tab.page.click("button >> text=Disable the endpoint")
    assert shown(scene, fresh)["enabled"] is False
    tab.page.click("button >> text=Enable")
    assert shown(scene, fresh)["enabled"] is True


def test_a_new_secret_signs_beside_the_old_one_for_as_long_as_chosen(open_tab, scene, fresh):
    tab = open_tab()
    tab.go(f"/endpoints/{fresh['id']}?tab=secret")
    tab.page.select_option("select[name=overlap]", "3600")
    tab.page.click("button >> text=Give it a new secret")
    secret = tab.page.locator(".code code").first.inner_text()
    known = shown(scene, fresh)["secrets"]
    assert [one["last4"] for one in known] == [secret[-4:], fresh["secret"][-4:]]
    assert known[1]["expires_at"] is not None


def test_what_it_missed_is_counted_then_sent_as_a_job(open_tab, scene, fresh):
    tab = open_tab()
    tab.go(f"/endpoints/{fresh['id']}?tab=recover")
    tab.page.click("button >> text=Count it first")
    tab.shot("endpoint-recover")
    count = int(tab.page.inner_text("h1").split()[1])
    tab.page.click("button >> text=Send what it missed")
    tab.page.wait_for_selector("#job:not([data-fresh])")
    tab.shot("job")
    assert f"{count} of {count}" in tab.page.inner_text("#job")
    scene.settled(endpoint_id=fresh["id"])
    assert len(scene.listed("/v1/deliveries", endpoint_id=fresh["id"], status="delivered")) == count


def test_it_is_deleted_after_a_look(open_tab, scene, fresh):
    tab = open_tab()
    tab.go(f"/endpoints/{fresh['id']}?tab=settings")
    tab.page.click("a.button >> text=Delete")
    assert shown(scene, fresh)["id"] == fresh["id"]
    tab.page.click("button >> text=Delete the endpoint")
    assert "is deleted" in tab.page.inner_text(".flash")
    assert scene.api.get(f"/v1/endpoints/{fresh['id']}").status_code == 404


def test_an_editor_looks_but_changes_no_endpoint(open_tab, scene):
    tab = open_tab("editor")
    for part in ("overview", "settings", "secret", "recover"):
        tab.go(f"/endpoints/{scene.endpoints['standard']['id']}?tab={part}")
        assert tab.page.locator("main button:not([data-copy])").count() == 0
