"""One delivery: its attempts, what went over the wire, the signature, and what can be done."""

import pytest


def delivery(scene, **query):
    return scene.listed("/v1/deliveries", **query)[0]


@pytest.fixture
def healed(scene):
    """A delivery that failed and was tried again until it arrived."""
    of_growi = scene.listed("/v1/deliveries", status="delivered", endpoint_id=scene.endpoints["growi"]["id"])
    whole = (scene.api.get(f"/v1/deliveries/{one['id']}").json() for one in of_growi if one["attempts_made"] > 1)
    return next(one for one in whole if one["attempts"][0]["outcome"] == "failed")


def test_a_healed_delivery_shows_each_try(tab, healed):
    tab.go(f"/deliveries/{healed['id']}")
    tab.shot("delivery")
    assert tab.page.locator(".attempts li.bad").count() >= 1
    assert tab.page.locator(".attempts li.good").count() == 1
    assert "acknowledged after" in tab.page.inner_text("main")
    assert tab.page.locator(".part .code").count() == 1
    tab.page.click(".attempts >> text=Try 1")
    tab.page.click(".tabs >> text=Response")
    assert "HTTP 500" in tab.page.inner_text(".part")


def test_what_was_given_up_says_why_and_where_to_mend_it(tab, scene):
    lost = delivery(scene, status="exhausted", endpoint_id=scene.endpoints["dead"]["id"])
    tab.go(f"/deliveries/{lost['id']}")
    tab.shot("delivery-exhausted")
    told = tab.page.inner_text(".failure")
    assert "HTTP 503" in told
    assert "Likely cause" in told
    assert tab.page.get_attribute(".failure a.button", "href").startswith(f"/endpoints/{scene.endpoints['dead']['id']}")
    assert "Given up" in tab.page.inner_text(".attempts")


@pytest.mark.parametrize("dialect", ["standard", "affonso", "rewardful", "tamio"])
def test_the_signature_that_was_sent_is_found_to_fit(open_tab, scene, dialect):
    tab = open_tab("viewer")
    one = delivery(scene, status="delivered", endpoint_id=scene.endpoints[dialect]["id"])
    tab.go(f"/deliveries/{one['id']}?tab=signature")
    tab.shot(f"delivery-signature-{dialect}")
    assert tab.page.inner_text(".part .badge") == "fits"
    assert scene.endpoints[dialect]["secret"][-4:] in tab.page.inner_text(".part table")


@pytest.mark.parametrize("name", ["timing", "event", "do"])
def test_each_tab_shows_its_part(tab, healed, name):
    tab.go(f"/deliveries/{healed['id']}?tab={name}")
    tab.shot(f"delivery-{name}")
    said = {"timing": "first byte", "event": "occurred_at", "do": "affwire deliveries replay"}[name]
    assert said in tab.page.inner_text(".part")


def test_sent_again_it_arrives_and_the_page_follows(open_tab, scene, healed):
    tab = open_tab("editor")
    tab.go(f"/deliveries/{healed['id']}")
    before = tab.page.locator(".attempts a[href*=attempt]").count()
    tab.page.click("button >> text=Send again")
    assert "goes out again" in tab.page.inner_text(".flash")
    tab.page.wait_for_selector(f".attempts li:nth-child({before + 2})")
    tab.page.wait_for_selector("[data-fresh]", state="detached")
    scene.settled()
    shown = scene.api.get(f"/v1/deliveries/{healed['id']}").json()
    assert (shown["status"], shown["attempts_made"]) == ("delivered", healed["attempts_made"] + 1)


def test_only_legal_moves_are_enabled_and_others_say_why(open_tab, scene):
    held = delivery(scene, status="held", endpoint_id=scene.endpoints["paused"]["id"])
    tab = open_tab("editor")
    tab.go(f"/deliveries/{held['id']}")
    again = tab.page.locator("button", has_text="Send again")
    assert again.is_disabled()
    assert "held" in again.get_attribute("title")
    assert "Resume the endpoint" in tab.page.inner_text(".failure")
    tab.page.click("button >> text=Cancel")
    assert "Cancelled" in tab.page.inner_text(".flash")
    assert scene.api.get(f"/v1/deliveries/{held['id']}").json()["status"] == "cancelled"
    assert tab.page.locator("button", has_text="Cancel").is_disabled()


def test_a_viewer_looks_and_has_no_button(open_tab, healed):
    tab = open_tab("viewer")
    tab.go(f"/deliveries/{healed['id']}")
    assert tab.page.locator(".heading button").count() == 0
