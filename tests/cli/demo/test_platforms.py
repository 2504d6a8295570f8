"""The demo's platforms sign as their receivers verify, both written from the pages; and their messages are the samples."""

import json
import socket
import time

import pytest

from affwire.cli.client import Unanswered
from affwire.cli.demo import platforms
from affwire.cli.demo.a1 import DIALECTS
from affwire.cli.demo.crossing import CROSSINGS
from affwire.cli.demo.verify import VERIFIERS, Forged
from affwire.dialects.base import Trust
from affwire.errors import NotGenuine
from affwire.model.wire import Message
from affwire.plugins import find_dialect

SIGNING = sorted(set(DIALECTS) - platforms.SIGNS_NOTHING)
WORD = {one.platform: one.word for one in CROSSINGS}


def sent(dialect, key=b"k" * 32):
    now = int(time.time())
    body = platforms.body_of(dialect, WORD[dialect])
    return platforms.signed(dialect, body, platforms.secret_of(dialect, key) or "", now), body, now


@pytest.mark.parametrize("dialect", SIGNING)
def test_what_it_signs_the_demos_own_receiver_takes(dialect):
    headers, body, now = sent(dialect)
    lower = {name.lower(): value for name, value in headers.items()}
    VERIFIERS[dialect](lower, body, platforms.secret_of(dialect, b"k" * 32), now)
    with pytest.raises((Forged, KeyError)):
        VERIFIERS[dialect](lower, body, platforms.secret_of(dialect, b"j" * 32), now)


@pytest.mark.parametrize("dialect", SIGNING)
def test_the_dialect_takes_it_too_and_no_other_secret(dialect):
    headers, body, now = sent(dialect)
    message = Message(headers=tuple(headers.items()), body=body)
    speaker = find_dialect(dialect)
    speaker.verify(message, Trust(secrets=(platforms.secret_of(dialect, b"k" * 32),)), now * 1000)
    with pytest.raises(NotGenuine):
        speaker.verify(message, Trust(secrets=(platforms.secret_of(dialect, b"j" * 32),)), now * 1000)


def test_growi_gives_no_secret():
    assert platforms.secret_of("growi", b"k" * 32) is None
    assert sent("growi")[0] == {"Content-Type": "application/json"}


def test_parts_are_merged_into_the_sample():
    body = json.loads(platforms.body_of("rewardful", "affiliate.created", object={"campaign": {"id": "c"}}))
    assert body["object"]["campaign"] == {"id": "c"}
    assert body["object"]["email"]


def test_a_server_that_is_away_is_told_in_a_sentence():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(Unanswered, match="Nobody answers"):
            platforms.post(f"http://127.0.0.1:{nobody.getsockname()[1]}/in/x", {}, b"{}")
