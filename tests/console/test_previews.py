"""Previews: pages of their own that Back and reload find again; and what was not shown is not done."""

import re

import httpx2
import pytest
from matrix import target
from platforms import busy

from affwire.console import pages, previews
from affwire.console.routes import Action, Answer
from affwire.console.security import PLAIN_NAME, form_token

ROUTES = [route for module in pages.MODULES for route in module.ROUTES]
CONFIRMED = {route.path for route in ROUTES if isinstance(route, Action)}
PREVIEWS = [route.path for route in ROUTES if isinstance(route, Answer) and route.path in CONFIRMED]
AT_ONCE = {"/endpoints/{endpoint_id}/resume", "/endpoints/{endpoint_id}/enable"}
"""Done without a look where there is nothing to see: nothing is held."""
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


class Browser(httpx2.Client):
    """A browser without a script, in which somebody is signed in."""

    def __init__(self, scene, who):
        token = scene.token(who)
        headers = {"Cookie": f"{PLAIN_NAME}={token}", "Sec-Fetch-Site": "same-origin"}
        super().__init__(base_url=scene.server.url, headers=headers, trust_env=False, timeout=20)
        self.form_token = form_token(token)

    def form(self, path):
        """Return what the form of a preview carries."""
        page = self.get(path)
        assert page.status_code == 200, page.text
        return dict(HIDDEN.findall(page.text[page.text.index("<main") :]))

    def said(self, answer):
        """Return the page that an answer leads to."""
        assert answer.status_code == 303, answer.text
        cookie = f"{self.headers['cookie']}; affwire-flash={answer.cookies.get('affwire-flash')}"
        return self.get(answer.headers["location"], headers={"Cookie": cookie}).text


@pytest.fixture
def client(scene):
    with Browser(scene, "admin") as client:
        yield client


@pytest.fixture(scope="module")
def endpoint(scene):
    """An endpoint that heard of living persons only."""
    made = scene.made("/v1/endpoints", {"url": scene.receiver.url("/own"), "dialect": "standard"})
    for nth in range(3):
        scene.happen(nth)
    scene.settled()
    yield made["id"]
    assert scene.api.delete(f"/v1/endpoints/{made['id']}").is_success


def delivered(scene, endpoint, count):
    return scene.listed("/v1/deliveries", status="delivered", endpoint_id=endpoint)[:count]


def chosen(records):
    return "&".join(f"id={one['id']}" for one in records)


@pytest.mark.parametrize("path", PREVIEWS)
def test_a_preview_is_a_page_whose_form_goes_to_its_own_url(scene, client, path):
    there = target(scene, path)
    page = client.get(there)
    assert page.status_code == 200
    main = page.text[page.text.index("<main") :]
    assert f'method="post" action="{there.replace("&", "&amp;")}"' in main
    assert 'name="shown"' in main
    if path in AT_ONCE:
        return
    unconfirmed = client.post(there, data={"form_token": client.form_token})
    assert (unconfirmed.status_code, unconfirmed.headers["location"]) == (303, there)


@pytest.mark.parametrize("path", PREVIEWS)
def test_who_may_not_do_it_sees_no_preview_of_it(scene, path):
    with Browser(scene, "viewer") as viewer:
        assert viewer.get(target(scene, path)).status_code == 403


def test_back_and_reload_find_the_preview_again(open_tab, scene, endpoint):
    tab = open_tab("editor")
    tab.go(f"/deliveries?status=delivered&endpoint={endpoint}")
    tab.page.locator("td.pick input").first.check()
    tab.page.click("text=Send again")
    asked = "Send 1 delivery again?"
    assert asked in tab.page.inner_text("h1")
    assert tab.page.reload().request.method == "GET"
    assert asked in tab.page.inner_text("h1")
    tab.page.click("main form button.primary")
    assert "1 delivery sent again" in tab.page.inner_text(".flash")
    scene.settled()
    tab.page.go_back()
    assert asked in tab.page.inner_text("h1")
    tab.page.go_back()
    assert tab.page.inner_text("h1") == "Deliveries"


