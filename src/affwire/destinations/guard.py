"""The guard: may this URL be kept, may this address be dialled? Every way out of the house asks here.

The one rule: the address that is dialled is judged when it is dialled, at every attempt.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

from affwire.destinations import addresses, urls
from affwire.destinations.addresses import Address, Network
from affwire.destinations.resolver import Resolver, SystemResolver
from affwire.destinations.urls import ParsedUrl, refused
from affwire.model.judged import GUARD_SEAL, JudgedUrl
from affwire.rules import headers

JUDGE_LOOKUP_MS: Final = 2_000
"""How long a person who saves an endpoint waits for its name."""
DIAL_LOOKUP_MS: Final = 5_000
"""How long a delivery waits for its name: after 5 s resolvers try a second server, too late for most platforms."""

REFUSED_ANSWER: Final = "The host's address is not allowed."
"""All that an endpoint's owner learns: which answer was refused would map the inside (reliability 2.3-12)."""

OWN: Final = "is this service itself"

ADDRESSES_PINNED_MAX: Final = 8
"""Addresses of an answer that are tried, though all of them are judged."""

_REMEMBERED_MAX: Final = 4_096
"""Parsed URLs and judged addresses kept ready: more than the endpoints of one busy minute."""

OwnAddresses = Callable[[], frozenset[tuple[str, int]]]
"""Tells the (address, port) pairs this service listens on; an unspecified address stands for all of this machine's."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator opened. Plain http goes into allowed networks only; nothing else widens what is public.

    `decode_nat64` is for networks that reach IPv4 through 64:ff9b::/96 (RFC 6052): the address inside is judged.
    """

    allow_networks: tuple[Network, ...] = ()
    allow_http: bool = False
    decode_nat64: bool = False

    @classmethod
    def parse(cls, allow_networks: str = "", *, allow_http: bool = False, decode_nat64: bool = False) -> Self:
        """Read CIDRs separated by commas or spaces; ValueError names the bad one."""
        return cls(addresses.parse_networks(allow_networks), allow_http, decode_nat64)


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a host stands for right now: addresses to pin, or a refusal, or neither when the name has no answer."""

    addresses: tuple[Address, ...] = ()
    refusal: str | None = None
    pin: str = ""
    """The addresses to dial as one text, for the sending client."""


class Guard:
    """Judges URLs, names, addresses and headers by the operator's rules.

    For tests, give it a resolver of your own: `Guard(Rules(), resolver)`; a literal in an allowed network needs none.
    """

    def __init__(
        self, rules: Rules, resolver: Resolver | None = None, own_addresses: OwnAddresses | None = None
    ) -> None:
        self.rules = rules
        self._resolver = resolver or SystemResolver()
        self._own_addresses = own_addresses or frozenset
        self._parse_url = lru_cache(_REMEMBERED_MAX)(self._parse_and_judge)
        self._parse_address = lru_cache(_REMEMBERED_MAX)(addresses.parse)
        self._judged: dict[tuple[str, str, int], tuple[tuple[Address, ...], Resolution]] = {}
        self._refusal = lru_cache(_REMEMBERED_MAX)(self._judge_place)

    def judge_url(self, url: str) -> ParsedUrl:
        """Return the URL taken apart, if its syntax, scheme, port, name and literal are fit to dial; no lookup.

        Raises Refused("url_refused", rule=...) with a sentence for the owner.
        """
        parsed = self._parse_url(url)
        for address in parsed.literal:
            if self._is_own(address, parsed.port):
                raise refused("address", f"The address {parsed.host} {OWN}.")
        return parsed

    async def judge(self, url: str) -> JudgedUrl:
        """Judge a URL that is about to be kept: `judge_url` and one lookup of at most 2 s.

        A bad answer is Refused. No answer is a warning for https, and Refused for http, which needs a known address.
        """
        parsed = self.judge_url(url)
        resolution = await self._look(parsed, JUDGE_LOOKUP_MS)
        if resolution.refusal:
            raise refused("address", resolution.refusal)
        if not resolution.addresses and parsed.scheme == "http":
            raise refused(
                "address", f"The name {parsed.host} has no address, and plain http goes to known addresses only."
            )
        warning = (
            None
            if resolution.addresses
            else f"The name {parsed.host} has no address yet: deliveries fail until it has."
        )
        return JudgedUrl(parsed.url, parsed.host, warning, seal=GUARD_SEAL)

    def remembered(self, parsed: ParsedUrl) -> Resolution | None:
        """Return what `resolve` would, if nobody need be asked: for an address, or a name that was looked up just now."""
        answer = parsed.literal or self._resolver.remembered(parsed.host)
        return None if answer is None else self._resolution(parsed, answer)

    async def resolve(self, parsed: ParsedUrl, timeout_ms: int = DIAL_LOOKUP_MS) -> Resolution:
        """Look the host up to dial it. One bad address in the answer refuses the whole answer."""
        return await self._look(parsed, timeout_ms)

    def judge_dial(self, parsed: ParsedUrl, address: Address | str) -> str | None:
        """Return why this URL may not be dialled at this address, or None; its scheme and name count, too."""
        if reason := self._refusal(address, inside_only=parsed.scheme == "http" or parsed.is_reserved):
            return reason
        return OWN if self._is_own(address, parsed.port) else None

    def judge_address(self, address: Address, port: int) -> str | None:
        """Return why nothing may be sent to this address and port, or None."""
        return self._refusal(address, inside_only=False) or (OWN if self._is_own(address, port) else None)

    def judge_header(self, name: str, value: str) -> str | None:
        """Return why an endpoint may not set this custom header, or None."""
        return headers.judge_header(name, value)

    def close(self) -> None:
        """Let the resolver's threads go."""
        self._resolver.close()

    async def _look(self, parsed: ParsedUrl, timeout_ms: int) -> Resolution:
        return self._resolution(parsed, parsed.literal or await self._resolver.lookup(parsed.host, timeout_ms))

    def _resolution(self, parsed: ParsedUrl, answer: tuple[Address, ...]) -> Resolution:
        place = (parsed.scheme, parsed.host, parsed.port)
        judged, resolution = self._judged.get(place, ((), Resolution()))
        if judged != answer:
            resolution = self._judge_answer(parsed, answer)
            if len(self._judged) >= _REMEMBERED_MAX:
                self._judged.clear()
            self._judged[place] = (answer, resolution)
        return resolution

    def _judge_answer(self, parsed: ParsedUrl, answer: tuple[Address, ...]) -> Resolution:
        if any(self.judge_dial(parsed, address) for address in answer):
            return Resolution(refusal=REFUSED_ANSWER)
        return Resolution(answer, pin=",".join(map(str, answer[:ADDRESSES_PINNED_MAX])))

    def _parse_and_judge(self, url: str) -> ParsedUrl:
        parsed = urls.parse(url)
        if parsed.scheme == "http" and not (self.rules.allow_http and self.rules.allow_networks):
            raise refused("scheme", "The URL must begin with https://.")
        if parsed.is_reserved and not self.rules.allow_networks:
            raise refused("name", f"The name {parsed.host} means something inside networks only.")
        for address in parsed.literal:
            if reason := self._refusal(address, inside_only=parsed.scheme == "http"):
                raise refused("address", f"The address {parsed.host} {reason}.")
        return parsed

    def _judge_place(self, address: Address | str, *, inside_only: bool) -> str | None:
        address = addresses.parse(address) if isinstance(address, str) else address
        if reason := addresses.refusal(address, self.rules.allow_networks, decode_nat64=self.rules.decode_nat64):
            return reason
        if inside_only and not addresses.is_allowed(address, self.rules.allow_networks):
            return "is in no allowed network"
        return None

    def _is_own(self, address: Address | str, port: int) -> bool:
        own = [host for host, own_port in self._own_addresses() if own_port == port]
        if not own:
            return False
        address = self._parse_address(address) if isinstance(address, str) else address
        listening = [self._parse_address(host) for host in own]
        return address in listening or (any(host.is_unspecified for host in listening) and _is_of_this_machine(address))


def _is_of_this_machine(address: Address) -> bool:
    """Whether an interface here holds the address: only then can a socket be bound to it. Sends nothing."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - the IP version
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True
