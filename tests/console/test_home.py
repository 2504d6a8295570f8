"""Home: figures, chart, what needs somebody with the button for it, what has just happened."""

import pytest


def test_home_shows_how_it_goes(tab):
    tab.go("/")
    tab.page.wait_for_selector("[data-live][data-state=live]")
    tab.shot("home")
    assert tab.page.locator(".spans a[aria-current]").inner_text() == "1h"
    assert tab.page.locator(".figure").count() == 7
    assert tab.page.locator("svg rect.bar").count() > 0
    assert {"paused", "tripped"} <= set(tab.page.locator(".calls .badge").all_inner_texts())


@pytest.mark.parametrize("span", ["1h", "7d"])
def test_the_span_is_chosen_and_stays_in_the_url(open_tab, span):
    tab = open_tab("viewer")
    tab.go("/")
    tab.page.click(f".spans a >> text={span}")
    tab.page.wait_for_url(f"**/?span={span}")
    assert f"since={span}" in tab.page.get_attribute(".figure a", "href")
    assert tab.page.locator(".calls button").count() == 0


def test_what_happens_slides_in(open_tab, scene):
    tab = open_tab("viewer")
    tab.go("/")
    tab.page.wait_for_selector("[data-live][data-state=live]")
    scene.happen(3)
    tab.page.wait_for_selector("tr.arrived")
    assert tab.page.locator("[data-listing] tbody tr").count() == 8


def test_the_button_mends_what_needs_somebody(open_tab, scene):
    made = scene.made("/v1/endpoints", {"url": scene.receiver.url("/idle"), "dialect": "standard", "paused": True})
    tab = open_tab("admin")
    tab.go("/")
    tab.page.locator(".calls li", has_text="/idle").locator("button").click()
    assert "is resumed" in tab.page.inner_text(".flash")
    assert scene.api.get(f"/v1/endpoints/{made['id']}").json()["paused"] is False
    scene.settled(endpoint_id=made["id"])
    scene.api.delete(f"/v1/endpoints/{made['id']}")


def test_from_home_to_a_replayed_delivery_it_takes_at_most_four_clicks(open_tab, scene):
    tab, clicks = open_tab("editor"), 0
    tab.go("/")
    for where in (".figure a >> nth=0", "tbody tr a >> nth=0", "button:has-text('Send again')"):
        tab.page.click(where)
        clicks += 1
    assert clicks <= 4
    tab.page.wait_for_selector(".flash.good")
    delivery_id = tab.page.url.rpartition("/")[2].partition("?")[0]
    scene.settled()
    shown = scene.api.get(f"/v1/deliveries/{delivery_id}").json()
    assert (shown["status"], shown["attempts_made"] > 1) == ("delivered", True)


def test_an_operator_chooses_the_organization(open_tab):
    tab = open_tab("operator")
    tab.go("/")
    tab.page.click(".organizations summary")
    tab.page.click("text=Other")
    tab.page.wait_for_url("**organization=other**")
    assert "No endpoint yet" in tab.page.inner_text("main")
    tab.shot("home-empty")


def test_home_names_unsent_mails_and_who_asks_to_join(open_tab, scene):
    scene.mail()
    tab = open_tab("editor")
    for name, where in (("unsent", "/settings/mails?status=unsent"), ("ask to join", "/affiliates?status=pending")):
        tab.go("/")
        call = tab.page.locator(".calls li", has_text=name)
        assert any(one.isdigit() for one in call.locator("a").first.inner_text())
        assert call.locator("a.button").get_attribute("href") == where
        call.locator("a.button").click()
        tab.page.wait_for_selector("tbody tr")


def test_many_failing_endpoints_are_three_and_a_number(open_tab, scene):
    wish = {"dialect": "standard", "policy": {"retry_schedule": [0.02]}}
    made = [scene.made("/v1/endpoints", {"url": scene.receiver.url("/dead"), **wish}) for _ in range(5)]
    scene.happen(1)
    scene.settled()
    tab = open_tab("viewer")
    tab.go("/")
    tab.shot("home-failing")
    shown = tab.page.locator(".calls li", has=tab.page.locator(".badge:text-matches('^(failing|tripped)$')"))
    assert shown.count() == 4
    assert "more endpoints are failing" in tab.page.inner_text(".calls")
    for one in made:
        scene.api.delete(f"/v1/endpoints/{one['id']}")


def test_what_is_new_is_said_in_sight_of_who_has_scrolled(open_tab, scene):
    tab = open_tab("viewer")
    tab.go("/events")
    tab.page.wait_for_selector("[data-live][data-state=live]")
    former = tab.page.locator(".table").bounding_box()["y"]
    tab.page.evaluate("window.scrollTo(0, 600)")
    scene.happen(2)
    pill = tab.page.locator("[data-arrivals]")
    pill.wait_for(state="visible")
    assert 0 <= pill.bounding_box()["y"] < 200
    tab.shot("arrivals")
    pill.click()
    tab.page.wait_for_selector("tr.arrived")
    assert pill.is_hidden()
    assert tab.page.locator(".table").bounding_box()["y"] == former
