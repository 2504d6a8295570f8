"""One parser: what it takes it takes one way only, the nearest other spelling is refused."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affwire.destinations.urls import CROSS_PROTOCOL_PORTS, URL_CHARACTERS_MAX, ParsedUrl, is_reserved, parse
from affwire.errors import Refused


def rule(url: str) -> str:
    """Return which rule refuses a URL."""
    with pytest.raises(Refused) as refusal:
        parse(url)
    assert refusal.value.code == "url_refused"
    return str(refusal.value.facts["rule"])


@pytest.mark.parametrize(
    ("url", "normalised"),
    [
        ("https://hooks.example.com", "https://hooks.example.com/"),
        ("HTTPS://Hooks.Example.COM:443/In", "https://hooks.example.com/In"),
        ("https://hooks.example.com./x", "https://hooks.example.com/x"),
        ("https://hooks.example.com:8443?a=b", "https://hooks.example.com:8443/?a=b"),
        ("https://hooks.example.com/x?y#z", "https://hooks.example.com/x?y"),
        ("https://hooks.example.com/@127.0.0.1", "https://hooks.example.com/@127.0.0.1"),
        ("https://hooks.example.com/?to=a@b", "https://hooks.example.com/?to=a@b"),
        ("https://hooks.example.com/a/../b%2f%zz", "https://hooks.example.com/a/../b%2f%zz"),
        ("https://hooks.example.com/bücher?ü", "https://hooks.example.com/b%C3%BCcher?%C3%BC"),
        ('https://hooks.example.com/{"<>"}', "https://hooks.example.com/%7B%22%3C%3E%22%7D"),
        ("https://bücher.example.com/", "https://xn--bcher-kva.example.com/"),
        ("https://my_hook.bücher.example/", "https://my_hook.xn--bcher-kva.example/"),
        ("https://xn--bcher-kva.example.com/", "https://xn--bcher-kva.example.com/"),
        ("https://xn--ls8h.example/", "https://xn--ls8h.example/"),
        ("https://hooks。example．com/", "https://hooks.example.com/"),
        ("https://ｈｏｏｋｓ.example.com/", "https://hooks.example.com/"),
        ("https://127.0.0.1.example.com/", "https://127.0.0.1.example.com/"),
        ("https://0x7f.example.com/", "https://0x7f.example.com/"),
        ("https://r3---sn-4g5e.example.com/", "https://r3---sn-4g5e.example.com/"),
        ("https://1.1.1.1:1024/", "https://1.1.1.1:1024/"),
        ("https://[2606:4700:4700:0::1111]/", "https://[2606:4700:4700::1111]/"),
        ("http://hooks.example.com:80/", "http://hooks.example.com/"),
    ],
)  # fmt: skip
def test_a_url_is_normalised_and_reads_the_same_again(url: str, normalised: str) -> None:
    parsed = parse(url)
    assert parsed.url == normalised
    assert parse(normalised) == parsed


@pytest.mark.parametrize("char", [chr(code) for code in (*range(0x21), 0x7F)] + ["\\"])
@pytest.mark.parametrize(
    "where", ["{}https://h.example/", "ht{}tps://h.example/", "https://h{}.example/", "https://h.example/{}"]
)
def test_blanks_controls_and_backslashes_are_refused_anywhere(where: str, char: str) -> None:
    assert rule(where.format(char)) == "characters"


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f000001", "0X7F.1", "0x", "0177.0.0.1", "127.1", "127.0.1", "0", "00", "127.0.0.01", "127.0.0.1.",
    "127.0.0.0x1",
     "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.1.1.256", "999999999999", "example.0x1", "example.1", "１２７.0.0.1", "①②⑦.⓪.⓪.①",
     "127。0。0。1", "８.８.８.８", "8.8.8.8.", "𝟏𝟐𝟕.0.0.1", "²1.1.1.1"],
)  # fmt: skip
def test_a_numeric_host_has_one_spelling(host: str) -> None:
    assert rule(f"https://{host}/") == "host"


@pytest.mark.parametrize(
    "host",
    ["", ".", "a..b", ".a.b", "a.b..", "-a.b", "a-.b", "a b.c".replace(" ", "%20"), "%31.b", "a%00.b", "a!b.c", "a*b.c",
    "a,b.c", "a|b.c", "é%.b",
     "x" * 64 + ".com", ".".join(["abcdefgh"] * 29), "ü" * 64 + ".com", "xn--.com", "xn--localhost-.com", "xn--a.com",
     "xn--99999999.com",
     "℀.com", "a‥b.com", "a/b", "a⁄b\u2215c.com", "x\u200dy.com", "\ud800.com", "a\u3000b.com", "[hooks.example.com]",
     "a[::1]", "[::1]a", "[]"],
)  # fmt: skip
def test_a_host_that_is_no_domain_name_is_refused(host: str) -> None:
    url = f"https://{host}/"
    if host == "a/b":
        assert parse(url).is_reserved
    else:
        assert rule(url) == "host"


@pytest.mark.parametrize(
    "inside",
    ["::1%25lo", "fe80::1%eth0", "fe80::1%", "127.0.0.1", "::1::", "v1.abc", "::ffff:127.0.0.01", ":::1",
    "1:2:3:4:5:6:7:8:9", "::g", "::1/64", "", "%3a%3a1"],
)  # fmt: skip
def test_brackets_hold_a_plain_ipv6_address_only(inside: str) -> None:
    assert rule(f"https://[{inside}]/") == "host"


@pytest.mark.parametrize("name", ["[[::1]]", "[::1", "::1]", "[::1]]", "::1", "2001:db8::1"])
def test_brackets_stand_in_pairs(name: str) -> None:
    assert rule(f"https://{name}/") in ("host", "port")


@pytest.mark.parametrize("port", ["", "0", "00", "00443", "0443", "65536", "99999", "100000", "-1", "+443",
    "4 43".replace(" ", ""), "443:443",
                                  "443a", "0x1bb", "４４３", "²", "1e3", "22", "80", "25", "8", "1023", *map(str,
                                  sorted(CROSS_PROTOCOL_PORTS))])  # fmt: skip
def test_a_port_is_443_or_a_high_one_that_no_other_protocol_owns(port: str) -> None:
    if port == "443":
        assert parse("https://h.example:443/").port == 443
    else:
        assert rule(f"https://h.example:{port}/") == "port"


@pytest.mark.parametrize("port", [443, 1024, 5000, 6664, 6670, 8080, 8443, 10079, 10081, 65535])
def test_an_open_port_is_taken(port: int) -> None:
    assert parse(f"https://h.example:{port}/").port == port


@pytest.mark.parametrize("authority", ["u@h.example", "u:p@h.example", ":@h.example", "@h.example", "h.example@127.0.0.1",
    "h.example:443@127.0.0.1", "u%40@h.example"])  # fmt: skip
def test_credentials_in_a_url_are_refused(authority: str) -> None:
    assert rule(f"https://{authority}/") == "userinfo"


@pytest.mark.parametrize(
    "url", ["https://h.example#@127.0.0.1/", "https://h.example?@127.0.0.1/", "https://127.0.0.1#@h.example/"]
)
def test_an_authority_that_ends_early_is_ambiguous(url: str) -> None:
    assert rule(url) == "ambiguous"


@pytest.mark.parametrize(
    "url",
    ["", "h.example", "//h.example/", "https:", "https:/h.example", "https:h.example", "data:text/plain,x",
    "javascript:alert(1)",
     "https//h.example", "://h.example", "ht-tps://h.example", "https+unix://h.example", "h\u017f://x"],
)  # fmt: skip
def test_a_url_of_another_shape_is_refused(url: str) -> None:
    assert rule(url) == "shape"


@pytest.mark.parametrize(
    "scheme", ["file", "ftp", "gopher", "dict", "ldap", "ws", "wss", "unix", "smb", "jar", "httpss", "FILE"]
)
def test_another_scheme_is_refused(scheme: str) -> None:
    assert rule(f"{scheme}://h.example/") == "scheme"


def test_a_long_url_is_refused() -> None:
    fits = "https://h.example/" + "x" * (URL_CHARACTERS_MAX - 18)
    assert parse(fits).url == fits
    assert rule(fits + "x") == "length"


def test_half_a_character_is_refused() -> None:
    assert rule("https://h.example/\ud800") == "characters"


@pytest.mark.parametrize(
    "name",
    ["localhost", "a.localhost", "localhost.", "localhost.localdomain", "localhost6.localdomain6", "ip6-loopback", "redis",
    "x.internal",
     "metadata.google.internal", "metadata.goog", "a.metadata.goog", "host.docker.internal", "printer.local", "a.home.arpa",
     "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "abc.onion", "internal", "local.",
     "foo.localhost4", "foo.localhost6", "foo.ip6-localhost", "foo.ip6-loopback."],
)  # fmt: skip
def test_an_inside_name_is_reserved(name: str) -> None:
    assert is_reserved(name)


@pytest.mark.parametrize("name", ["localhost.example.com", "internal.example", "mylocal.net", "xlocalhost.com", "svc.io",
    "home.arpa.net", "ametadata.goog"])  # fmt: skip
def test_a_public_name_that_looks_like_one_is_not(name: str) -> None:
    assert not is_reserved(name)


WEIRD = st.sampled_from(
    [
        *"@:/?#[]\\%.。．-_ \t\r\n\0",
        "①",
        "１",
        "\u00ad",
        "localhost",
        "127.0.0.1",
        "::1",
        "0x7f",
        "https://",
        "xn--",
        "a.b",
        "ß",
        "İ",
    ]
)
URLS = st.one_of(
    st.text(max_size=60),
    st.builds("https://{}".format, st.text(max_size=40)),
    st.builds(lambda parts: "https://" + "".join(parts), st.lists(st.one_of(WEIRD, st.characters()), max_size=12)),
    st.builds(
        lambda parts, rest: f"https://{''.join(parts)}{rest}",
        st.lists(WEIRD, max_size=6),
        st.sampled_from(["", "/", ":443/", "?x", "#y"]),
    ),
)


@pytest.mark.slow
@settings(max_examples=2_000, deadline=None)
@given(URLS)
def test_whatever_is_taken_reads_the_same_to_every_parser(url: str) -> None:
    try:
        parsed = parse(url)
    except Refused:
        return
    agrees_with_the_standard_library(parsed)
    assert parse(parsed.url) == parsed
    assert parsed.url.isascii()


def agrees_with_the_standard_library(parsed: ParsedUrl) -> None:
    other = urlsplit(parsed.url)
    assert (other.scheme, other.hostname, other.username) == (parsed.scheme, parsed.host, None)
    assert (other.port or {"https": 443, "http": 80}[parsed.scheme]) == parsed.port
