"""The inbox: what came in, judged; one message as it came and as it is read; and what is done about it."""

import pytest
from platforms import SECRET, busy, open_platform

from affwire.testing import genuine


@pytest.fixture(scope="module")
def platform(scene):
    return busy(scene)


def test_the_list_shows_every_verdict(tab, platform):
    tab.go(f"/inbox?source={platform.source['id']}")
    tab.shot("inbox")
    assert {"applied", "rejected", "parked"} <= set(tab.page.locator("td.is-badge").all_inner_texts())
    tab.page.click("nav.chips >> text=rejected")
    assert set(tab.page.locator("td.is-badge").all_inner_texts()) == {"rejected"}


def one(platform, **query):
    return platform.messages(**query)[0]["id"]


def test_a_message_shows_what_came_how_it_is_read_and_what_it_changed(tab, platform):
    tab.go(f"/inbox/{one(platform, word='affiliate.created', status='applied')}")
    tab.shot("message")
    assert platform.address in tab.page.inner_text(".told")
    assert "affiliate.created" in tab.page.inner_text(".timeline")
    assert tab.page.locator(".heard li").count() > 0


def test_a_refused_message_says_why_and_what_to_do(tab, platform):
    tab.go(f"/inbox/{one(platform, status='rejected')}")
    tab.shot("message-rejected")
    assert "Likely cause" in tab.page.inner_text(".failure")


def test_a_parked_message_says_why(tab, platform):
    tab.go(f"/inbox/{one(platform, status='parked')}")
    tab.shot("message-parked")
    assert "It is kept" in tab.page.inner_text(".failure")


def test_a_refused_message_is_taken_in_once_the_right_secret_is_given(open_tab, scene):
    platform = open_platform(scene)
    other = genuine.secret_of(genuine.find_dialect("rewardful"), 7)
    signed = genuine.request("rewardful", "affiliate.created", secret=other, object__email="late@example.org")
    assert platform.send(signed.body, signed.headers) == 401
    message = one(platform, status="rejected")
    tab = open_tab()
    tab.go(f"/inbox/{message}")
    tab.page.click("button:has-text('Judge it anew')")
    assert "still not genuine" in tab.page.inner_text(".flash")
    tab.page.fill("input[name=secret]", other)
    tab.page.click("button:has-text('Judge it anew')")
    assert "It is genuine" in tab.page.inner_text(".flash")
    assert other not in tab.page.content()
    platform.settled()
    assert scene.api.get(f"/v1/messages/{message}").json()["status"] in {"applied", "unchanged"}


def test_a_message_is_set_aside_released_and_processed_again(open_tab, scene, platform):
    message = one(platform, status="parked")
    status = lambda: scene.api.get(f"/v1/messages/{message}").json()["status"]  # noqa: E731
    tab = open_tab("editor")
    tab.go(f"/inbox/{message}")
    tab.page.click("text=Set aside")
    assert status() == "quarantined"
    tab.page.click("button:has-text('Release')")
    assert "in line" in tab.page.inner_text(".flash")
    platform.settled()
    tab.go(f"/inbox/{message}")
    tab.page.click("button:has-text('Process again')")
    platform.settled()
    assert status() == "parked"


@pytest.mark.parametrize("width", [380, 1280])
def test_chosen_messages_are_processed_again_after_a_look(open_tab, platform, width):
    tab = open_tab("editor", width=width)
    tab.go(f"/inbox?source={platform.source['id']}")
    for box in tab.page.locator("td.pick input").all():
        box.check()
    tab.page.click("button:has-text('Process again')")
    tab.shot("inbox-again")
    assert "will not: it was not genuine" in tab.page.inner_text(".confirm")
    tab.page.click(".confirm button")
    assert "in line again" in tab.page.inner_text(".flash")
    platform.settled()


def test_a_message_can_be_fetched_byte_for_byte_and_is_never_shown_as_a_page(open_tab, scene, platform):
    message = one(platform, status="parked")
    tab = open_tab()
    answer = tab.page.request.get(f"{scene.server.url}/inbox/{message}.raw")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.body() == scene.api.get(f"/v1/messages/{message}/raw").content


def test_no_secret_is_on_any_page_of_the_inbox(open_tab, platform):
    tab = open_tab()
    for message in platform.messages():
        tab.go(f"/inbox/{message['id']}")
        assert SECRET not in tab.page.content()
