"""Affiliates: looked through, changed many at a time after a look, and one by one."""

from itertools import count

import httpx2
import pytest

from affwire.console.security import PLAIN_NAME, form_token

NUMBERS = count(1)


@pytest.fixture
def member(scene):
    """Returns a function that makes an affiliate with a membership in the scene's first program."""

    def made(status="active", tag=None):
        wish = {
            "email": f"member{next(NUMBERS)}@made.example",
            "first_name": "Made",
            "program_id": scene.programs[0]["id"],
            "membership": {"status": status, "tag": tag},
        }
        return scene.made("/v1/affiliates", wish)

    return made


def membership(scene, affiliate):
    return scene.api.get(f"/v1/memberships/{affiliate['membership']['id']}").json()


def now(scene, affiliate):
    return scene.api.get(f"/v1/affiliates/{affiliate['id']}").json()


def test_the_list_shows_members_with_their_state(tab):
    tab.go("/affiliates")
    tab.shot("affiliates")
    assert tab.page.locator("tbody tr").count() >= 40
    tab.page.click("nav.chips >> text=pending")
    tab.page.wait_for_url("**status=pending**")
    assert set(tab.page.locator("tbody td.is-badge").all_inner_texts()) == {"pending"}


def test_facets_narrow_together_and_the_pages_go_on(open_tab, scene, member):
    mine = [member(tag="facet-test") for _ in range(3)]
    tab = open_tab()
    tab.go(f"/affiliates?tag=facet-test&program={scene.programs[0]['id']}&status=active&limit=2")
    first = tab.page.locator("tbody tr").count()
    tab.page.click("a[rel=next]")
    tab.page.wait_for_url("**cursor=**")
    assert first + tab.page.locator("tbody tr").count() == len(mine)
    tab.go("/affiliates?q=member&country=SE&tag=facet-test")
    assert "No affiliate fits" in tab.page.inner_text("main")


def test_many_are_removed_after_a_look_at_who_hears_of_it(open_tab, scene, member):
    mine = [member(tag="bulk-remove") for _ in range(2)]
    tab = open_tab("editor")
    tab.go("/affiliates?tag=bulk-remove")
    tab.page.check("[data-all]")
    tab.page.click("button:has-text('Remove')")
    tab.shot("affiliates-preview")
    assert "Remove 2 members?" in tab.page.inner_text("h1")
    heard = tab.page.inner_text("table.plain")
    assert "growi of Acme" in heard
    assert "campaign_affiliate.removed" in heard
    promised = int(tab.page.inner_text("table.plain tfoot td >> nth=1"))
    assert {membership(scene, one)["status"] for one in mine} == {"active"}
    tab.page.click("button.danger:has-text('Remove 2 members')")
    assert "2 members removed" in tab.page.inner_text(".flash")
    assert {membership(scene, one)["status"] for one in mine} == {"removed"}
    events = [
        event for one in mine for event in scene.listed("/v1/events", affiliate_id=one["id"], type="membership.removed")
    ]
    assert promised == sum(len(scene.listed("/v1/deliveries", event_id=event["id"])) for event in events)


@pytest.mark.parametrize("width", [380, 1280])
def test_many_are_activated_and_who_is_so_already_stays(open_tab, scene, member, width):
    tag = f"bulk-activate-{width}"
    mine = [member("pending", tag), member("active", tag)]
    tab = open_tab("editor", width=width)
    tab.go(f"/affiliates?tag={tag}")
    for nth in range(2):
        tab.page.locator("td.pick input").nth(nth).check()
    tab.page.click("button:has-text('Activate')")
    tab.shot("affiliates-activate")
    assert "1 member will not: they are active already." in tab.page.inner_text("main")
    tab.page.click("button.primary:has-text('Activate 1 member')")
    assert {membership(scene, one)["status"] for one in mine} == {"active"}


