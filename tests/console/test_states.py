"""States: one table has every word for one, and no page has a word of its own."""

import re
from html import unescape
from pathlib import Path
from typing import get_args

import httpx2
import pytest

from affwire.console import rendering, states
from affwire.console.security import PLAIN_NAME
from affwire.model.deliveries import DeliveryStatus
from affwire.model.inbound import MessageStatus
from affwire.model.jobs import JobStatus
from affwire.model.mail import MailStatus
from affwire.model.objects import EndpointState
from affwire.rules.lifecycle import ACCOUNT_STATUSES, MEMBERSHIP

CONSOLE = Path(rendering.__file__).parent
OWN_WORDS = re.compile(r'"(?:Waiting|Under way|Behind|In flight|Listening|Queued|On its way)"')
BADGES = re.compile(r'<td class="is-badge[^>]*>\s*<span class="badge (\w+)">([^<]+)</span>')
LISTS = {
    "/deliveries": states.DELIVERIES,
    "/endpoints": states.ENDPOINTS,
    "/inbox": states.MESSAGES,
    "/settings/mails": states.MAILS,
    "/affiliates": states.MEMBERSHIPS,
}


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        (states.DELIVERIES, {*get_args(DeliveryStatus), states.RETRYING}),
        (states.ENDPOINTS, get_args(EndpointState)),
        (states.MESSAGES, get_args(MessageStatus)),
        (states.MAILS, get_args(MailStatus)),
        (states.JOBS, get_args(JobStatus)),
        (states.MEMBERSHIPS, MEMBERSHIP.keys() - {None, "X"}),
        (states.ACCOUNTS, ACCOUNT_STATUSES),
    ],
)
def test_every_state_that_there_is_has_a_word_a_colour_and_a_meaning(kind, known):
    assert set(known) <= set(kind)
    assert all(state.meaning.endswith(".") for state in kind.values())


def test_a_status_of_an_organizations_own_is_calm():
    assert states.badge(states.MEMBERSHIPS, "on holiday").tone == "calm"


def test_no_page_has_a_word_of_its_own_for_a_state():
    sources = [*CONSOLE.glob("pages/*.py"), *CONSOLE.glob("templates/**/*.html")]
    assert len(sources) > 60
    assert [path.name for path in sources if OWN_WORDS.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize("path", sorted(LISTS))
def test_a_list_its_chips_and_its_badges_say_the_words_of_the_table(scene, path):
    scene.mail()
    cookies = {PLAIN_NAME: scene.token("admin")}
    with httpx2.Client(base_url=scene.server.url, cookies=cookies, trust_env=False, timeout=20) as browser:
        page = browser.get(path).raise_for_status().text
    badges = BADGES.findall(page)
    assert badges
    for tone, word in badges:
        assert states.badge(LISTS[path], unescape(word)).tone == tone
    chips = re.search(r'<nav class="chips".*?</nav>', page, re.DOTALL)
    if chips:
        said = re.findall(r">([^<>]+)</a>", chips[0])
        assert set(LISTS[path]) <= {unescape(one) for one in said}
