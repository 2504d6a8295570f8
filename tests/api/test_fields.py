"""What fields may hold, and for each accepted value the nearest refused one."""

import pytest
from pydantic import TypeAdapter, ValidationError

from affwire.api import fields
from affwire.services.actions import OBJECT_BYTES_MAX


def accepts(kind, value):
    return TypeAdapter(kind).validate_python(value, strict=True)


def refuses(kind, value):
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value, strict=True)
    return caught.value


@pytest.mark.parametrize(
    "email",
    [
        "Kim@Example.com",
        "a@b.test",
        "o'neil+tag@sub.example.org",
        "jörg@bücher.example",
        "x" * 64 + "@a.de",
        "a_b@x-y.co",
    ],
)
def test_an_email_keeps_its_case(email):
    assert accepts(fields.Email, email) == email


@pytest.mark.parametrize(
    "email",
    [
        "",
        "kim",
        "kim@",
        "@b.de",
        "a@b",
        "a@b.",
        "a@.de",
        "a@b..de",
        "a b@c.de",
        " a@b.de",
        "a@b.de ",
        "a@@b.de",
        "a@b@c.de",
        ".a@b.de",
        "a.@b.de",
        "a..b@c.de",
        "a@-b.de",
        "a@b-.de",
        "a@1.2.3.4",
        "a\n@b.de",
        "a@b.de\x00",
        "<a@b.de>",
        "a,b@c.de",
        "x" * 65 + "@a.de",
        "a@" + "b" * 250 + ".de",
        5,
        None,
    ],
)
def test_what_is_no_email_is_refused(email):
    refuses(fields.Email, email)


@pytest.mark.parametrize(("given", "kept"), [("DE", "DE"), ("de", "DE"), ("Us", "US")])
def test_countries_are_kept_in_capitals(given, kept):
    assert accepts(fields.Country, given) == kept


@pytest.mark.parametrize("bad", ["", "XX", "DEU", "Germany", "D", "ſs", 49, None])
def test_what_is_no_country_is_refused(bad):
    refuses(fields.Country, bad)


@pytest.mark.parametrize(("given", "kept"), [("EUR", "EUR"), ("usd", "USD"), ("JPY", "JPY")])
def test_currencies_are_kept_in_capitals(given, kept):
    assert accepts(fields.Currency, given) == kept


@pytest.mark.parametrize("bad", ["", "EU", "EURO", "ABC", "€", None])
def test_what_is_no_currency_is_refused(bad):
    refuses(fields.Currency, bad)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
def test_time_zones_are_ianas(zone):
    assert accepts(fields.Timezone, zone) == zone


@pytest.mark.parametrize(
    "bad", ["", "Berlin", "europe/berlin", "+02:00", "../etc/passwd", "America", "/etc/localtime", None]
)
def test_what_is_no_time_zone_is_refused(bad):
    refuses(fields.Timezone, bad)


@pytest.mark.parametrize("value", [0, 20, 0.5, 100])
def test_a_percentage_is_between_0_and_100(value):
    assert accepts(fields.Percent, value) == value


@pytest.mark.parametrize("bad", [-0.01, -1, 100.01, float("nan"), float("inf"), "20", True, None])
def test_what_is_no_percentage_is_refused(bad):
    refuses(fields.Percent, bad)


@pytest.mark.parametrize("value", [0, 1, fields.WHOLE_MAX])
def test_an_amount_is_a_whole_number(value):
    assert accepts(fields.Whole, value) == value


@pytest.mark.parametrize("bad", [-1, fields.WHOLE_MAX + 1, 1.0, 1.5, "1", True, 10**30])
def test_what_is_no_amount_is_refused(bad):
    refuses(fields.Whole, bad)


@pytest.mark.parametrize("value", ["10.00", "0", "0.5", "123456789012345.1234"])
def test_a_price_stays_the_text_it_was(value):
    assert accepts(fields.Decimal, value) == value