def test_many_are_tagged_and_lose_their_tag(open_tab, scene, member):
    mine = [member(tag="bulk-tag") for _ in range(2)]
    tab = open_tab("editor")
    for wish in ("gold", ""):
        tab.go("/affiliates?q=made.example&tag=" + (membership(scene, mine[0])["tag"]))
        tab.page.check("[data-all]")
        tab.page.click("button:has-text('Tag')")
        tab.page.fill("main [name=tag]", wish)
        tab.page.click("text=Go on")
        tab.page.click("button.primary:has-text('Tag 2 members')")
        assert {membership(scene, one)["tag"] for one in mine} == {wish or None}


def test_all_that_fit_are_changed_not_only_one_page(open_tab, scene, member):
    mine = [member(tag="bulk-all") for _ in range(3)]
    tab = open_tab("editor")
    tab.go("/affiliates?tag=bulk-all&limit=1")
    assert tab.page.locator("[data-bulk]:not([disabled])").count() == 0
    tab.page.check("[name=all]")
    tab.shot("affiliates-all")
    tab.page.click("button:has-text('Remove')")
    tab.page.click("button.danger:has-text('Remove 3 members')")
    assert {membership(scene, one)["status"] for one in mine} == {"removed"}


def test_nothing_chosen_or_nothing_to_do_says_so(scene, member):
    """What a browser without JavaScript gets: nothing keeps its buttons from being pressed."""
    token = scene.token("editor")
    headers = {"Cookie": f"{PLAIN_NAME}={token}", "Sec-Fetch-Site": "same-origin"}
    form = {"form_token": form_token(token), "submission": "first"}
    affiliate = member()
    with httpx2.Client(base_url=scene.server.url, headers=headers, trust_env=False) as client:
        for sent in ({}, {"id": affiliate["id"]}, {"id": affiliate["membership"]["id"]}):
            assert client.get("/affiliates/activate", params=sent).headers["location"] == "/affiliates"
        one = {"id": affiliate["membership"]["id"]}
        wrong = {**form, "confirmed": "1", "shown": "5000-0-0", "typed": "50"}
        answer = client.post("/affiliates/remove", params=one, data=wrong)
        assert answer.headers["location"] == f"/affiliates/remove?id={one['id']}"
        assert client.get("/affiliates/remove", params={"id": "mem_00000000000000000000000000"}).status_code == 404
        assert client.get("/affiliates/tag", params={**one, "tag": "x" * 256}).status_code == 422
    assert membership(scene, affiliate)["status"] == "active"


def test_an_affiliate_shows_all_there_is(tab, scene):
    tab.go(f"/affiliates/{scene.affiliates[0]['id']}")
    tab.shot("affiliate")
    assert "membership.activated" in tab.page.inner_text(".timeline")
    assert tab.page.locator(".heard li").count() > 0
    tab.page.click("details.raw summary")
    assert scene.affiliates[0]["email"] in tab.page.inner_text("details.raw code >> nth=0")


def test_the_raw_affiliate_is_what_the_api_shows(open_tab, scene):
    tab = open_tab("viewer")
    path = f"/affiliates/{scene.affiliates[1]['id']}"
    assert tab.page.request.get(scene.server.url + path + ".json").json() == now(scene, scene.affiliates[1])


