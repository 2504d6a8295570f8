"""The guard's judgements, from the URL a person types to the address that is dialled."""

import asyncio
import socket
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from receivers import Names

from affwire.destinations.guard import DIAL_LOOKUP_MS, JUDGE_LOOKUP_MS, REFUSED_ANSWER, Guard, Resolution, Rules
from affwire.destinations.http import HttpWire
from affwire.destinations.transfer import Transfer
from affwire.errors import Refused
from affwire.model.judged import JudgedUrl
from affwire.model.wire import Limits, Request

PUBLIC = "93.184.216.34"
BOOK = {
    "hooks.example.com": [PUBLIC, "2606:4700::1111"],
    "inside.example.com": ["10.0.0.5"],
    "mixed.example.com": [PUBLIC, "10.0.0.5"],
    "localhost": ["127.0.0.1", "::1"],
    "receiver": ["10.0.0.7"],
    "wild.internal": [PUBLIC],
    "metadata.google.internal": ["169.254.169.254"],
}


def guard(networks: str = "", *, http: bool = False, own: Any = None) -> Guard:
    """A guard that knows BOOK."""
    return Guard(Rules.parse(networks, allow_http=http), Names(BOOK), own)


def judge(url: str, by: Guard | None = None) -> JudgedUrl:
    """Judge a URL to keep it."""
    return asyncio.run((by or guard()).judge(url))


def rule(url: str, by: Guard | None = None) -> str:
    """Return the rule by which a URL may not be kept."""
    with pytest.raises(Refused) as refusal:
        judge(url, by)
    assert refusal.value.http_status == 422
    return str(refusal.value.facts["rule"])


def resolve(url: str, by: Guard) -> Resolution:
    """Look a URL's host up as if to dial it."""
    return asyncio.run(by.resolve(by.judge_url(url)))


# Keeping a URL


def test_a_public_https_url_is_kept_in_its_normalised_form() -> None:
    judged = judge("HTTPS://Hooks.Example.com:443/in#x")
    assert (judged.url, judged.host, judged.warning) == ("https://hooks.example.com/in", "hooks.example.com", None)


def test_a_name_without_an_address_is_kept_with_a_warning() -> None:
    assert "new.example.com" in str(judge("https://new.example.com/").warning)


def test_a_name_without_an_address_is_refused_for_plain_http() -> None:
    assert rule("http://new.example.com/", guard("10.0.0.0/8", http=True)) == "address"


@pytest.mark.parametrize("host", ["inside.example.com", "mixed.example.com"])
def test_one_bad_address_refuses_the_whole_answer_and_says_no_more(host: str) -> None:
    with pytest.raises(Refused) as refusal:
        judge(f"https://{host}/")
    assert refusal.value.sentence == REFUSED_ANSWER


@pytest.mark.parametrize(
    "host", ["localhost", "receiver", "wild.internal", "metadata.google.internal", "a.local", "localhost."]
)
def test_an_inside_name_is_refused_whatever_it_resolves_to(host: str) -> None:
    by = guard()
    assert rule(f"https://{host}/", by) == "name"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]"])
def test_a_literal_that_is_not_public_is_refused_without_a_lookup(host: str) -> None:
    names = Names(BOOK)
    assert rule(f"https://{host}/", Guard(Rules(), names)) == "address"
    assert names.asked == []


def test_syntax_is_judged_before_anything_is_looked_up() -> None:
    names = Names(BOOK)
    for url in (
        "https://u:p@hooks.example.com/",
        "https://hooks.example.com:22/",
        "http://hooks.example.com/",
        "ftp://hooks.example.com/",
    ):
        rule(url, Guard(Rules(), names))
    assert names.asked == []


def test_saving_waits_less_for_a_name_than_a_delivery_does() -> None:
    waited: list[int] = []

    class Watch(Names):
        def remembered(self, host: str) -> None:
            """Every name is looked up."""

        async def lookup(self, host: str, timeout_ms: int) -> tuple[Any, ...]:
            waited.append(timeout_ms)
            return await super().lookup(host, timeout_ms)

    by = Guard(Rules(), Watch(BOOK))
    judge("https://hooks.example.com/", by)
    resolve("https://hooks.example.com/", by)
    assert waited == [JUDGE_LOOKUP_MS, DIAL_LOOKUP_MS] == [2_000, 5_000]


