"""One parser for judging and for dialling: what it cannot read one way only, it refuses.

It decides on ASCII, after IDNA: a full-width or circled digit is a digit. It never guesses and never repairs a host.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Literal
from urllib.parse import quote

import idna

from affwire.destinations.addresses import Address, unmapped
from affwire.errors import Refused

URL_CHARACTERS_MAX: Final = 4_096
"""Longer URLs meet limits of servers and proxies on their way (request lines of 8 KiB are common)."""

HOST_CHARACTERS_MAX: Final = 253
LABEL_CHARACTERS_MAX: Final = 63
"""RFC 1035, section 2.3.4."""

PORT_MAX: Final = 65_535
_PRIVILEGED_PORTS_END: Final = 1_024

DEFAULT_PORTS: Final = {"https": 443, "http": 80}

CROSS_PROTOCOL_PORTS: Final = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080}
)
"""Ports from 1024 up that browsers block, since other protocols might obey HTTP there (Fetch standard, "bad port")."""

_RESERVED: Final = (
    *("localhost", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback"),
    *("local", "localdomain", "localdomain4", "localdomain6"),
    *("internal", "home.arpa", "svc", "onion", "metadata.goog"),
)
"""Trees of names that mean something inside only: RFC 6761, 6762, 7686, 8375, ICANN's .internal, hosts files,
Kubernetes, Google's metadata server."""

_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f\\]")
_SHAPE: Final = re.compile(
    r"(?P<scheme>[A-Za-z]+)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?P<fragment>#.*)?"
)
_AUTHORITY: Final = re.compile(r"(?P<host>\[[^\[\]@]*\]|[^\[\]:@]*)(?::(?P<port>.*))?")
_QUAD: Final = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_TARGET_SAFE: Final = "!#$%&'()*+,/:;=?@[]~"


@dataclass(frozen=True, slots=True)
class ParsedUrl:
    """A URL taken apart. `host` is lower-case ASCII, a name or an address without brackets; `target` path and query."""

    scheme: Literal["https", "http", "smtp"]
    host: str
    port: int
    target: str
    literal: tuple[Address, ...]
    """The address, if the host is one; else empty."""
    is_reserved: bool
    """Whether the name means something inside networks only (single labels, .internal, localhost, ...)."""
    url: str
    """The normalised text; parsing it again gives this same value."""


def parse(url: str) -> ParsedUrl:
    """Take a URL apart; Refused("url_refused") says what is wrong with it. No lookup, no judgement of the place.

    A fragment is dropped, for it is never sent. Characters beyond ASCII in path and query are percent-encoded.
    """
    if len(url) > URL_CHARACTERS_MAX:
        raise refused("length", f"The URL is longer than {URL_CHARACTERS_MAX} characters.")
    if _FORBIDDEN.search(url):
        raise refused("characters", "The URL holds a space, a control character or a backslash.")
    shape = _SHAPE.fullmatch(url)
    if shape is None:
        raise refused("shape", "The URL is not of the form https://host/path.")
    scheme = _scheme(shape["scheme"])
    host, port = _authority(shape["authority"], scheme)
    target = _target(shape["path"], shape["query"] or "", shape["fragment"] or "")
    name, literal = _host(host)
    text = f"{scheme}://{_host_and_port(name, port, scheme)}{target}"
    return ParsedUrl(scheme, name, port, target, literal, not literal and is_reserved(name), text)


def place(host: str, port: int) -> ParsedUrl:
    """Return a mail relay's host and port, its name and address under the rules of every URL; Refused("url_refused")."""
    name, literal = _host(host)
    shown = f"[{name}]" if ":" in name else name
    return ParsedUrl("smtp", name, port, "", literal, not literal and is_reserved(name), f"smtp://{shown}:{port}")


def is_reserved(name: str) -> bool:
    """Whether a lower-case name lies in a tree that is refused whatever it resolves to."""
    name = name.removesuffix(".")
    return "." not in name or any(name == tree or name.endswith(f".{tree}") for tree in _RESERVED)


def refused(rule: str, sentence: str) -> Refused:
    """Return the one error of the guard; `rule` names which of its rules spoke."""
    return Refused("url_refused", sentence, rule=rule)


