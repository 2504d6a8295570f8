"""Sources: made in two steps, waiting for their first message, given new secrets and URLs, disabled and deleted."""

import re

import pytest
from platforms import SECRET, open_platform

PATIENCE_MS = 10_000


def test_the_list_says_what_each_source_is_worth(tab, scene):
    open_platform(scene, "Listed")
    tab.go("/sources")
    tab.shot("sources")
    row = tab.page.locator("tbody tr", has_text="Listed").first
    assert "unheard" in row.inner_text()
    assert "signed" in row.inner_text()


def test_a_source_shows_its_url_and_where_to_paste_it(tab, scene):
    source = open_platform(scene).source
    tab.go(f"/sources/{source['id']}")
    tab.shot("source-waiting")
    assert source["ingest_url"] in tab.page.inner_text(".steps")
    assert "app.getrewardful.com/webhooks" in tab.page.inner_text(".steps")
    assert SECRET not in tab.page.content()


@pytest.mark.parametrize("width", [380, 1280])
def test_a_source_is_made_and_its_first_message_slides_in(open_tab, scene, width):
    tab = open_tab(width=width)
    tab.go("/sources/new")
    tab.shot("source-platforms")
    tab.page.click(".choices >> text=Growi")
    tab.shot("source-new")
    tab.page.fill("input[name=name]", "Our campaigns")
    tab.page.select_option("select[name=mode]", "relay")
    tab.page.select_option("select[name=match]", "email")
    tab.page.click("text=Create the source")
    assert "Waiting for the first message" in tab.page.inner_text("main")
    url = tab.page.inner_text(".steps pre >> nth=0")
    with tab.page.expect_response("**/inbox/live**"):
        tab.page.reload()
    body = {"event": "campaign_affiliate.activated", "occurred_at": "2026-01-01T00:00:00+00:00", "user_id": 1}
    assert scene.api.post(url, json=body).status_code < 500
    tab.page.wait_for_selector("tr.arrived", timeout=PATIENCE_MS)
    assert "The first message is here" in tab.page.inner_text("main")
    tab.shot("source-arrived")


def test_a_wrong_secret_is_named_beside_its_field_and_not_echoed(open_tab, scene):
    tab = open_tab()
    tab.allowed.add(422)
    tab.go("/sources/new?dialect=standard")
    tab.page.fill("input[name=secret]", "no-standard-secret-at-all")
    tab.page.select_option("select[name=mode]", "mirror")
    tab.page.select_option("select[name=match]", "email")
    tab.page.click("text=Create the source")
    assert "secret" in tab.page.inner_text(".fault")
    assert "no-standard-secret-at-all" not in tab.page.content()


def test_a_source_is_edited_rotated_moved_disabled_and_deleted(open_tab, scene):
    source = open_platform(scene).source
    path = f"/sources/{source['id']}"
    tab = open_tab()
    shown = lambda: scene.api.get(f"/v1{path}").json()  # noqa: E731
    tab.go(f"{path}/edit")
    tab.page.fill("input[name=name]", "Renamed")
    tab.page.click("text=Save")
    assert shown()["name"] == "Renamed"
    tab.page.click("text=The platform has a new secret")
    tab.page.fill("input[name=secret]", "another-secret-of-the-platform-1234")
    tab.page.click("text=Add it")
    assert [one["last4"] for one in shown()["secrets"]] == ["1234", SECRET[-4:]]
    tab.shot("source-rotated")
    tab.page.click("text=New URL")
    tab.shot("source-move")
    tab.page.click("text=Give it a new URL")
    assert shown()["ingest_url"] != source["ingest_url"]
    assert scene.api.post(source["ingest_url"], json={}).status_code == 404
    tab.page.click("a.button:has-text('Disable')")
    tab.page.click("text=Disable it")
    assert not shown()["enabled"]
    tab.page.click("button:has-text('Enable')")
    assert shown()["enabled"]
    tab.page.click("a.button:has-text('Delete')")
    tab.page.click("text=Delete the source")
    assert scene.api.get(f"/v1{path}").status_code == 404


@pytest.mark.parametrize("who", ["editor", "viewer"])
def test_only_admins_see_the_url(open_tab, scene, who):
    source = open_platform(scene).source
    tab = open_tab(who)
    tab.go(f"/sources/{source['id']}")
    assert not re.search(r"awi_[0-9a-f]{48}", tab.page.content())
    assert tab.page.locator("main form").count() == 0
