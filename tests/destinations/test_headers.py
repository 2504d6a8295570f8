"""Headers as they go out and as they are read."""

import pytest

from affwire.destinations.headers import read_lines, write_lines


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