def _host_and_port(host: str, port: int, scheme: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    return shown if port == DEFAULT_PORTS[scheme] else f"{shown}:{port}"


def _scheme(text: str) -> Literal["https", "http"]:
    match text.lower():
        case "https":
            return "https"
        case "http":
            return "http"
    raise refused("scheme", "The URL must begin with https://.")


def _authority(text: str, scheme: str) -> tuple[str, int]:
    if "@" in text:
        raise refused(
            "userinfo", "A URL may not carry a user or a password: put credentials into the endpoint's headers."
        )
    parts = _AUTHORITY.fullmatch(text)
    if parts is None or not parts["host"]:
        raise refused("host", "The URL has no readable host.")
    return parts["host"], DEFAULT_PORTS[scheme] if parts["port"] is None else _port(parts["port"], scheme)


def _port(text: str, scheme: str) -> int:
    port = int(text) if _PORT.fullmatch(text) else 0
    if not 0 < port <= PORT_MAX:
        raise refused("port", "The port is not a number from 1 to 65535.")
    open_below = (443, 80) if scheme == "http" else (443,)
    if (port < _PRIVILEGED_PORTS_END and port not in open_below) or port in CROSS_PROTOCOL_PORTS:
        raise refused(
            "port", f"Port {port} is not open to webhooks: use 443, or one from 1024 up that browsers do not block."
        )
    return port


def _target(path: str, query: str, fragment: str) -> str:
    # Where no slash ends the authority, older parsers read on to the next @ and see another host.
    if not path and "@" in query + fragment:
        raise refused("ambiguous", "Put a / after the host: this URL has more than one reading.")
    try:
        return quote((path or "/") + query, safe=_TARGET_SAFE)
    except UnicodeEncodeError:
        raise refused("characters", "The URL holds half a character.") from None


def _host(text: str) -> tuple[str, tuple[Address, ...]]:
    if text.startswith("["):
        return _literal_v6(text[1:-1])
    name = text.lower() if text.isascii() else _to_ascii(text)
    if _NUMBER.fullmatch(name.removesuffix(".").rpartition(".")[2]):
        return _literal_v4(name, text)
    return _name(name), ()


def _literal_v6(text: str) -> tuple[str, tuple[Address, ...]]:
    try:
        address = IPv6Address(text)
    except ValueError:
        raise refused("host", "What stands in brackets is not an IPv6 address.") from None
    if address.scope_id is not None:
        raise refused("host", "An IPv6 address may not carry a zone.")
    return str(address), (unmapped(address),)


def _literal_v4(name: str, written: str) -> tuple[str, tuple[Address, ...]]:
    # getaddrinfo reads 2130706433, 0x7f.1, 127.1 and 0177.0.0.1 as 127.0.0.1: only one spelling is let through.
    if name != written or not _QUAD.fullmatch(name):
        raise refused("host", "A numeric host must be written as four plain decimal numbers.")
    return name, (IPv4Address(name),)


def _name(name: str) -> str:
    name = name.removesuffix(".")
    if len(name) > HOST_CHARACTERS_MAX:
        raise refused("host", f"The host is longer than {HOST_CHARACTERS_MAX} characters.")
    if not all(_is_label(label) for label in name.split(".")):
        raise refused("host", "The host is not a domain name.")
    return name


def _is_label(label: str) -> bool:
    return (
        len(label) <= LABEL_CHARACTERS_MAX
        and _LABEL.fullmatch(label) is not None
        and not (label.startswith("xn--") and _hides_ascii(label))
    )


def _hides_ascii(label: str) -> bool:
    """Whether an xn-- label stands for plain ASCII (xn--localhost-), or for nothing."""
    try:
        return idna.uts46_remap(label[4:].encode().decode("punycode"), std3_rules=False).isascii()
    except (UnicodeError, OverflowError):
        return True


def _to_ascii(text: str) -> str:
    # Mapping first, then label by label: the ASCII labels follow our own rules, which know underscores.
    if len(text) > HOST_CHARACTERS_MAX:
        raise refused("host", f"The host is longer than {HOST_CHARACTERS_MAX} characters.")
    try:
        labels = idna.uts46_remap(text, std3_rules=False).split(".")
        return ".".join(label if label.isascii() else idna.alabel(label).decode() for label in labels)
    except UnicodeError:
        raise refused("host", "The host is not a valid international name; try its xn-- form.") from None
