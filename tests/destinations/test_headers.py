"""Custom headers: none that frames, routes or signs."""

import pytest

from affwire.destinations.headers import (
    NAME_CHARACTERS_MAX,
    VALUE_CHARACTERS_MAX,
    judge_header,
    read_lines,
    write_lines,
)


@pytest.mark.parametrize(
    "name",
    ["Host", "HOST", "content-length", "Content_Length", "Transfer-Encoding", "transfer_encoding", "Expect", "Connection",
    "Keep-Alive", "TE",
     "Trailer", "Upgrade", "HTTP2-Settings", "Proxy-Authorization", "proxy-connection", "Proxy-X", "webhook-id",
     "Webhook-Signature",
     "webhook_timestamp", "WEBHOOK-ANYTHING"],
)  # fmt: skip
def test_a_header_of_ours_is_refused(name: str) -> None:
    assert judge_header(name, "x")


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        "a:",
        ":authority",
        "a\r\nb",
        "a\n",
        "é",
        "a\0",
        "a(b)",
        "a/b",
        '"a"',
        "x" * (NAME_CHARACTERS_MAX + 1),
    ],
)
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    assert judge_header(name, "v")


@pytest.mark.parametrize(
    "value", ["a\r\nHost: x", "a\n", "\r", "\0", "\x7f", "é", "\x1b[0m", "\u2028", "x" * (VALUE_CHARACTERS_MAX + 1)]
)
def test_a_value_beyond_printable_ascii_is_refused(value: str) -> None:
    assert judge_header("X-A", value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("Authorization", "Bearer abc"), ("X-Api-Key", ""), ("X-Hosted", "y"), ("Upgrade-Insecure-Requests", "1"), ("x_a",
    "a\tb"), ("X", "x" * VALUE_CHARACTERS_MAX),
     ("Web-Hook", "1"), ("Content-Type", "application/json")],
)  # fmt: skip
def test_an_ordinary_header_is_taken(name: str, value: str) -> None:
    assert judge_header(name, value) is None


def test_the_refusal_never_repeats_the_value() -> None:
    assert "secret" not in str(judge_header("X-A", "secret\n"))


def test_headers_go_out_in_order_without_libcurls_own() -> None:
    assert write_lines((("A", "1"), ("B", ""))) == ["A: 1", "B;", "Expect:", "Accept:", "Content-Type:"]
    assert write_lines((("content-TYPE", "x"),)) == ["content-TYPE: x", "Expect:", "Accept:"]
    assert write_lines(()) == ["Expect:", "Accept:", "Content-Type:"]


@pytest.mark.parametrize(
    "pair", [("A", "\r"), ("A", "b\nc"), ("A\n", ""), ("A", "\0"), ("A", "ü"), ("HOST", "x"), ("te", "x")]
)
def test_a_header_that_would_break_the_request_is_not_written(pair: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="a header"):
        write_lines((("X", "1"), pair))


def test_an_answers_headers_are_read_as_latin_1() -> None:
    assert read_lines([b"X-A:  b \r\n", b"Y:\xff\r\n", b"odd\r\n"]) == (("X-A", "b"), ("Y", "ÿ"), ("odd", ""))