@pytest.mark.parametrize("bad", ["", "-1", "+1", ".5", "1.", "1,5", "1e3", "10.00\n", "١", 10, 10.0, None])
def test_what_is_no_price_is_refused(bad):
    refuses(fields.Decimal, bad)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:00.001Z", 1),
        ("2026-03-18T12:00:00+02:00", 1_773_828_000_000),
        ("2026-03-18T10:00:00Z", 1_773_828_000_000),
    ],
)
def test_a_time_becomes_milliseconds(text, at):
    assert accepts(fields.Instant, text) == at


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "tomorrow",
        "2026-03-18T12:00:00",
        "1969-12-31T23:59:59Z",
        "2026-13-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        0,
        1.5,
        True,
        None,
        [],
    ],
)
def test_what_is_no_time_is_refused(bad):
    refuses(fields.Instant, bad)


@pytest.mark.parametrize("url", ["https://example.com", "http://a.b/c?d=e#f", "HTTPS://EXAMPLE.COM/ü"])
def test_a_web_url_is_whole(url):
    assert accepts(fields.WebUrl, url) == url


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "example.com",
        "/path",
        "//example.com",
        "https://",
        "https:///path",
        "ftp://a.b",
        "javascript:alert(1)",
        "myapp://x",
        "https://a b",
        "https://a.b/\n",
        "https://[::1",
        "https://a.b/" + "x" * 2048,
    ],
)
def test_what_is_no_web_url_is_refused(bad):
    refuses(fields.WebUrl, bad)


@pytest.mark.parametrize("url", ["myapp://open/5", "https://example.com/x", "com.example.app:/path", "intent:open"])
def test_a_deep_link_may_use_an_apps_scheme(url):
    assert accepts(fields.AppUrl, url) == url


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "myapp",
        "myapp:",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        " javascript:x",
        "java\tscript:x",
        "1app://x",
    ],
)
def test_a_deep_link_that_runs_something_is_refused(bad):
    refuses(fields.AppUrl, bad)


@pytest.mark.parametrize("kind", [fields.Line, fields.Name])
@pytest.mark.parametrize("bad", ["a\x00", "a\nb", "a\x1b[0m", "\ud800", "x" * 256, 5])
def test_a_line_holds_no_control_characters(kind, bad):
    refuses(kind, bad)


@pytest.mark.parametrize("bad", ["", " ", "\u3000"])
def test_a_name_is_not_empty(bad):
    refuses(fields.Name, bad)


def test_a_text_may_have_lines_but_no_nul():
    assert accepts(fields.Text, "a\n\tb") == "a\n\tb"
    refuses(fields.Text, "a\x00b")
    refuses(fields.Text, "x" * (fields.TEXT_MAX + 1))


@pytest.mark.parametrize("value", [{}, {"a": [1, {"b": None}]}, {"x": 1.5, "ü": "y"}, {"n": fields.WHOLE_MAX}])
def test_free_objects_hold_any_json(value):
    assert accepts(fields.FreeObject, value) == value


def nested(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return {"a": value}


@pytest.mark.parametrize(
    "bad",
    [
        [],
        "x",
        {"a": "\x00"},
        {"\x00": 1},
        {"a": ["\ud800"]},
        {"a": 2**53},
        {"a": -(2**70)},
        {"a": "x" * OBJECT_BYTES_MAX},
        nested(20),
        nested(900),
    ],
    ids=["list", "text", "nul", "nul key", "half", "large", "very large", "long", "deep", "very deep"],
)
def test_free_objects_have_limits(bad):
    refuses(fields.FreeObject, bad)


def test_external_ids_are_texts_by_namespace():
    assert accepts(fields.ExternalIds, {"growi": "123"}) == {"growi": "123"}
    for bad in ({"Growi": "1"}, {"growi": 1}, {"growi": ""}, {"growi": None}, {f"n{i}": "x" for i in range(21)}):
        refuses(fields.ExternalIds, bad)


@pytest.mark.parametrize("status", ["active", "paused", "a", "x" * 32])
def test_a_status_is_a_word(status):
    assert accepts(fields.Status, status) == status


@pytest.mark.parametrize("bad", ["", "Active", "1x", "a-b", "x" * 33, "active\n", None])
def test_what_is_no_status_is_refused(bad):
    refuses(fields.Status, bad)
