"""Bodies as a person reads them, and what is pasted into a field."""

import pytest

from affwire.console import bodies, pasted
from affwire.errors import Refused


def test_json_stands_over_lines_other_text_as_it_is_and_bytes_in_hexadecimal():
    assert bodies.shown(b'{"a":"\xc3\xa9"}') == bodies.Shown('{\n  "a": "\u00e9"\n}', "json")
    assert bodies.shown(b"a=1&b=2") == bodies.Shown("a=1&b=2", "text")
    shown = bodies.shown(b"\x00\xffab")
    assert (shown.kind, shown.text) == ("bytes", f"000000  {'00 ff 61 62':<47}  ..ab")


@pytest.mark.parametrize("body", [b"x" * 100_000, b"[" * 60_000, b"\xff" * 60_000])
def test_a_large_or_deep_body_is_shown_in_part_and_never_fails(body):
    assert len(bodies.shown(body).text) <= bodies.SHOWN_MAX


def test_a_line_is_marked_where_the_other_tells_its_value_nowhere():
    one, other = bodies.marked(['"mail": "a@b.c",', '"id": 7', "{"], ['"user_email": "a@b.c"', '"id": 8'])
    assert [line.differs for line in one] == [False, True, False]
    assert [line.differs for line in other] == [False, True]


def test_headers_are_taken_line_by_line_and_a_token_without_a_name_is_not_repeated():
    assert pasted.headers("POST /in HTTP/1.1\nA: b\r\n\n c : d:e ") == (("A", "b"), ("c", "d:e"))
    with pytest.raises(Refused, match="Line 2 ") as refused:
        pasted.headers("A: b\nsecret-token")
    assert "secret-token" not in refused.value.sentence


def test_a_pasted_body_may_have_had_either_line_end():
    assert list(dict.fromkeys(pasted.bodies("{\r\n}\r\n"))) == [b"{\n}\n", b"{\r\n}\r\n", b"{\n}"]
    assert list(pasted.bodies("{}")) == [b"{}"]


@pytest.mark.parametrize("text", ["", " \r\n", "x" * (pasted.BODY_MAX + 1)])
def test_no_body_and_a_very_large_one_are_refused(text):
    with pytest.raises(Refused):
        list(pasted.bodies(text))
