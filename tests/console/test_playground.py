"""The playground: a body is recognised and converted, a mistake in a signature is named, a receiver answers as it is told."""

import re

import httpx2
import pytest
from platforms import busy
from scene import PAYLOADS

from affwire.console.scratch import REQUESTS_MAX
from affwire.console.security import PLAIN_NAME
from affwire.testing import genuine


def paste(tab, signed, **fields):
    tab.page.fill("textarea[name=body]", signed.body.decode())
    tab.page.fill("textarea[name=headers]", "\n".join(f"{name}: {value}" for name, value in signed.headers.items()))
    for name, value in fields.items():
        tab.page.fill(f"input[name={name}]", value)


def test_a_sample_is_recognised_and_said_by_every_other_platform(tab):
    tab.go("/playground")
    tab.shot("playground")
    tab.page.click("form .note a >> text=Growi")
    tab.page.click("text=Read it")
    tab.shot("playground-read")
    assert "Growi" in tab.page.inner_text("#found h2")
    assert "membership.activated" in tab.page.inner_text("#found")
    assert tab.page.locator("details.converted").count() == 5
    assert tab.page.locator(".losses li").count() > 0


@pytest.mark.parametrize("dialect", ["affonso", "growi", "insert_affiliate", "rewardful", "standard", "tamio"])
def test_every_platform_is_told_from_its_body_alone(open_tab, dialect):
    tab = open_tab()
    tab.go("/playground")
    tab.page.fill("textarea[name=body]", genuine.request(dialect).body.decode())
    tab.page.click("text=Read it")
    tab.page.wait_for_selector("#found h2 code")
    card = genuine.find_dialect(dialect).card
    assert tab.page.inner_text("#found h2").startswith(f"{card.title}:")


@pytest.mark.parametrize("body", ["nothing like it", "[]", '{"a": 1}', "\u0000\ud83d", PAYLOADS[0], "[" * 5_000])
def test_what_nobody_sends_is_refused_with_a_sentence(open_tab, body):
    tab = open_tab()
    tab.allowed.add(422)
    tab.go("/playground")
    tab.page.fill("textarea[name=body]", body)
    tab.page.click("text=Read it")
    assert "No platform known here" in tab.page.inner_text(".failure")


def test_a_mistake_in_a_signature_is_named_and_the_secret_is_not_told(tab):
    secret = "the-platforms-own-secret"
    wrong = genuine.request("rewardful", secret=f"{secret}\n")
    tab.go("/playground/signature")
    tab.page.select_option("select[name=dialect]", "rewardful")
    paste(tab, wrong, secret=secret)
    tab.page.click("button:has-text('Find the mistake')")
    tab.shot("signature-mistake")
    assert "newline" in tab.page.inner_text(".failure")
    assert secret not in tab.page.content()


def test_a_genuine_request_is_said_to_be_so_whatever_line_ends_it_had(open_tab):
    signed = genuine.sign("rewardful", b'{\r\n  "event": {}\r\n}')
    tab = open_tab("viewer")
    tab.go("/playground/signature?dialect=rewardful")
    paste(tab, signed, secret=signed.secret)
    tab.page.click("button:has-text('Find the mistake')")
    assert "It is genuine" in tab.page.inner_text(".verdict")


@pytest.mark.parametrize(
    ("end", "blank", "said"),
    [
        ("\n", "", "This is of the body without the line end at its end: not to the letter"),
        ("", " ", "This is of the secret without the blanks around it"),
        ("\n", "\t", "without the line end at its end and the secret without the blanks"),
        ("", "", ""),
    ],
)
def test_what_was_trimmed_before_it_was_genuine_is_said(scene, end, blank, said):
    signed = genuine.sign("rewardful", b'{"event": {}}')
    headers = {"Cookie": f"{PLAIN_NAME}={scene.token('viewer')}", "Sec-Fetch-Site": "same-origin"}
    with httpx2.Client(base_url=scene.server.url, headers=headers, trust_env=False, timeout=20) as client:
        token = re.search(r'name="form_token" value="([^"]+)"', client.get("/playground/signature").text)[1]
        lines = "\r\n".join(f"{name}: {value}" for name, value in signed.headers.items())
        form = {"dialect": "rewardful", "headers": lines, "body": signed.body.decode() + end}
        page = client.post(
            "/playground/signature", data=form | {"form_token": token, "secret": signed.secret + blank}
        ).raise_for_status()
    assert "It is genuine." in page.text
    assert said in page.text
    assert ("This is of" in page.text) == bool(said)


def test_the_mistake_in_a_message_of_the_inbox_is_found_with_its_sources_secret(open_tab, scene):
    platform = busy(scene)
    message = platform.messages(status="rejected")[0]["id"]
    tab = open_tab()
    tab.go(f"/inbox/{message}")
    tab.page.click("a:has-text('Find the mistake')")
    tab.shot("signature-message")
    tab.page.click("button:has-text('Find the mistake')")
    assert "another secret" in tab.page.inner_text(".failure")
    tab.page.fill("input[name=secret]", genuine.secret_of(genuine.find_dialect("rewardful"), 99))
    tab.page.click("button:has-text('Find the mistake')")
    assert "It is genuine" in tab.page.inner_text(".verdict")


