"""Deliveries, as a person on call uses them."""

import pytest


def test_the_list_shows_every_delivery_with_its_answer(tab):
    tab.go("/deliveries")
    tab.shot("deliveries")
    assert tab.page.locator("tbody tr").count() == 40
    assert tab.page.locator("nav.pages a[rel=next]").count() == 1


def test_a_facet_narrows_the_list_and_stays_in_the_url(open_tab, scene):
    tab = open_tab()
    tab.go("/deliveries")
    tab.page.click("nav.chips >> text=exhausted")
    tab.page.wait_for_url("**status=exhausted**")
    tab.page.wait_for_selector("td.is-badge")
    assert set(tab.page.locator("tbody td.is-badge").all_inner_texts()) == {"exhausted"}
    tab.page.select_option("select[name=endpoint]", scene.endpoints["dead"]["id"])
    tab.page.wait_for_url("**endpoint=ep_**")
    assert "columns" not in tab.page.url
    assert tab.page.locator("tbody tr").count() > 0
    tab.shot("deliveries-exhausted")


def test_a_new_delivery_slides_in(open_tab, scene):
    tab = open_tab()
    tab.go("/deliveries?dialect=standard")
    tab.page.wait_for_selector("[data-live][data-state=live]")
    scene.happen()
    tab.page.wait_for_selector("tr.arrived")


@pytest.mark.parametrize("width", [380, 1280])
def test_chosen_deliveries_are_sent_again_after_a_look(open_tab, scene, width):
    for nth in range(2):
        scene.happen(nth)
    scene.settled()
    tab = open_tab("editor", width=width)
    tab.go("/deliveries?status=delivered&dialect=affonso")
    for nth in range(2):
        tab.page.locator("td.pick input").nth(nth).check()
    before = len(scene.receiver.seen)
    tab.page.click("text=Send again")
    assert "Send 2 deliveries again?" in tab.page.inner_text("h1")
    tab.shot("deliveries-confirm")
    tab.page.click("text=Send 2 deliveries again >> visible=true >> nth=-1")
    assert "2 deliveries sent again" in tab.page.inner_text(".flash")
    tab.shot("deliveries-sent")
    scene.settled()
    assert len(scene.receiver.seen) > before


def test_the_keyboard_walks_and_chooses(open_tab):
    tab = open_tab()
    tab.go("/deliveries")
    for key in ("j", "j", "k", "x"):
        tab.page.keyboard.press(key)
    assert tab.page.locator("tr.at td.pick input").is_checked()
    tab.page.keyboard.press("?")
    assert tab.page.locator("dialog[open]").count() == 1
    tab.page.keyboard.press("Escape")
    tab.page.keyboard.press("/")
    assert tab.page.evaluate("document.activeElement.name") == "q"
