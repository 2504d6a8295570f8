"""Programs: the list, one of them, and what is done with it."""

import pytest


def test_the_list_counts_members(tab, scene):
    tab.go("/programs")
    tab.shot("programs")
    assert tab.page.locator("tbody tr").count() >= len(scene.programs)


def test_a_program_shows_its_counts_and_its_page(tab, scene):
    tab.go(f"/programs/{scene.programs[0]['id']}")
    tab.shot("program")
    assert "Pending" in tab.page.inner_text("dl.figures")
    assert f"/apply/{scene.programs[0]['id']}" in tab.page.inner_text(".code")


@pytest.mark.parametrize("width", [380, 1280])
def test_a_program_is_made_changed_opened_closed_and_deleted(open_tab, scene, width):
    tab = open_tab("editor", width=width)
    tab.allowed = {422}
    tab.go("/programs/new")
    tab.page.fill("[name=name]", f"Made {width}")
    tab.page.fill("[name=commission_percent]", "250")
    tab.page.fill("[name=payout_delay]", "soon")
    tab.page.click("main button.primary:has-text('Save')")
    tab.page.wait_for_load_state()
    assert tab.page.locator(".fault").count() == 2
    tab.shot("program-wrong")
    tab.page.fill("[name=commission_percent]", "12,5")
    tab.page.fill("[name=payout_delay]", "30")
    tab.page.fill("[name=products]", "One\nTwo\n\n")
    tab.page.click("main button.primary:has-text('Save')")
    tab.page.wait_for_url("**/programs/prg_*")
    program_id = tab.page.url.rpartition("/")[2]
    made = scene.api.get(f"/v1/programs/{program_id}").json()
    assert (made["commission_percent"], made["payout_delay"], made["products"]) == (12.5, 30, ["One", "Two"])
    assert made["destinations"] == ["worldwide"]

    tab.page.click(".actions >> text=Edit")
    tab.shot("program-edit")
    tab.page.check("[name=auto_approve]")
    tab.page.click("main button.primary:has-text('Save')")
    tab.page.click("text=Take applications")
    opened = scene.api.get(f"/v1/programs/{program_id}").json()
    assert (opened["is_public"], opened["auto_approve"]) == (True, True)
    assert opened["signup_url"].endswith(f"/apply/{program_id}")
    assert tab.page.request.get(opened["signup_url"]).status == 200
    tab.page.click("text=Take no more")
    closed = scene.api.get(f"/v1/programs/{program_id}").json()
    assert (closed["is_public"], closed["signup_url"]) == (False, None)
    assert tab.page.request.get(opened["signup_url"]).status == 404

    member = {"email": f"only{width}@made.example", "program_id": program_id}
    affiliate = scene.made("/v1/affiliates", member)
    tab.page.click(".actions >> text=Delete")
    tab.shot("program-delete")
    assert "1 live member is removed first" in tab.page.inner_text("main")
    tab.page.click("main .preview button.danger")
    assert scene.api.get(f"/v1/programs/{program_id}").status_code == 404
    [left] = scene.listed("/v1/memberships", affiliate_id=affiliate["id"])
    assert left["status"] == "removed"


def test_the_raw_program_is_what_the_api_shows(open_tab, scene):
    tab, path = open_tab("viewer"), f"/programs/{scene.programs[1]['id']}"
    raw = tab.page.request.get(f"{scene.server.url}{path}.json").json()
    assert raw == scene.api.get(f"/v1{path}").json()