# What the operator opens


def test_an_allowed_network_opens_literals_and_names_that_lie_in_it() -> None:
    by = guard("127.0.0.0/8 ::1/128 10.0.0.0/8")
    for url in (
        "https://127.0.0.1/",
        "https://localhost/",
        "https://receiver/",
        "https://inside.example.com/",
        "https://hooks.example.com/",
    ):
        assert judge(url, by).warning is None


def test_an_inside_name_needs_every_answer_in_an_allowed_network() -> None:
    assert rule("https://localhost/", guard("127.0.0.0/8")) == "address"
    assert rule("https://wild.internal/", guard("10.0.0.0/8")) == "address"


def test_a_public_name_may_mix_public_and_allowed_addresses() -> None:
    assert judge("https://mixed.example.com/", guard("10.0.0.0/8")).warning is None


@pytest.mark.parametrize("networks", ["0.0.0.0/0 ::/0", "169.0.0.0/8"])
def test_a_wide_network_does_not_open_metadata(networks: str) -> None:
    assert rule("https://169.254.169.254/", guard(networks)) == "address"
    assert rule("https://metadata.google.internal/", guard(networks)) == "address"


def test_plain_http_needs_both_the_switch_and_an_allowed_network() -> None:
    assert rule("http://10.0.0.1/", guard("10.0.0.0/8")) == "scheme"
    assert rule("http://10.0.0.1/", guard(http=True)) == "scheme"
    assert judge("http://10.0.0.1/", guard("10.0.0.0/8", http=True)).url == "http://10.0.0.1/"


@pytest.mark.parametrize(
    "url", ["http://hooks.example.com/", "http://1.1.1.1/", "http://mixed.example.com/", "http://127.0.0.1/"]
)
def test_plain_http_never_leaves_the_allowed_networks(url: str) -> None:
    assert rule(url, guard("10.0.0.0/8", http=True)) == "address"


def test_an_allowed_network_does_not_lift_the_ports() -> None:
    assert rule("https://10.0.0.1:22/", guard("10.0.0.0/8")) == "port"
    assert rule("https://10.0.0.1:80/", guard("10.0.0.0/8", http=True)) == "port"


def test_a_bad_network_is_named() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.1/8"):
        Rules.parse("10.0.0.1/8")


# Ourselves


@pytest.mark.parametrize("networks", ["", "127.0.0.0/8 10.0.0.0/8"])
def test_an_address_and_port_we_listen_on_is_refused(networks: str) -> None:
    by = guard(networks, own=lambda: frozenset({(PUBLIC, 8787), ("127.0.0.1", 8787)}))
    assert by.judge_address(ip_address(PUBLIC), 8787) == "is this service itself"
    assert by.judge_address(ip_address("127.0.0.1"), 8787)
    assert by.judge_address(ip_address(PUBLIC), 443) is None
    assert resolve("https://hooks.example.com:8787/", by).refusal == REFUSED_ANSWER


def test_listening_everywhere_means_every_address_of_this_machine() -> None:
    by = guard("127.0.0.0/8 ::1/128", own=lambda: frozenset({("0.0.0.0", 8787), ("::", 8787)}))  # noqa: S104 - as a server reports it
    assert by.judge_address(ip_address("127.0.0.1"), 8787)
    assert by.judge_address(ip_address("127.7.7.7"), 8787)
    assert by.judge_address(ip_address(PUBLIC), 8787) is None


# Dialling


def test_a_name_is_judged_at_every_lookup() -> None:
    names = Names({"r.example.com": [PUBLIC]})
    by = Guard(Rules(), names)
    assert resolve("https://r.example.com/", by).pin == PUBLIC
    for bad in ("127.0.0.1", "::1", "169.254.169.254", "::ffff:10.0.0.1"):
        names.book["r.example.com"] = Names({"x": [bad]}).book["x"]
        assert resolve("https://r.example.com/", by) == Resolution(refusal=REFUSED_ANSWER)
        names.book["r.example.com"] = Names({"x": [PUBLIC]}).book["x"]
        assert resolve("https://r.example.com/", by).refusal is None


def test_no_answer_is_neither_an_address_nor_a_refusal() -> None:
    assert resolve("https://new.example.com/", guard()) == Resolution()


