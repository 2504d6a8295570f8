"""What affiliates see without an account: applying, confirming, leaving, in a browser without JavaScript, too."""

import httpx2
import pytest

from affwire.console.security import PLAIN_NAME
from affwire.model.registry import Affiliate
from affwire.services import passes


def link(scene, purpose, affiliate_id):
    """A link of a mail to one of the scene's affiliates, about its program."""

    def made(tx):
        affiliate = tx.registry.get(Affiliate, scene.organization["id"], affiliate_id)
        return passes.made(tx, purpose, affiliate, scene.programs[0]["id"], since=tx.now)[0]

    return scene.server.run(made)


@pytest.mark.parametrize(("theme", "width"), [("light", 380), ("dark", 380), ("light", 1280), ("dark", 1280)])
def test_a_stranger_applies_confirms_and_leaves(open_tab, scene, theme, width):
    tab = open_tab(None, theme, width)
    tab.allowed = {422, 409}
    apply = f"/apply/{scene.programs[0]['id']}"
    tab.go(apply)
    tab.shot("apply")
    tab.page.fill("[name=email]", "nonsense")
    tab.page.click("button.primary")
    assert "not like name@example.com" in tab.page.inner_text(".fault >> nth=0")
    tab.shot("apply-wrong")
    email = f"applicant-{theme}-{width}@example.org"
    tab.page.fill("[name=email]", email)
    tab.page.fill("[name=first_name]", "Ada")
    tab.page.fill("[name=website]", "https://ada.example")
    tab.page.click("button.primary")
    tab.page.wait_for_url("**/thanks")
    tab.shot("apply-thanks")
    [affiliate] = scene.listed("/v1/affiliates", email=email)
    [membership] = scene.listed("/v1/memberships", affiliate_id=affiliate["id"])
    assert (membership["status"], membership["source"]) == ("pending", "application")

    confirm = link(scene, "confirm", affiliate["id"])
    tab.go(confirm)
    tab.shot("link-confirm")
    assert scene.api.get(f"/v1/affiliates/{affiliate['id']}").json()["confirmed_at"] is None
    tab.page.click("button")
    assert "confirmed" in tab.page.inner_text("h2")
    assert scene.api.get(f"/v1/affiliates/{affiliate['id']}").json()["confirmed_at"] is not None
    tab.go(confirm)
    tab.shot("link-used")
    assert tab.page.locator("form").count() == 0

    tab.go(link(scene, "leave", affiliate["id"]))
    tab.shot("link-leave")
    tab.page.click("button")
    tab.shot("link-left")
    assert scene.api.get(f"/v1/memberships/{membership['id']}").json()["status"] == "left"
    tab.go(link(scene, "join", affiliate["id"]))
    tab.page.click("button")
    assert scene.api.get(f"/v1/memberships/{membership['id']}").json()["status"] == "pending"


def test_who_is_a_member_already_is_answered_like_a_stranger(open_tab, scene):
    answers = []
    for email in (scene.affiliates[0]["email"], "nobody-yet@example.org"):
        tab = open_tab(None)
        tab.go(f"/apply/{scene.programs[0]['id']}")
        tab.page.fill("[name=email]", email)
        tab.page.fill("[name=first_name]", "Kim")
        tab.page.click("button.primary")
        tab.page.wait_for_url("**/thanks")
        answers.append(tab.page.content())
    assert answers[0] == answers[1]


def test_what_takes_no_applications_says_so(open_tab, scene):
    tab = open_tab(None)
    tab.allowed = {404}
    tab.go(f"/apply/{scene.programs[1]['id']}")
    tab.shot("apply-closed")
    assert "takes no applications" in tab.page.inner_text("h1")
    tab.go("/leave/nothing-of-ours")
    tab.shot("link-foreign")
    assert "not one of ours" in tab.page.inner_text("h1")


def test_thanks_promise_only_what_happens(open_tab, scene):
    fields = {"currency": "EUR", "commission_percent": 20, "is_public": True}
    at_once = scene.made("/v1/programs", {"name": "At once", **fields, "auto_approve": True})
    said = {}
    for program in (at_once, scene.programs[0]):
        tab = open_tab(None)
        tab.go(f"/apply/{program['id']}/thanks")
        tab.shot(f"thanks-{program['name']}")
        said[program["id"]] = tab.page.inner_text("main")
        assert "You get a mail" not in said[program["id"]]
        assert f"The team of {program['name']} sends you a link" in said[program["id"]]
    assert "you are a member already" in said[at_once["id"]]
    assert "looks at your application" not in said[at_once["id"]]
    assert "looks at your application" in said[scene.programs[0]["id"]]
    scene.api.delete(f"/v1/programs/{at_once['id']}")


def test_who_has_left_before_anybody_decided_is_not_shown_as_waiting(scene):
    wish = {"program_id": scene.programs[0]["id"], "membership": {"status": "pending"}}
    made = scene.made("/v1/affiliates", {"email": "left-at-once@example.org", **wish})
    [membership] = scene.listed("/v1/memberships", affiliate_id=made["id"])

    def badge():
        cookies = {PLAIN_NAME: scene.token("viewer")}
        with httpx2.Client(base_url=scene.server.url, cookies=cookies, trust_env=False) as browser:
            page = browser.get(f"/affiliates/{made['id']}").text
        heading = page[page.index("<h1>") : page.index("</h1>")]
        return heading.rpartition("</span>")[0].rpartition(">")[2]

    assert badge() == "pending"
    scene.api.post(f"/v1/memberships/{membership['id']}/leave").raise_for_status()
    assert badge() == "left"