@pytest.mark.parametrize("width", [380, 1280])
def test_a_new_affiliate_joins_a_program(open_tab, scene, width):
    tab = open_tab("editor", width=width)
    tab.allowed = {422}
    email = f"new{width}@made.example"
    tab.go(f"/affiliates/new?program={scene.programs[0]['id']}")
    tab.shot("affiliate-new")
    tab.page.click("main button.primary:has-text('Save')")
    assert "must be filled in" in tab.page.inner_text(".fault")
    tab.page.fill("[name=email]", scene.affiliates[0]["email"])
    tab.page.click("main button.primary:has-text('Save')")
    assert "belongs to affiliate" in tab.page.inner_text(".fault")
    tab.shot("affiliate-new-wrong")
    assert scene.affiliates[0]["id"] in tab.page.get_attribute("text=Open the one that is there", "href")
    tab.page.fill("[name=email]", email)
    tab.page.fill("[name=tag]", "by-hand")
    tab.page.click("main button.primary:has-text('Save')")
    [made] = scene.listed("/v1/affiliates", email=email)
    [joined] = scene.listed("/v1/memberships", affiliate_id=made["id"])
    assert (joined["status"], joined["tag"], joined["program_id"]) == ("active", "by-hand", scene.programs[0]["id"])
    actor = scene.listed("/v1/events", affiliate_id=made["id"])[0]["actor"]
    assert actor == {"kind": "user", "id": scene.users["editor"].id}


def test_fields_are_changed_and_others_stay(open_tab, scene, member):
    affiliate = member()
    tab = open_tab("editor")
    tab.go(f"/affiliates/{affiliate['id']}/edit")
    tab.shot("affiliate-edit")
    tab.page.fill("[name=company]", "Made & Co <b>")
    tab.page.select_option("[name=country]", "NO")
    tab.page.click("main button.primary:has-text('Save')")
    assert "is saved" in tab.page.inner_text(".flash")
    after = now(scene, affiliate)
    assert (after["company"], after["country"], after["first_name"]) == ("Made & Co <b>", "NO", "Made")
    tab.go(f"/affiliates/{affiliate['id']}/edit")
    tab.page.click("main button.primary:has-text('Save')")
    assert "stays as it was" in tab.page.inner_text(".flash")


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(open_tab, scene, member):
    affiliate = member()
    tab = open_tab("editor")
    tab.allowed = {422}
    tab.go(f"/affiliates/{affiliate['id']}/edit")
    assert scene.api.patch(f"/v1/affiliates/{affiliate['id']}", json={"company": "Theirs"}).status_code == 200
    tab.page.fill("[name=company]", "Mine")
    tab.page.click("main button.primary:has-text('Save')")
    assert "Somebody else changed this" in tab.page.inner_text(".flash")
    assert tab.page.input_value("[name=company]") == "Mine"
    assert now(scene, affiliate)["company"] == "Theirs"


def test_only_legal_moves_are_offered_and_the_others_say_why(open_tab, scene, member):
    affiliate = member("pending")
    tab = open_tab("editor")
    tab.go(f"/affiliates/{affiliate['id']}")
    assert tab.page.locator(".moves button[disabled]").all_inner_texts() == ["Reactivate"]
    assert "reactivate (only one that is left or rejected or removed)" in tab.page.inner_text(".why-not")
    tab.page.click(".moves button:has-text('Approve')")
    assert membership(scene, affiliate)["status"] == "active"
    for title, status in (("Let leave", "left"), ("Reactivate", "active"), ("Remove", "removed")):
        tab.page.click(f".moves :is(a, button):has-text('{title}')")
        if title != "Reactivate":
            tab.shot(f"affiliate-{status}")
            assert membership(scene, affiliate)["status"] == "active"
            tab.page.click("main .preview button.danger")
        assert membership(scene, affiliate)["status"] == status
    tab.page.wait_for_load_state()
    assert tab.page.locator(".moves button[disabled]").count() == 4


def test_confirming_tagging_joining_and_a_link_for_leaving(open_tab, scene, member):
    affiliate = member()
    tab = open_tab("editor")
    tab.go(f"/affiliates/{affiliate['id']}")
    tab.page.click("text=Confirm it")
    assert now(scene, affiliate)["confirmed_at"] is not None
    tab.page.fill(".moves [name=tag]", "vip")
    tab.page.click("text=Save tag")
    assert membership(scene, affiliate)["tag"] == "vip"
    tab.page.select_option(".join [name=program_id]", scene.programs[1]["id"])
    tab.page.select_option(".join [name=status]", "pending")
    tab.page.click(".join button")
    its = scene.listed("/v1/memberships", affiliate_id=affiliate["id"])
    assert sorted(one["status"] for one in its) == ["active", "pending"]
    tab.page.click("text=Link for leaving >> nth=0")
    tab.shot("affiliate-leave-link")
    left = open_tab(None)
    left.page.goto(tab.page.inner_text(".code code"))
    left.page.click("button")
    its = scene.listed("/v1/memberships", affiliate_id=affiliate["id"])
    assert "left" in {one["status"] for one in its}


