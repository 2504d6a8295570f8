"""Which IP addresses are public, by construction: what is not known to be public is not.

Python's `is_global` is no help: it passes NAT64, 6to4, multicast and more, and changes between versions.
Sources: the IANA special-purpose address registries (RFC 6890 and successors) and the clouds' own pages.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(word) for word in text.split())


_SPECIAL_V4: Final = _networks(
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 "
    "192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4"
)
"""IPv4 is public but for these: this network, private, shared, loopback, link-local, protocol assignments,
documentation, 6to4 relays, benchmarking, multicast, reserved and broadcast. Azure's WireServer is in METADATA."""

_GLOBAL_V6: Final = IPv6Network("2000::/3")
"""IPv6 is public only in here: the one block IANA allocates global unicast from."""

_SPECIAL_V6: Final = _networks("2001::/23 2001:db8::/32 2002::/16 3fff::/20")
"""... but for protocol assignments (Teredo, benchmarking, ORCHID), documentation and 6to4."""

METADATA: Final = _networks(
    "169.254.0.0/16 fe80::/10 100.100.100.200/32 168.63.129.16/32 192.0.0.192/32 fd00:ec2::/32 fd20:ce::/32"
)
"""Cloud metadata and link-local: AWS, Google, Azure's WireServer (which looks public), Alibaba, Oracle classic.

They hand credentials to whoever asks, so a wide allowed network never opens them: only one that lies inside does."""

_TRANSITION: Final = _networks("64:ff9b:1::/48 2002::/16 2001::/32 ::ffff:0:0:0/96")
"""Addresses that carry an IPv4 address of their own choice: no allowed network opens them."""

_NAT64: Final = IPv6Network("64:ff9b::/96")
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_COMPATIBLE: Final = IPv6Network("::/96")
_HOST_ONLY: Final = frozenset({IPv6Address("::"), IPv6Address("::1")})


def unmapped(address: Address) -> Address:
    """Return the IPv4 address inside ::ffff:0:0/96, else the address itself."""
    return getattr(address, "ipv4_mapped", None) or address


def parse(text: str) -> Address:
    """Return an address, unmapped and without its zone; ValueError if the text is none."""
    return unmapped(ip_address(text.partition("%")[0]))


def parse_networks(text: str) -> tuple[Network, ...]:
    """Return the CIDRs of a comma or space separated text; ValueError names the first bad one."""
    return tuple(_parse_network(word) for word in text.replace(",", " ").split())


def refusal(address: Address, allowed: tuple[Network, ...] = (), *, decode_nat64: bool = False) -> str | None:
    """Return why the address may not be dialled, or None if it is public or lies in an allowed network.

    `decode_nat64` judges the IPv4 address inside 64:ff9b::/96 instead of refusing all of it (RFC 6052).
    """
    address = unmapped(address)
    if address in _NAT64:
        return _nat64_refusal(address, allowed, decode=decode_nat64)
    if is_allowed(address, allowed):
        return None
    if any(address in network for network in METADATA):
        return "is link-local or a cloud's metadata address"
    return None if _is_public(address) else "is not a public address"


def is_allowed(address: Address, allowed: tuple[Network, ...]) -> bool:
    """Whether the operator opened this address: metadata only by a CIDR inside its range, transition ranges never."""
    address = unmapped(address)
    if _carries_ipv4(address):
        return False
    walls = [wall for wall in METADATA if address in wall]
    return any(address in network and all(_inside(network, wall) for wall in walls) for network in allowed)


def _nat64_refusal(address: Address, allowed: tuple[Network, ...], *, decode: bool) -> str | None:
    if not decode:
        return "is a NAT64 address"
    return refusal(IPv4Address(int(address) & 0xFFFF_FFFF), allowed)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _SPECIAL_V6)


def _carries_ipv4(address: Address) -> bool:
    if address in _COMPATIBLE:
        return address not in _HOST_ONLY
    return address in _NAT64 or any(address in network for network in _TRANSITION)


def _inside(network: Network, wall: Network) -> bool:
    return network.version == wall.version and network.subnet_of(wall)  # type: ignore[arg-type]  # same version, checked


def _parse_network(word: str) -> Network:
    try:
        network = ip_network(word)
    except ValueError as error:
        raise ValueError(f"not a network in CIDR notation: {word!r} ({error})") from None
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        raise ValueError(f"write {word!r} as an IPv4 network: mapped addresses are judged as IPv4")
    return network
