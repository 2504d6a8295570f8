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
