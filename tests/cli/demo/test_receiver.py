import ssl

import httpx2
import pytest
import trustme

from affwire.cli.demo.receiver import HANG, Mailbox, Receiver
from affwire.cli.demo.verify import GROWI_HEADER

BODY = b'{"event": "w", "campaign_affiliate_id": 1, "occurred_at": "t", "user_id": 2}'


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def receiver(authority, tmp_path):
    path = tmp_path / "receiver.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(path))
    with Receiver(path) as open_receiver:
        open_receiver.open(Mailbox("growi", "growi", "secret", (500, 200)))
        open_receiver.open(Mailbox("slow", "growi", "secret", (HANG,)))
        yield open_receiver


@pytest.fixture
def post(authority, receiver):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with httpx2.Client(base_url=f"https://127.0.0.1:{receiver.port}", verify=context, trust_env=False) as client:
        yield lambda path, secret="secret", **more: client.post(
            path, content=BODY, headers={GROWI_HEADER: secret}, **more
        )


def test_answers_are_given_in_turn_and_the_last_for_ever(post):
    assert [post("/growi").status_code for _ in range(3)] == [500, 200, 200]


def test_a_forged_request_is_answered_401_and_put_down(post, receiver):
    assert post("/growi", "another").status_code == 401
    [arrival] = receiver.arrivals
    assert arrival.heard is None
    assert arrival.wrong


def test_an_unknown_path_is_nobodys(post, receiver):
    assert post("/nobody").status_code == 404
    assert receiver.arrivals == []


def test_a_mailbox_may_never_answer(post, receiver):
    with pytest.raises(httpx2.TimeoutException):
        post("/slow", timeout=0.05)
    assert receiver.wait_until(len, since=0, timeout_s=1)[0].status == HANG


def test_waiting_ends_as_soon_as_enough_has_come(post, receiver):
    post("/growi")
    assert len(receiver.wait_until(lambda news: len(news) == 1, since=0, timeout_s=60)) == 1
