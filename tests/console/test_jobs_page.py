"""Sending again whatever the list's facets match: counted first, then a job that is followed and stopped."""

import pytest

from affwire.console import previews


def delivered(scene):
    return scene.listed("/v1/deliveries", status="delivered", endpoint_id=scene.endpoints["affonso"]["id"])


def test_all_that_fits_is_counted_then_sent_again(tab, scene):
    before = delivered(scene)
    kind = before[0]["event_type"]
    wanted = [one for one in before if one["event_type"] == kind]
    tab.go(f"/deliveries?status=delivered&endpoint={scene.endpoints['affonso']['id']}&type={kind}")
    tab.page.click("button >> text=Send all that fit again")
    tab.shot("replay-all")
    assert f"Send {len(wanted)} deliver" in tab.page.inner_text("h1")
    tab.page.click(".confirm button.primary")
    tab.page.wait_for_selector("#job:not([data-fresh])")
    tab.shot("replay-job")
    assert f"{len(wanted)} of {len(wanted)}" in tab.page.inner_text("#job")
    scene.settled()
    tried = {one["id"]: one["attempts_made"] for one in delivered(scene)}
    assert [tried[one["id"]] - one["attempts_made"] for one in before] == [one["event_type"] == kind for one in before]


def test_nothing_that_fits_has_no_button(open_tab, scene):
    tab = open_tab("editor")
    tab.go(f"/deliveries?outcome=4xx&type=program.deleted&endpoint={scene.endpoints['dead']['id']}")
    assert tab.page.locator("text=Send all that fit again").count() == 0


@pytest.mark.parametrize("status", ["held", "leased"])
def test_what_goes_on_by_itself_is_not_sent_again(open_tab, status):
    tab = open_tab("editor")
    tab.allowed.add(422)
    tab.go("/deliveries")
    token = tab.page.locator("input[name=form_token]").first.input_value()
    answer = tab.page.request.post(
        f"{tab.scene.server.url}/deliveries/replay-all?status={status}",
        form={"form_token": token},
        headers={"Origin": tab.scene.server.url},
    )
    assert answer.status == 422
    assert "goes on by itself" in answer.text()


def test_above_a_limit_the_number_is_typed(open_tab, scene, monkeypatch):
    monkeypatch.setattr(previews, "TYPED_ABOVE", 3)
    before = scene.listed("/v1/jobs")
    tab = open_tab("editor")
    tab.allowed.add(422)

    def type_in(text):
        tab.go(f"/deliveries?status=delivered&endpoint={scene.endpoints['rewardful']['id']}")
        tab.page.click("button >> text=Send all that fit again")
        tab.page.fill("input[name=typed]", text or tab.page.inner_text("h1").split()[1])
        tab.page.click(".confirm button.primary")

    type_in("7")
    tab.page.wait_for_selector(".failure")
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
    assert "Stopped after" in tab.page.inner_text(".flash")
    assert scene.api.get(f"/v1/jobs/{job['id']}").json()["status"] == "cancelled"
    scene.settled()
