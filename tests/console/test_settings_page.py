"""Settings: the organization, its webhook URLs, users, keys, mails, the system."""

import httpx2
import pytest

PAGES = ("organization", "users", "users/new", "keys", "keys/new", "mails", "system")


def test_the_pages_show(tab, scene):
    scene.mail()
    for page in PAGES:
        tab.go(f"/settings/{page}")
        tab.shot(f"settings-{page.replace('/', '-')}")
    tab.go(f"/settings/mails/{scene.mail()['id']}")
    tab.shot("settings-mail")
    tab.go(f"/settings/users/{scene.users['viewer'].id}")
    tab.shot("settings-user")
    assert "viewer@acme.test" in tab.page.inner_text("main")


def test_the_organization_is_renamed(open_tab, scene):
    tab = open_tab("stranger")
    tab.allowed = {422}
    tab.go("/settings/organization")
    tab.page.fill("[name=name]", "")
    tab.page.click("main button.primary:has-text('Save')")
    assert "must be filled in" in tab.page.inner_text(".fault")
    tab.page.fill("[name=name]", "Other <i>& sons")
    tab.page.select_option("[name=timezone]", "Asia/Tokyo")
    tab.page.click("main button.primary:has-text('Save')")
    assert "Other <i>& sons" in tab.page.inner_text(".organization")
    after = scene.api.get(f"/v1/organizations/{scene.organization['id']}").json()
    assert after["name"] == "Acme"


@pytest.mark.parametrize("width", [380, 1280])
def test_a_webhook_url_is_set_with_a_token_that_is_never_shown_and_taken_away(open_tab, scene, width):
    tab = open_tab("stranger", width=width)
    tab.allowed = {422}
    socket = "section:has-text('Insert Affiliate webhook')"
    tab.go("/settings/organization")
    tab.page.fill(f"{socket} [name=url]", "https://169.254.169.254/latest")
    tab.page.click(f"{socket} button")
    assert "That did not work" in tab.page.inner_text("h1")
    tab.shot("settings-webhook-refused")
    tab.go("/settings/organization")
    url = scene.receiver.url("/other")
    tab.page.fill(f"{socket} [name=url]", url)
    tab.page.fill(f"{socket} [name=token]", "a-very-secret-token")
    tab.page.click(f"{socket} button")
    assert tab.page.input_value(f"{socket} [name=url]") == url
    assert "a-very-secret" not in tab.page.content()
    assert tab.page.get_attribute(f"{socket} [name=token]", "placeholder") == "kept, ends in oken"
    tab.shot("settings-webhook")
    tab.page.fill(f"{socket} [name=url]", "")
    tab.page.click(f"{socket} button")
    tab.shot("settings-webhook-away")
    assert "0 unfinished deliveries" in tab.page.inner_text("main")
    tab.page.click("text=Take it away")
    assert tab.page.input_value(f"{socket} [name=url]") == ""


def test_a_user_is_invited_given_a_role_and_disabled(open_tab, scene):
    tab = open_tab()
    tab.allowed = {422, 409}
    tab.go("/settings/users/new")
    tab.page.fill("[name=email]", "editor@acme.test")
    tab.page.click("text=Add, and show the link")
    assert "already" in tab.page.inner_text(".fault")
    tab.page.fill("[name=email]", "invited@acme.test")
    tab.page.click("text=Add, and show the link")
    tab.shot("settings-user-link")
    guest = open_tab(None)
    guest.page.goto(tab.page.inner_text(".code code"))
    guest.page.click("text=Continue to the console")
    guest.page.wait_for_load_state()
    assert "invited@acme.test" in guest.page.content()
    tab.page.click("text=I have it")
    tab.page.check("[value=editor]")
    tab.page.click("text=Save role")
    guest.go("/affiliates/new")
    assert guest.page.inner_text("h1") == "New affiliate"
    tab.page.click("main >> text=Disable >> nth=0")
    guest.go("/")
    assert "/sign-in" in guest.page.url
    tab.page.click("text=Enable again")
    assert "can sign in again" in tab.page.inner_text(".flash")


def test_the_last_admin_stays(open_tab, scene):
    tab = open_tab("stranger")
    tab.allowed = {409}
    tab.go(f"/settings/users/{scene.users['stranger'].id}")
    tab.page.click("text=Disable >> nth=0")
    assert "last admin" in tab.page.inner_text(".failure")


def test_a_key_is_shown_once_works_and_is_revoked(open_tab, scene):
    tab = open_tab()
    tab.allowed = {422}
    tab.go("/settings/keys/new")
    tab.page.click("text=Make the key")
    assert "must be filled in" in tab.page.inner_text(".fault")
    tab.page.fill("[name=name]", "Made in the console")
    tab.page.click("text=Make the key")
    tab.shot("settings-key-once")
    secret = tab.page.inner_text(".code code")
    tab.page.click("text=I have it")
    tab.page.wait_for_url("**/settings/keys")
    assert secret not in tab.page.content()

    def asks():
        headers = {"Authorization": f"Bearer {secret}"}
        with httpx2.Client(base_url=scene.server.url, headers=headers, trust_env=False) as client:
            return client.get("/v1/programs").status_code, client.post("/v1/programs", json={"name": "x"}).status_code

    assert asks() == (200, 403)
    tab.page.click("text=Made in the console")
    tab.shot("settings-key")
    tab.page.click("text=Revoke")
    tab.shot("settings-key-revoke")
    tab.page.click("text=Revoke the key")
    tab.page.wait_for_url("**/settings/keys")
    assert asks() == (401, 401)
    assert tab.page.locator("td:has-text('Made in the console')").count() == 0


def test_a_mail_without_a_relay_has_its_link_for_the_manager(open_tab, scene):
    mail = scene.mail()
    tab = open_tab("editor")
    tab.go("/settings/mails?status=unsent")
    assert "No mail relay is set" in tab.page.inner_text(".note")
    tab.page.click(f"td >> text={mail['address']} >> nth=0")
    before = tab.page.inner_text(".code code")
    tab.page.click("text=Renew its link")
    assert tab.page.inner_text(".code code") != before
    guest = open_tab(None)
    guest.page.goto(tab.page.inner_text(".code code"))
    assert "Is this your address?" in guest.page.inner_text("h2")


def test_the_operator_sees_the_whole_installation_and_nobody_else(open_tab):
    tab = open_tab("operator")
    tab.go("/settings/system")
    tab.shot("settings-system-operator")
    assert "deliveries of all organizations" in tab.page.inner_text("main")
    assert "MB" in tab.page.inner_text("dl.figures")
    tab = open_tab("viewer")
    tab.go("/settings/system")
    assert "deliveries of this organization" in tab.page.inner_text("main")
    assert tab.page.locator("nav.side >> text=API keys").count() == 0
