"""Forms: what a field takes, what it refuses and why, and that a record filled in and read again is the same."""

import pytest
from starlette.requests import Request

from affwire.console.forms import Field, Form
from affwire.console.pages.programs import FIELDS
from affwire.console.security import origin_of
from affwire.model.registry import Program
from affwire.rules.forms import DAYS_MAX, LINE_MAX, LIST_MAX


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("line", "x" * (LINE_MAX + 1)),
        ("line", "two\nlines"),
        ("line", "nul\0"),
        ("text", "bell\x07"),
        ("email", "nobody"),
        ("url", "javascript:alert(1)"),
        ("whole", "-1"),
        ("whole", "1.5"),
        ("whole", "\u0661"),
        ("whole", "9" * 40),
        ("days", str(DAYS_MAX + 1)),
        ("percent", "101"),
        ("percent", "nan"),
        ("percent", "much"),
        ("lines", "x\n" * (LIST_MAX + 1)),
        ("lines", "x" * (LINE_MAX + 1)),
        ("choice", "other"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(kind, text):
    field = Field("one", "One", kind, choices=lambda: [("this", "This")])
    form = Form.sent((field,), {"one": text}.__getitem__)
    assert form.faults["one"].endswith(".")
    assert form.texts["one"] == text.strip()
    assert not form.values


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("line", "  plain ", "plain"),
        ("line", "", None),
        ("text", "two\r\nlines", "two\nlines"),
        ("percent", "12,5", 12.5),
        ("whole", "500", 500),
        ("lines", " one \r\n\r\ntwo", ["one", "two"]),
        ("lines", "", []),
        ("check", "1", True),
        ("check", "", False),
        ("choice", "this", "this"),
    ],
)
def test_what_fits_is_read(kind, text, value):
    field = Field("one", "One", kind, choices=lambda: [("this", "This")])
    assert Form.sent((field,), {"one": text}.__getitem__).values == {"one": value}


def test_all_faults_are_named_at_once_and_one_of_a_service_beside_its_field():
    fields = (Field("email", "Address", "email", required=True), Field("name", "Name", required=True))
    form = Form.sent(fields, {"email": "x", "name": ""}.__getitem__)
    assert form.faults.keys() == {"email", "name"}
    good = Form.sent(fields, {"email": "x@example.org", "name": "X"}.__getitem__)
    assert good.refused("email", "Taken.").faults == {"email": "Taken."}
    assert good.refused("elsewhere", "No.").faults == {"": "No."}


def test_a_record_comes_back_as_it_was():
    program = Program(
        id="prg_1",
        organization_id="org_1",
        number=1,
        name="Spring",
        commission_percent=33.33333333,
        products=["One", "Two"],
        auto_approve=True,
        created_at=0,
        updated_at=0,
    )
    form = Form.of(FIELDS, program)
    again = Form.sent(FIELDS, lambda name: form.texts[name]).values
    assert again == {one.name: getattr(program, one.name) for one in FIELDS}


def test_what_cannot_be_typed_stays_as_it_is():
    fields = (Field("name", "Name"), Field("currency", "Currency", "choice", choices=lambda: [("EUR", "Euro")]))
    program = Program(
        id="prg_1", organization_id="org_1", number=1, name=" a\ttab ", currency="OLD", created_at=0, updated_at=7
    )
    shown = Form.of(fields, program).texts
    form = Form.sent(fields, lambda name: shown[name], program)
    assert (form.faults, form.changes(program)) == ({}, {})
    other = Form.sent(fields, {"name": "New", "currency": "OLD"}.__getitem__, program)
    assert other.changes(program) == {"name": "New"}


@pytest.mark.parametrize(
    ("peer", "told", "origin"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("172.17.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("8.8.8.8", "203.0.113.9", "8.8.8.8"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "anything <b>", "127.0.0.1"),
        ("testclient", "203.0.113.9", "testclient"),
    ],
)
def test_only_our_own_proxy_is_believed_where_a_request_comes_from(peer, told, origin):
    headers = [(b"x-forwarded-for", told.encode())] if told else []
    assert origin_of(Request({"type": "http", "headers": headers, "client": (peer, 1)})) == origin
