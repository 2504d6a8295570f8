"""Events: the log as it grows, one event with who heard of it, and the lens of the dialects."""


def activated(scene):
    return scene.listed("/v1/events", type="membership.activated")[0]


def test_the_list_shows_what_happened(tab):
    tab.go("/events")
    tab.shot("events")
    assert tab.page.locator("tbody tr").count() == 40
    tab.page.select_option("select[name=type]", "program.created")
    tab.page.wait_for_url("**type=program.created**")
    assert {text.strip() for text in tab.page.locator("tbody td:first-child").all_inner_texts()} == {"program.created"}


def test_an_event_shows_who_heard_of_it_and_what_each_dialect_makes_of_it(tab, scene):
    event = activated(scene)
    tab.go(f"/events/{event['id']}")
    tab.shot("event")
    told = scene.api.get(f"/v1/events/{event['id']}").json()["endpoints"]
    assert tab.page.locator(".fates li").count() == len(told) >= len(scene.endpoints)
    fact = tab.page.locator("table.lens tbody tr", has_text="affiliate.email")
    assert fact.locator("td").count() > 3
    assert tab.page.locator("td.cell-missing").count() > 0


def test_two_dialects_stand_side_by_side_with_what_differs_marked(tab, scene):
    event = activated(scene)
    tab.go(f"/events/{event['id']}?dialect=growi&beside=affonso")
    tab.shot("event-beside")
    assert tab.page.locator(".sides article").count() == 2
    assert tab.page.locator("mark").count() > 0
    assert "campaign_affiliate.activated" in tab.page.inner_text(".sides article >> nth=0")
