"""The keyboard and rows that move by themselves: nothing that somebody holds is taken away."""

import re

import pytest

TYPING = ("#q", "select[name=outcome]")


def test_the_keyboard_walks_chooses_and_opens(open_tab):
    tab = open_tab()
    tab.go("/deliveries")
    for key in ("j", "j", "k", "x"):
        tab.page.keyboard.press(key)
    rows = tab.page.locator("tbody tr")
    assert rows.nth(0).get_attribute("class") == "at"
    assert rows.nth(0).locator("td.pick input").is_checked()
    assert tab.page.evaluate("document.activeElement.closest('tr.at') !== null"), (
        "the row that is moved to has the focus"
    )
    tab.shot("keyboard-row")
    wanted = rows.nth(0).get_attribute("data-row")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url(f"**/deliveries/{wanted}")


def test_a_row_that_is_moved_to_is_marked_for_who_cannot_see_colours(open_tab):
    tab = open_tab()
    tab.go("/deliveries")
    tab.page.keyboard.press("j")
    ring = tab.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"


def test_no_key_does_anything_while_somebody_types(open_tab):
    tab = open_tab()
    tab.go("/deliveries")
    for field in TYPING:
        tab.page.focus(field)
        for key in ("j", "x", "?", "."):
            tab.page.locator(field).press(key)
        assert tab.page.locator("tr.at").count() == 0
        assert tab.page.locator("dialog[open]").count() == 0
    tab.page.fill("#q", "")
    tab.page.locator("#q").press("/")
    assert tab.page.input_value("#q") == "/"
    tab.page.keyboard.press("Escape")
    assert tab.page.evaluate("document.activeElement === document.body")


def test_the_help_names_every_key_and_escape_closes_it(open_tab):
    tab = open_tab()
    tab.go("/deliveries")
    tab.page.keyboard.press("?")
    said = tab.page.locator("dialog[open] kbd").all_inner_texts()
    assert said == ["/", "j", "k", "Enter", "x", "r", ".", "?", "Esc"]
    tab.page.keyboard.press("j")
    assert tab.page.locator("tr.at").count() == 0, "behind the help nothing moves"
    tab.shot("keyboard-help")
    tab.page.keyboard.press("Escape")
    assert tab.page.locator("dialog[open]").count() == 0


def test_keys_send_again_what_is_chosen(open_tab, scene):
    scene.happen()  # of somebody who is not erased
    scene.settled()
    tab = open_tab("editor")
    tab.go("/deliveries?status=delivered")
    tab.page.keyboard.press("r")
    assert tab.page.url.endswith("status=delivered"), "with nothing chosen there is nothing to send"
    for key in ("j", "x", "j", "x", "r"):
        tab.page.keyboard.press(key)
    tab.page.wait_for_selector("text=Send 2 deliveries again?")


def test_a_dot_leads_to_what_can_be_done_to_the_row_and_escape_leaves(open_tab):
    tab = open_tab()
    tab.go("/deliveries")
    tab.page.keyboard.press("j")
    tab.page.keyboard.press(".")
    assert tab.page.locator("tr.at td.pick input").is_checked()
    assert tab.page.evaluate("document.activeElement.innerText").startswith("Send again")
    tab.page.keyboard.press("Escape")
    assert tab.page.locator("tr.at").count() == 0


@pytest.mark.parametrize(
    ("path", "said"),
    [("/deliveries", "Send all that fit again"), ("/endpoints", "New endpoint"), ("/events", "Export")],
)
def test_without_a_row_a_dot_leads_to_what_the_list_can_do_and_to_a_file_only_at_last(open_tab, path, said):
    tab = open_tab()
    tab.go(path)
    tab.page.keyboard.press(".")
    assert tab.page.evaluate("document.activeElement.innerText").strip() == said


def test_the_keyboard_walks_through_what_a_search_found(open_tab):
    tab = open_tab()
    tab.go("/search?q=person")
    tab.page.keyboard.press("Escape")
    tab.page.keyboard.press("j")
    path = tab.page.locator("ul.hits li.at a").get_attribute("href")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url(f"**{path}")