def test_members_who_were_changed_meanwhile_are_shown_anew_before_anything_is_done(scene, client):
    program = scene.made("/v1/programs", {"name": "Previews"})["id"]
    mine = [
        scene.made("/v1/affiliates", {"email": f"preview{nth}@made.example", "program_id": program})["membership"]
        for nth in range(2)
    ]
    path = f"/affiliates/remove?{chosen(mine)}"
    form = client.form(path)
    assert scene.api.post(f"/v1/memberships/{mine[0]['id']}/remove").is_success
    answer = client.post(path, data=form)
    page = client.said(answer)
    assert "has changed since you looked: 2 then, 1 now. Nothing was done." in page
    assert "Remove 1 member?" in page
    assert scene.api.get(f"/v1/memberships/{mine[1]['id']}").json()["status"] != "removed"
    assert "1 member removed" in client.said(client.post(path, data=client.form(path)))
    scene.settled()


def test_an_endpoint_that_came_meanwhile_is_shown_before_it_is_told(scene, client):
    affiliate = scene.made("/v1/affiliates", {"email": "preview-told@made.example"})
    path = f"/affiliates/{affiliate['id']}/delete"
    form = client.form(path)
    wish = {"url": scene.receiver.url("/late"), "dialect": "standard"}
    late = scene.made("/v1/endpoints", wish)
    assert "Nothing was done" in client.said(client.post(path, data=form))
    assert scene.api.get(f"/v1/affiliates/{affiliate['id']}").status_code == 200
    assert "is deleted" in client.said(client.post(path, data=client.form(path)))
    scene.settled()
    assert scene.api.delete(f"/v1/endpoints/{late['id']}").is_success


def test_deliveries_that_were_tried_meanwhile_are_counted_anew(scene, client, endpoint):
    path = f"/deliveries/replay-all?status=delivered&endpoint={endpoint}"
    form, jobs = client.form(path), scene.listed("/v1/jobs")
    count = int(form["shown"].partition("-")[0])
    first = delivered(scene, endpoint, 1)[0]
    scene.api.post(f"/v1/deliveries/{first['id']}/replay")
    scene.settled()
    page = client.said(client.post(path, data=form))
    assert f"{count:,} then, {count - 1:,} now" in page
    assert f"Send {count:,} deliveries again?" in page
    assert scene.listed("/v1/jobs") == jobs


def test_what_comes_after_the_preview_is_no_part_of_it(scene, client, endpoint):
    path = f"/deliveries/replay-all?status=delivered&endpoint={endpoint}&since=7d"
    form = client.form(path)
    count = int(form["shown"].partition("-")[0])
    scene.made("/v1/affiliates", {"email": "preview-late@made.example", "program_id": scene.programs[0]["id"]})
    scene.settled()
    assert "Sending again" in client.said(client.post(path, data=form))
    assert scene.listed("/v1/jobs")[0]["total"] == count


def test_of_what_had_arrived_the_preview_says_what_becomes_of_it(scene, client, endpoint):
    page = client.get(f"/deliveries/replay?{chosen(delivered(scene, endpoint, 2))}").text
    assert "All of them had arrived already. They keep their ids" in page
    assert "Until they arrive again they are pending, no longer delivered." in page
    assert "had arrived" not in client.get("/deliveries/replay-all?status=exhausted").text


def test_a_number_that_was_not_typed_does_nothing(scene, client, endpoint, monkeypatch):
    monkeypatch.setattr(previews, "TYPED_ABOVE", 1)
    path = f"/deliveries/replay?{chosen(delivered(scene, endpoint, 2))}"
    form, before = client.form(path), delivered(scene, endpoint, 2)
    assert "type 2 into the field. Nothing was done." in client.said(client.post(path, data={**form, "typed": "1"}))
    assert delivered(scene, endpoint, 2) == before


def test_all_that_is_parked_and_fits_is_processed_once_more_as_a_job(open_tab, scene):
    platform = busy(scene)
    source_id = platform.source["id"]
    parked = platform.messages(status="parked")
    tab = open_tab("editor")
    tab.go(f"/inbox?source={source_id}")
    assert tab.page.locator("text=Process all that fit").count() == 0
    tab.go(f"/inbox?source={source_id}&status=parked")
    tab.page.click("text=Process all that fit")
    tab.shot("inbox-reprocess-all")
    assert f"Process {len(parked)} message" in tab.page.inner_text("h1")
    tab.page.click(".confirm button.primary")
    tab.page.wait_for_selector("#job:not([data-fresh])")
    tab.shot("inbox-reprocess-job")
    assert f"{len(parked)} of {len(parked)}" in tab.page.inner_text("#job")
    platform.settled()
    assert {one["id"]: one["settled_at"] for one in platform.messages()}.items().isdisjoint(
        {one["id"]: one["settled_at"] for one in parked}.items()
    )


