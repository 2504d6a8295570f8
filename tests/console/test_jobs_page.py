"""Sending again whatever the list's facets match: counted first, then a job that is followed and stopped."""

import pytest

from affwire.console import previews


@pytest.fixture
def endpoint(scene):
    """An endpoint of the test's own: of the scene's others, events of persons whom another test has erased never go again."""
    made = scene.made("/v1/endpoints", {"url": scene.receiver.url("/own"), "dialect": "standard"})
    yield made["id"]
    assert scene.api.delete(f"/v1/endpoints/{made['id']}").is_success


def delivered(scene, endpoint):
    return scene.listed("/v1/deliveries", status="delivered", endpoint_id=endpoint)


def test_all_that_fits_is_counted_then_sent_again(tab, scene, endpoint):
    for nth in range(3):
        scene.happen(nth)
    scene.made("/v1/programs", {"name": "Not of that kind"})
    scene.settled(endpoint)
    kind, before = "affiliate.updated", delivered(scene, endpoint)
    tab.go(f"/deliveries?status=delivered&endpoint={endpoint}&type={kind}")
    tab.page.click("button >> text=Send all that fit again")
    tab.shot("replay-all")
    assert "Send 3 deliveries again?" in tab.page.inner_text("h1")
    tab.page.click(".confirm button.primary")
    tab.page.wait_for_selector("#job:not([data-fresh])")
    tab.shot("replay-job")
    assert "3 of 3" in tab.page.inner_text("#job")
    scene.settled(endpoint)
    tried = {one["id"]: one["attempts_made"] for one in delivered(scene, endpoint)}
    assert [tried[one["id"]] - one["attempts_made"] for one in before] == [one["event_type"] == kind for one in before]


def test_nothing_that_fits_has_no_button(open_tab, scene):
    tab = open_tab("editor")
    tab.go(f"/deliveries?outcome=4xx&type=program.deleted&endpoint={scene.endpoints['dead']['id']}")
    assert tab.page.locator("text=Send all that fit again").count() == 0


@pytest.mark.parametrize("status", ["held", "leased"])
def test_what_goes_on_by_itself_is_not_sent_again(open_tab, status):
    tab = open_tab("editor")
    tab.allowed.add(422)
    tab.go(f"/deliveries?status={status}")
    assert tab.page.locator("text=Send all that fit again").count() == 0
    assert tab.go(f"/deliveries/replay-all?status={status}").status == 422
    assert "goes on by itself" in tab.page.inner_text("main")


def test_above_a_limit_the_number_is_typed(open_tab, scene, monkeypatch):
    monkeypatch.setattr(previews, "TYPED_ABOVE", 3)
    before = scene.listed("/v1/jobs")
    tab = open_tab("editor")

    def type_in(text):
        tab.go(f"/deliveries?status=delivered&endpoint={scene.endpoints['rewardful']['id']}")
        tab.page.click("button >> text=Send all that fit again")
        tab.page.fill("input[name=typed]", text or tab.page.inner_text("h1").split()[1])
        tab.page.click(".confirm button.primary")

    type_in("7")
    tab.page.wait_for_selector(".flash.bad >> text=type")
    assert scene.listed("/v1/jobs") == before
    type_in("")
    tab.page.wait_for_selector("#job:not([data-fresh])")
    assert len(scene.listed("/v1/jobs")) == len(before) + 1
    scene.settled()


def test_a_job_is_stopped_and_says_how_far_it_came(open_tab, scene):
    wish = {"status": "delivered", "endpoint_id": scene.endpoints["affonso"]["id"], "rate_per_second": 0.2}
    job = scene.api.post("/v1/deliveries/replay", json=wish).json()
    tab = open_tab("editor")
    tab.go(f"/jobs/{job['id']}")
    tab.shot("job-running")
    tab.page.click("button >> text=Stop")
    assert "stopped after" in tab.page.inner_text(".flash")
    assert scene.api.get(f"/v1/jobs/{job['id']}").json()["status"] == "cancelled"
    scene.settled()