def live(tab, path="/deliveries?dialect=standard&limit=30"):
    tab.go(path)
    tab.page.wait_for_selector("[data-live][data-state=live]")
    return tab


def test_further_down_new_rows_wait_until_somebody_asks_for_them(open_tab, scene):
    tab = live(open_tab())
    tab.page.evaluate("window.scrollTo(0, 500)")
    first = tab.page.locator("tbody tr").first.get_attribute("data-row")
    for _ in range(2):
        scene.happen()
    tab.page.locator("[data-arrivals]:not([hidden])", has_text=re.compile("^([2-9]|[1-9][0-9]+) new$")).wait_for()
    assert tab.page.locator("tbody tr").first.get_attribute("data-row") == first
    tab.page.evaluate("document.querySelector('[data-arrivals]').click()")
    tab.page.wait_for_selector("tr.arrived")
    assert tab.page.locator("[data-arrivals]").is_hidden()
    assert tab.page.locator("tbody tr").count() == 30


def renewed(tab, row_id):
    """Have the feed say anew what a row is."""
    tab.page.wait_for_selector(f"tr[data-row={row_id}].renewed", state="attached")


def test_a_row_that_is_renewed_keeps_focus_and_tick(open_tab, scene):
    tab = live(open_tab("admin"), "/deliveries?status=delivered&dialect=affonso")
    row = tab.page.locator("tbody tr").first
    row_id = row.get_attribute("data-row")
    for key in ("j", "x"):
        tab.page.keyboard.press(key)
    scene.api.post(f"/v1/deliveries/{row_id}/replay")
    renewed(tab, row_id)
    again = tab.page.locator(f"tr[data-row={row_id}]")
    assert again.locator("td.pick input").is_checked()
    assert "at" in again.get_attribute("class").split()
    assert tab.page.evaluate("document.activeElement.closest('tr')?.dataset.row") == row_id


def test_a_row_whose_text_is_selected_is_renewed_only_afterwards(open_tab, scene):
    tab = live(open_tab("admin"), "/deliveries?status=delivered&dialect=growi")
    row_id = tab.page.locator("tbody tr").first.get_attribute("data-row")
    other_id = tab.page.locator("tbody tr").nth(1).get_attribute("data-row")
    tab.page.evaluate("getSelection().selectAllChildren(document.querySelector('tbody tr td.is-badge'))")
    for one in (row_id, other_id):
        scene.api.post(f"/v1/deliveries/{one}/replay")
    renewed(tab, other_id)
    tab.page.wait_for_timeout(100)
    assert tab.page.evaluate("getSelection().toString()").strip() == "delivered"
    assert tab.page.locator(f"tr[data-row={row_id}].renewed").count() == 0
    tab.page.evaluate("getSelection().removeAllRanges()")
    renewed(tab, row_id)


def test_the_dot_pauses_and_goes_on_where_it_was(open_tab, scene):
    tab = live(open_tab())
    scene.happen()
    tab.page.wait_for_selector("tr.arrived")
    tab.page.click("[data-live]")
    assert tab.page.get_attribute("[data-live]", "data-state") == "paused"
    tab.page.evaluate("document.querySelectorAll('tr.arrived').forEach((row) => row.classList.remove('arrived'))")
    scene.happen()
    scene.settled()
    assert tab.page.locator("tr.arrived").count() == 0
    tab.page.click("[data-live]")
    tab.page.wait_for_selector("tr.arrived")


@pytest.mark.parametrize("width", [380, 1280])
def test_rows_move_again_after_the_server_was_away(open_tab, scene, width):
    tab = open_tab(width=width)
    tab.allowed |= {"ERR_"}
    live(tab)
    scene.server.restart()
    tab.page.wait_for_selector("[data-live][data-state=lost]", state="attached", timeout=15_000)
    tab.page.wait_for_selector("[data-live][data-state=live]", state="attached", timeout=15_000)
    scene.happen()
    tab.page.wait_for_selector("tr.arrived", timeout=15_000)