@pytest.fixture
def holding(scene):
    """Returns a function: a deed -> an endpoint with deliveries that the deed lets go, and how many."""
    made = []

    def endpoint(deed):
        one = scene.made("/v1/endpoints", {"url": scene.receiver.url(f"/holds/{deed}"), "dialect": "standard"})
        made.append(one["id"])
        scene.api.patch(f"/v1/endpoints/{one['id']}", json={"paused": True}).raise_for_status()
        for nth in range(3):
            scene.happen(nth)
        if deed == "enable":
            scene.api.patch(f"/v1/endpoints/{one['id']}", json={"enabled": False}).raise_for_status()
            scene.api.patch(f"/v1/endpoints/{one['id']}", json={"paused": False}).raise_for_status()
        return one["id"]

    yield endpoint
    for one in made:
        scene.settled(endpoint_id=one)
        scene.api.delete(f"/v1/endpoints/{one}").raise_for_status()


def at(scene, path):
    return [one.path for one in scene.receiver.seen].count(path)


@pytest.mark.parametrize("deed", ["resume", "enable"])
def test_held_deliveries_go_out_only_after_a_look_at_how_many(scene, client, holding, deed):
    path = f"/endpoints/{holding(deed)}/{deed}"
    pressed = client.post(path, data=client.form("/") | {"form_token": client.form_token})
    page = client.said(pressed)
    assert pressed.headers["location"] == path
    assert "3 deliveries are held" in page
    assert f"{deed.capitalize()} it and send 3" in page
    assert at(scene, f"/holds/{deed}") == 0
    assert "what was held goes out" in client.said(client.post(path, data=client.form(path)))
    scene.settled(endpoint_id=path.split("/")[2])
    assert at(scene, f"/holds/{deed}") == 3


def test_where_nothing_is_held_an_endpoint_goes_on_at_one_press(scene, client):
    one = scene.made("/v1/endpoints", {"url": scene.receiver.url("/none"), "dialect": "standard", "paused": True})
    form = {"form_token": client.form_token, "submission": "once"}
    answer = client.post(f"/endpoints/{one['id']}/resume", data=form)
    assert answer.headers["location"] == f"/endpoints/{one['id']}"
    assert scene.api.get(f"/v1/endpoints/{one['id']}").json()["paused"] is False
    scene.api.delete(f"/v1/endpoints/{one['id']}").raise_for_status()


def test_nothing_to_send_again_is_not_asked_but_said_with_why(scene, client, holding):
    endpoint_id = holding("resume")
    held = scene.listed("/v1/deliveries", endpoint_id=endpoint_id, status="held")
    page = client.get(f"/deliveries/replay?{chosen(held)}").text
    assert "Nothing to send again" in page
    assert "3 deliveries will not: its endpoint does not go on." in page
    assert "0 deliveries" not in page
    scene.api.patch(f"/v1/endpoints/{endpoint_id}", json={"paused": False}).raise_for_status()


def test_two_tabs_with_one_preview_start_one_job_and_both_show_it(scene, client, endpoint):
    path = f"/deliveries/replay-all?status=delivered&endpoint={endpoint}"
    form = client.form(path)
    wish = {"status": "delivered", "endpoint_id": endpoint, "rate_per_second": 1}
    first = scene.api.post("/v1/deliveries/replay", json=wish).raise_for_status().json()
    jobs = scene.listed("/v1/jobs")
    answer = client.post(path, data=form)
    page = client.said(answer)
    scene.api.post(f"/v1/jobs/{first['id']}/cancel").raise_for_status()
    assert answer.headers["location"] == f"/jobs/{first['id']}"
    assert "under way already: no second one was started" in page
    assert [one["id"] for one in scene.listed("/v1/jobs")] == [one["id"] for one in jobs]
    scene.settled()