def test_a_huge_answer_is_judged_whole_and_pinned_in_part() -> None:
    many = [f"93.184.{n // 250}.{n % 250 + 1}" for n in range(500)]
    assert resolve("https://big.example.com/", Guard(Rules(), Names({"big.example.com": many}))).pin.count(",") == 7
    many.append("10.0.0.1")
    assert resolve("https://big.example.com/", Guard(Rules(), Names({"big.example.com": many}))).refusal


def test_a_header_is_judged_through_the_guard_too() -> None:
    assert guard().judge_header("Host", "x")
    assert guard().judge_header("X-Key", "x") is None


# The law: the host that is judged is the host that is dialled, or nothing is dialled.


GOOD = {PUBLIC, "1.1.1.1", "2606:4700::1"}
ADDRESSES = st.sampled_from(
    [
        PUBLIC,
        "1.1.1.1",
        "2606:4700::1",
        "127.0.0.1",
        "::1",
        "10.0.0.1",
        "169.254.169.254",
        "::ffff:127.0.0.1",
        "64:ff9b::a00:1",
    ]
)
ANSWERS = st.lists(st.lists(ADDRESSES, max_size=3), min_size=1, max_size=3)
PARTS = st.sampled_from(
    [
        *"@:/?#[].%。",
        "①",
        "\u00ad",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "0x7f",
        "h.example",
        "bücher.example",
        ":443",
        "1.1.1.1",
        "80",
    ]
)
URLS = st.one_of(
    st.sampled_from(
        [
            "https://h.example/",
            "https://1.1.1.1/",
            "https://[2606:4700::1]/",
            "https://h.example:8443/x",
            "https://bücher.example/",
        ]
    ),
    st.builds(lambda parts: "https://" + "".join(parts), st.lists(PARTS, max_size=6)),
)


class Dialler(Transfer):
    """A transfer that writes down what it would dial and dials nothing."""

    dialled: list[str] = []  # noqa: RUF012 - one list per scene, set by it

    def _open_socket(self, _purpose: int, dialled: Any) -> Any:
        if isinstance(opened := super()._open_socket(_purpose, dialled), int):
            return opened
        opened.__del__()
        Dialler.dialled.append(dialled[3][0])
        return -1


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(URLS, ANSWERS)
def test_only_an_address_of_the_judged_answer_is_ever_dialled(url: str, answers: list[list[str]]) -> None:
    turns = [Names({"x": answer}).book["x"] for answer in answers]
    seen: list[tuple[Any, ...]] = []

    class Turning(Names):
        def remembered(self, host: str) -> None:
            """Every name is looked up."""

        async def lookup(self, host: str, timeout_ms: int) -> tuple[Any, ...]:
            del host, timeout_ms
            seen.append(turns[len(seen) % len(turns)])
            return seen[-1]

    Dialler.dialled = []
    asyncio.run(send_without_dialling(Guard(Rules(), Turning({})), url, len(turns)))
    answers_seen = [{str(address) for address in answer} for answer in seen]
    good = set().union(*(answer for answer in answers_seen if answer <= GOOD))
    if Dialler.dialled:
        assert set(Dialler.dialled) <= (good if seen else {urlsplit(url).hostname})


def test_the_dialler_of_the_law_does_dial_what_is_good() -> None:
    Dialler.dialled = []
    asyncio.run(send_without_dialling(guard(), "https://hooks.example.com/", 1))
    assert set(Dialler.dialled) == set(BOOK["hooks.example.com"])


async def send_without_dialling(by: Guard, url: str, times: int) -> None:
    """Send to a URL with a wire whose sockets are never connected."""
    wire = HttpWire(by)
    wire._new_transfer = lambda: Dialler(wire._multi, by, ca_path=None, user_agent="x", ended=wire._release)  # type: ignore[method-assign]
    for _ in range(times):
        outcome = await wire.send(Request(url, (), b""), Limits(200, 200, 200))
        assert outcome.error in ("refused_by_guard", "dns", "connect", "timeout_connect", "timeout_total")
    await wire.close()


def test_the_machines_own_addresses_are_found_without_sending() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        by = guard("127.0.0.0/8", own=lambda: frozenset({("0.0.0.0", probe.getsockname()[1])}))  # noqa: S104 - as a server reports it
        assert by.judge_address(ip_address("127.0.0.1"), probe.getsockname()[1])