def test_only_an_admin_may_have_a_message_judged(open_tab, scene):
    message = scene.listed("/v1/messages")[0]["id"]
    tab = open_tab("editor")
    tab.allowed.add(403)
    assert tab.go(f"/playground/signature?message={message}").status == 403


def receiver(tab):
    tab.go("/playground/receiver")
    return tab.page.inner_text(".card pre >> nth=0").strip()


def sent(url, **more):
    return httpx2.post(url, trust_env=False, timeout=10, **more)


def test_a_receiver_shows_what_comes_as_it_comes(tab):
    url = receiver(tab)
    tab.shot("receiver-empty")
    tab.page.select_option("select[name=dialect] >> nth=0", "rewardful")
    signed = genuine.request("rewardful", "affiliate.created", object__first_name=PAYLOADS[0])
    tab.page.fill("input[name=secret]", signed.secret)
    tab.page.click("text=Judge so")
    assert sent(url, content=signed.body, headers=signed.headers).status_code == 200
    forged = signed.forged()
    sent(url, content=forged.body, headers=forged.headers)
    tab.page.wait_for_selector("tbody tr")
    tab.go("/playground/receiver")
    tab.shot("receiver")
    assert tab.page.locator("tbody tr").count() == 2
    assert {"genuine", "not genuine"} <= set(tab.page.locator("td.is-badge").all_inner_texts())
    tab.page.click("tbody tr >> nth=0 >> a >> nth=0")
    tab.shot("receiver-request")
    assert "Find the mistake" in tab.page.inner_text(".failure")
    assert signed.secret not in tab.page.content()
    tab.page.click("text=Find the mistake")
    assert forged.headers["X-Rewardful-Signature"] in tab.page.input_value("textarea[name=headers]")


def test_the_first_request_brings_the_list_and_the_next_slides_in(open_tab):
    tab = open_tab()
    url = receiver(tab)
    tab.page.wait_for_selector("[data-live][data-state=live]")
    sent(url, content=b"first")
    tab.page.wait_for_selector("tbody tr")
    tab.page.wait_for_selector("[data-live][data-state=live]")
    sent(url, content=b"second")
    tab.page.wait_for_selector("tr.arrived")


@pytest.mark.parametrize(
    ("script", "statuses"),
    [("flaky", [500, 500, 200, 200]), ("gone", [410, 410]), ("busy", [429, 200]), ("created", [201]), ("moved", [302])],
)
def test_a_receiver_answers_as_it_is_told(open_tab, script, statuses):
    tab = open_tab("viewer")
    url = receiver(tab)
    tab.page.select_option("select[name=script]", script)
    tab.page.click("text=Have it answer so")
    answers = [sent(url, content=b"{}") for _ in statuses]
    assert [one.status_code for one in answers] == statuses
    tab.page.wait_for_selector("tbody tr")
    if script == "busy":
        assert answers[0].headers["retry-after"] == "5"


def test_a_receiver_is_its_sessions_own_forgets_and_remembers_only_so_much(open_tab):
    tab, other = open_tab(), open_tab()
    url = receiver(tab)
    assert receiver(other) != url
    for _ in range(REQUESTS_MAX + 1):
        sent(url, content=b"x")
    tab.page.wait_for_selector("tbody tr")
    kept = tab.page.request.get(f"{tab.scene.server.url}/playground/receiver.jsonl").text()
    assert len(kept.splitlines()) == REQUESTS_MAX
    tab.page.click("text=Forget all")
    assert tab.page.locator("tbody tr").count() == 0


def test_an_unknown_receiver_takes_nothing_and_a_large_body_is_refused(open_tab, scene):
    tab = open_tab()
    url = receiver(tab)
    assert sent(f"{scene.server.url}/play/nobody", content=b"x").status_code == 404
    assert sent(url, content=b"x" * 1_048_577).status_code == 413
    assert sent(url, content=b"x").headers["content-security-policy"]
    tab.page.wait_for_selector("tbody tr")


def test_the_servers_own_address_is_refused_as_an_endpoint(open_tab):
    tab = open_tab()
    tab.allowed.add(422)
    receiver(tab)
    tab.page.click("text=Use it as an endpoint")
    tab.page.click("text=Use it >> visible=true >> nth=-1")
    assert "Likely cause" in tab.page.inner_text(".failure")


def test_a_receiver_behind_another_address_is_used_as_an_endpoint(open_tab, scene):
    tab = open_tab()
    url = receiver(tab)
    path = url.removeprefix(scene.server.url)
    tab.page.click("text=Use it as an endpoint")
    tab.page.fill("input[name=url]", scene.receiver.url(path))
    tab.page.select_option("form[action*='/use'] select", "standard")
    tab.page.click("form[action*='/use'] button")
    assert "It is an endpoint now" in tab.page.inner_text(".flash")
    scene.happen()
    scene.settled()
    taken = next(one for one in scene.receiver.seen if one.path == path)
    signed = {name: value for name, value in taken.headers.items() if name.startswith("webhook-")}
    assert sent(url, content=taken.body, headers=signed).status_code == 200
    tab.page.wait_for_selector("tbody tr")
    tab.go("/playground/receiver")
    tab.shot("receiver-endpoint")
    assert "genuine" in tab.page.locator("td.is-badge").all_inner_texts()
    [made] = [one for one in scene.listed("/v1/endpoints") if one["url"].endswith(path)]
    scene.api.delete(f"/v1/endpoints/{made['id']}")
