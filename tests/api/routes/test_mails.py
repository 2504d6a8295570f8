"""Mails through the API: seen by who may read, with words and links for who may act, and sent once more."""

import pytest
from office import apply, refused


@pytest.fixture
def applied(office):
    """A program that somebody has applied to."""
    return apply(office)


def test_a_mail_is_listed_without_its_link_and_shown_with_it_to_who_may_act(office, applied):
    [listed] = office.reader.get("/v1/mails", status="unsent", program_id=applied["id"]).json()["data"]
    assert (listed["kind"], listed["address"], listed["attempts_made"]) == ("confirm", "ada@example.com", 0)
    assert "link" not in listed
    shown = office.registry.get(f"/v1/mails/{listed['id']}").json()
    assert listed.items() <= shown.items()
    assert "/confirm/" in shown["link"]
    assert shown["link"] in shown["text"]
    assert shown["attempts"] == []
    refused(office.reader.get(f"/v1/mails/{listed['id']}"), 403, "scope_insufficient")


def test_a_mail_is_sent_once_more(office, applied):
    [listed] = office.admin.get("/v1/mails").json()["data"]
    answer = office.registry.post(f"/v1/mails/{listed['id']}/resend")
    assert (answer.status_code, answer.json()["status"]) == (201, "unsent")
    refused(office.reader.post(f"/v1/mails/{listed['id']}/resend"), 403, "scope_insufficient")


def test_mails_are_their_organizations_own(office, applied):
    [listed] = office.admin.get("/v1/mails").json()["data"]
    assert office.stranger.get("/v1/mails").json()["data"] == []
    refused(office.stranger.get(f"/v1/mails/{listed['id']}"), 404, "mail_not_found")
    refused(office.stranger.post(f"/v1/mails/{listed['id']}/resend"), 404, "mail_not_found")


def test_a_link_for_leaving_is_made_for_a_member_and_kept_by_no_repetition(office, applied):
    [member] = office.admin.get("/v1/memberships").json()["data"]
    path = f"/v1/memberships/{member['id']}/leave-link"
    first, again = (office.registry.post(path, headers={"Idempotency-Key": "k"}) for _ in "ab")
    assert (first.status_code, first.json()["membership_id"]) == (201, member["id"])
    assert "/leave/" in first.json()["url"]
    assert again.json()["url"] is None
    refused(office.reader.post(path), 403, "scope_insufficient")
    refused(office.stranger.post(path), 404, "membership_not_found")
    office.admin.post(f"/v1/memberships/{member['id']}/reject")
    refused(office.admin.post(path), 409, "not_a_member")
