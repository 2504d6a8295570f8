"""How pages look where there is little room, with names of any length and direction, on paper, and to the keyboard."""

import re
from pathlib import Path

import pytest

from affwire.console.rendering import TEMPLATES

CROWDED = ("/sources/{source_id}", "/programs/{program_id}", "/playground/receiver")
"""Pages with something to copy."""


def overlap(one, other):
    """Return whether two boxes share any place."""
    apart = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
    below = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
    return not (apart or below)


@pytest.fixture
def endpoint(scene):
    """An endpoint without a name whose URL fills a screen."""
    url = scene.receiver.url("/long?" + "&".join(f"token{nth}={'x' * 24}" for nth in range(50)))
    made = scene.made("/v1/endpoints", {"url": url, "dialect": "standard", "paused": True})
    yield made
    scene.api.delete(f"/v1/endpoints/{made['id']}")


def test_a_narrow_screen_shows_every_page_at_one_press(open_tab):
    tab = open_tab(width=380)
    tab.go("/deliveries?status=held")
    assert tab.page.locator(".side").is_hidden()
    tab.page.click("text=Menu")
    places = tab.page.locator(".side a[href*='/']")
    boxes = [place.bounding_box() for place in places.all()]
    assert len(boxes) > 10
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 380 and box["height"] >= 24 for box in boxes)
    tab.shot("menu")
    tab.page.click("text=Close the menu")
    assert tab.page.locator(".side").is_hidden()
    tab.page.click("text=Menu")
    tab.page.click(".side >> text=Endpoints")
    tab.page.wait_for_url("**/endpoints")


@pytest.mark.parametrize("width", [380, 1280])
def test_no_copy_button_lies_over_what_it_copies(open_tab, scene, width):
    tab = open_tab(width=width)
    for path in CROWDED:
        tab.go(path.format(source_id=scene.sources[0]["id"], program_id=scene.programs[0]["id"]))
        blocks = tab.page.locator(".code:has(button):visible").all()
        assert blocks
        for block in blocks:
            assert block.locator("button").is_visible()
            assert not overlap(block.locator("code").bounding_box(), block.locator("button").bounding_box())


def test_what_a_narrow_field_has_chosen_is_not_cut(open_tab):
    tab = open_tab(width=380)
    tab.go("/deliveries")
    room = """select => {
        const style = getComputedStyle(select), pen = document.createElement("canvas").getContext("2d");
        pen.font = style.font;
        const said = pen.measureText(select.selectedOptions[0].text).width;
        return select.clientWidth - 24 - parseFloat(style.paddingLeft) - said;
    }"""
    assert min(one.evaluate(room) for one in tab.page.locator(".facets select").all()) >= 0


def test_a_url_that_fills_a_screen_is_folded_and_whole_within(open_tab, endpoint):
    tab = open_tab(width=380)
    for path in (f"/endpoints/{endpoint['id']}", f"/endpoints/{endpoint['id']}?tab=settings", "/endpoints"):
        tab.go(path)
        longest = max(box.bounding_box()["height"] for box in tab.page.locator("main :is(h1, .long, td):visible").all())
        assert longest < 140
    tab.go(f"/endpoints/{endpoint['id']}")
    tab.page.click(".long summary")
    tab.shot("long-url")
    assert tab.page.inner_text(".long code") == endpoint["url"]
    assert tab.page.locator(".long [data-copy]").is_visible()


@pytest.mark.parametrize("path", ["/affiliates", "/deliveries", "/programs", "/endpoints"])
def test_no_column_of_a_list_of_long_names_is_out_of_sight(open_tab, scene, path):
    name = "Wide Warehouse Widgets " * 10
    program = scene.made("/v1/programs", {"name": name, "currency": "EUR"})["id"]
    person = {"first_name": name, "last_name": name, "email": f"wide{path[1:]}@{'w' * 60}.example", "country": "SE"}
    member = {"tag": name, "status": "active"}
    kim = scene.made("/v1/affiliates", {**person, "program_id": program, "membership": member})["id"]
    tab = open_tab()
    tab.go(path)
    tab.shot(f"wide{path.replace('/', '-')}")
    room = tab.page.evaluate("(one => one.clientWidth - one.scrollWidth)(document.querySelector('.table'))")
    scene.api.delete(f"/v1/affiliates/{kim}").raise_for_status()
    scene.settled()
    assert room >= 0


def test_what_a_narrow_column_cuts_is_whole_where_the_pointer_rests(open_tab):
    tab = open_tab()
    tab.go("/affiliates?q=person39")
    cell = tab.page.locator("tbody td", has_text="person39@example.org")
    cell.evaluate("(one) => (one.style.maxWidth = '60px')")
    cell.hover()
    assert cell.get_attribute("title") == "person39@example.org"


def test_a_chart_can_be_read_in_numbers(open_tab):
    tab = open_tab("viewer")
    tab.go("/")
    counts = [int(one.replace("\u202f", "")) for one in tab.page.locator(".plot .counts span").all_inner_texts()]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == 0
    assert tab.page.locator(".plot .times span").count() == 5
    tab.page.click("text=In numbers")
    ok = tab.page.locator(".numbers tbody td:nth-child(2)").all_inner_texts()
    said = tab.page.inner_text(".chart figcaption span:has(.ok) strong")
    assert sum(int(one.replace("\u202f", "")) for one in ok) == int(said.replace("\u202f", "")) > 0


def test_paper_has_what_is_there_and_nothing_to_press(open_tab):
    tab = open_tab(theme="dark")
    tab.go("/deliveries")
    tab.page.emulate_media(media="print")
    assert not [one for one in tab.page.locator("button, nav, select").all() if one.is_visible()]
    assert tab.page.locator("tbody tr").first.is_visible()
    assert tab.page.evaluate("getComputedStyle(document.body).color") == "rgb(25, 28, 30)"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_who_goes_by_keyboard_sees_where_they_are_and_nothing_moves(open_tab, theme):
    tab = open_tab(theme=theme)
    tab.go("/endpoints")
    tab.page.keyboard.press("Tab")
    for _ in range(24):
        tab.page.keyboard.press("Tab")
        ring = (
            "(({outlineStyle, outlineWidth}) => [outlineStyle, outlineWidth])(getComputedStyle(document.activeElement))"
        )
        assert tab.page.evaluate(ring) == ["solid", "2px"], tab.page.evaluate("document.activeElement.outerHTML")
    still = "(one => (one.className = 'pulse', document.body.append(one), getComputedStyle(one).animationName))"
    assert tab.page.evaluate(f"{still}(document.createElement('p'))") == "none"


@pytest.mark.parametrize("page", sorted(TEMPLATES.rglob("*.html")), ids=lambda one: str(one.relative_to(TEMPLATES)))
def test_a_heading_keeps_a_name_that_runs_from_right_to_left_to_itself(page: Path):
    heading = re.search(r"{% block heading %}(.*?){% endblock %}", page.read_text("utf-8"), re.DOTALL)
    said = re.sub(r"<bdi>.*?</bdi>", "", heading[1]) if heading else ""
    assert not re.findall(r"{{ (?!say\.|ui\.)[^}]*}}", said)
