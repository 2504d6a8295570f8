"""Which addresses are public: every edge of every range, and the neighbour just outside it."""

from ipaddress import IPv4Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affwire.destinations.addresses import METADATA, is_allowed, parse, parse_networks, refusal

SPECIAL_V4 = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "168.63.129.16/32",
]  # fmt: skip
SPECIAL_V6 = [
    "::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/32", "2001:2::/48",
    "2001:10::/28", "2001:20::/28", "2001:db8::/32", "2002::/16", "3fff::/20", "4000::/3", "5f00::/16", "8000::/1", "fc00::/7",
    "fe80::/10", "fec0::/10", "ff00::/8",
]  # fmt: skip


@pytest.mark.parametrize("text", SPECIAL_V4)
def test_an_ipv4_range_is_refused_to_its_edges_and_no_further(text: str) -> None:
    network = ip_network(text)
    assert refusal(network[0])
    assert refusal(network[-1])
    outside = [int(network[0]) - 1, int(network[-1]) + 1]
    inside_another = [
        any(IPv4Address(n) in ip_network(other) for other in SPECIAL_V4) for n in outside if 0 <= n < 1 << 32
    ]
    for number, elsewhere in zip([n for n in outside if 0 <= n < 1 << 32], inside_another, strict=True):
        assert bool(refusal(IPv4Address(number))) == elsewhere


@pytest.mark.parametrize("text", SPECIAL_V6)
def test_an_ipv6_range_is_refused_to_its_edges(text: str) -> None:
    network = ip_network(text)
    assert refusal(network[0])
    assert refusal(network[-1])


@pytest.mark.parametrize(
    "text",
    ["2000::1", "2001:200::1", "2001:4860:4860::8888", "2001:db7:ffff::1", "2001:db9::1", "2003::1", "2606:4700::1111",
     "2a00:1450:4001::1", "3ffe:ffff::1", "3fff:1000::1", "::ffff:8.8.8.8", "8.8.8.8", "192.0.1.1", "192.0.3.1",
     "192.88.98.255",
     "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "168.63.129.15", "168.63.129.17", "169.253.255.255",
     "169.255.0.0", "223.255.255.255", "1.0.0.0", "9.255.255.255"],
)  # fmt: skip
def test_a_public_neighbour_is_not_over_blocked(text: str) -> None:
    assert refusal(parse(text)) is None


@given(st.integers(0, (1 << 32) - 1))
def test_a_mapped_address_is_judged_as_the_ipv4_address_inside(number: int) -> None:
    assert refusal(ip_address((0xFFFF << 32) | number)) == refusal(IPv4Address(number))


@given(st.integers(0, (1 << 128) - 1))
def test_outside_2000_3_no_ipv6_address_is_public(number: int) -> None:
    address = ip_address(number) if number >= 1 << 32 else ip_address(number | 1 << 64)
    if refusal(address) is None:
        assert address in ip_network("2000::/3") or address in ip_network("::ffff:0:0/96")


def test_an_allowed_network_opens_what_lies_in_it_and_nothing_else() -> None:
    allowed = parse_networks("10.0.0.0/8, ::1/128 fd12::/16")
    assert [refusal(parse(text), allowed) for text in ("10.1.2.3", "::ffff:10.1.2.3", "::1", "fd12::7")] == [None] * 4
    assert all(refusal(parse(text), allowed) for text in ("127.0.0.1", "192.168.0.1", "::", "fd13::1", "::a00:1"))


@pytest.mark.parametrize("wide", ["0.0.0.0/0 ::/0", "169.0.0.0/8", "100.64.0.0/10", "fc00::/7", "128.0.0.0/1"])
@pytest.mark.parametrize("wall", METADATA)
def test_a_wide_network_never_opens_metadata(wide: str, wall: object) -> None:
    network = ip_network(str(wall))
    assert refusal(network[0], parse_networks(wide))
    assert refusal(network[-1], parse_networks(wide))


@pytest.mark.parametrize("text", ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "fe80::1"])
def test_a_network_inside_its_range_opens_metadata(text: str) -> None:
    assert refusal(parse(text), parse_networks(text)) is None


@pytest.mark.parametrize(
    "text",
    [
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
        "2002:a9fe:a9fe::1",
        "2001::1",
        "::ffff:0:7f00:1",
        "::7f00:1",
    ],
)
def test_no_network_opens_addresses_that_carry_another(text: str) -> None:
    assert refusal(parse(text), parse_networks("0.0.0.0/0 ::/0 64:ff9b::/96"))


def test_nat64_is_judged_by_the_address_inside_where_the_operator_says_so() -> None:
    assert refusal(parse("64:ff9b::808:808")) == "is a NAT64 address"
    assert refusal(parse("64:ff9b::808:808"), decode_nat64=True) is None
    for inside in ("7f00:1", "a00:1", "a9fe:a9fe", "a83f:8110"):
        assert refusal(parse(f"64:ff9b::{inside}"), decode_nat64=True)
    assert refusal(parse("64:ff9b:1::808:808"), decode_nat64=True)
    assert refusal(parse("64:ff9b::a00:1"), parse_networks("10.0.0.0/8"), decode_nat64=True) is None


def test_an_address_is_read_without_its_zone_and_unmapped() -> None:
    assert str(parse("fe80::1%eth0")) == "fe80::1"
    assert str(parse("::ffff:10.0.0.1")) == "10.0.0.1"


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.1", "0x7f000001", "2130706433", "010.0.0.1", "1.2.3.4.5", "[::1]"]
)
def test_what_is_no_address_is_not_read_as_one(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse(text)


@pytest.mark.parametrize("word", ["10.0.0.1/8", "10.0.0.0/33", "localhost", "::ffff:127.0.0.0/104"])
def test_a_bad_network_is_named(word: str) -> None:
    with pytest.raises(ValueError, match=word.replace(".", r"\.")):
        parse_networks(f"10.0.0.0/8, {word}")


def test_nothing_is_allowed_by_no_networks() -> None:
    assert parse_networks(" , ") == ()
    assert not is_allowed(parse("127.0.0.1"), ())