def test_deleting_with_erasure_takes_the_person_away(open_tab, scene, member):
    affiliate = member()
    tab = open_tab("editor")
    tab.go(f"/affiliates/{affiliate['id']}")
    tab.page.click(".actions >> text=Delete")
    tab.shot("affiliate-delete")
    assert now(scene, affiliate)["email"] == affiliate["email"]
    tab.page.check("[name=erase]")
    tab.page.click("main .preview button.danger")
    assert "is deleted" in tab.page.inner_text(".flash")
    assert scene.api.get(f"/v1/affiliates/{affiliate['id']}").status_code == 404


def test_who_may_only_look_sees_no_buttons(open_tab, scene):
    tab = open_tab("viewer")
    tab.go(f"/affiliates/{scene.affiliates[0]['id']}")
    assert tab.page.locator("main form").count() == 0
    tab.go("/affiliates")
    assert tab.page.locator("td.pick").count() == 0
    tab.allowed = {403}
    tab.go("/affiliates/new")
    assert "As viewer you may look" in tab.page.inner_text(".failure")


def test_another_affiliates_membership_is_not_found(scene, member):
    token = scene.token("editor")
    headers = {"Cookie": f"{PLAIN_NAME}={token}", "Sec-Fetch-Site": "same-origin"}
    one, other = member(), member()
    path = f"/affiliates/{one['id']}/memberships/{other['membership']['id']}"
    with httpx2.Client(base_url=scene.server.url, headers=headers, trust_env=False) as client:
        for act in ("remove", "change", "leave-link"):
            answer = client.post(
                f"{path}/{act}", data={"form_token": form_token(token), "submission": act, "confirmed": "1"}
            )
            assert answer.status_code == 404
    assert membership(scene, other)["status"] == "active"


def test_a_badge_is_dated_by_when_its_status_began(open_tab, scene, member):
    affiliate = member()
    membership_id = affiliate["membership"]["id"]
    assert scene.api.post(f"/v1/memberships/{membership_id}/leave").is_success
    scene.api.patch(f"/v1/memberships/{membership_id}", json={"tag": "later"})
    [left] = scene.listed("/v1/events", affiliate_id=affiliate["id"], type="membership.left")
    tab = open_tab("viewer")
    tab.go(f"/affiliates/{affiliate['id']}")
    said = tab.page.locator(".place header small", has_text="since")
    at = said.locator("time").get_attribute("datetime")
    assert at == left["occurred_at"]


def test_a_name_that_turns_the_writing_turns_only_itself(open_tab, scene):
    awful = next(one for one in scene.affiliates if one["first_name"].startswith("\u202e"))
    tab = open_tab("viewer")
    tab.go(f"/affiliates/{awful['id']}")
    assert "\u202e" in tab.page.inner_text("h1 bdi")
    tab.go("/affiliates?q=person")
    assert tab.page.locator("tbody bdi", has_text="\u202e").count() > 0


def test_an_id_without_end_wraps_on_the_page_that_does_not_know_it(open_tab):
    tab = open_tab("viewer", width=380)
    tab.allowed = {404}
    tab.go(f"/affiliates/aff_{'x' * 600}")
    wide, seen = tab.page.evaluate("(one => [one.scrollWidth, one.clientWidth])(document.querySelector('.failure'))")
    assert wide <= seen
