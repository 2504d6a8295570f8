"""Names of headers: which are affwire's own, which may carry a signature, which are one and the same."""

import pytest

from affwire.rules.headers import NAME_CHARACTERS_MAX, VALUE_CHARACTERS_MAX, clash, judge_header, judge_signature_name


@pytest.mark.parametrize(
    "name",
    ["Host", "HOST", "content-length", "Content_Length", "Transfer-Encoding", "transfer_encoding", "Expect", "Connection",
    "Keep-Alive", "TE",
     "Trailer", "Upgrade", "HTTP2-Settings", "Proxy-Authorization", "proxy-connection", "Proxy-X", "webhook-id",
     "Webhook-Signature",
     "webhook_timestamp", "WEBHOOK-ANYTHING", "Content-Type", "content_encoding", "Affwire-Test", "User_Agent", "Accept"],
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
     ("Web-Hook", "1"), ("Contents", "1")],
)  # fmt: skip
def test_an_ordinary_header_is_taken(name: str, value: str) -> None:
    assert judge_header(name, value) is None


def test_the_refusal_never_repeats_the_value() -> None:
    assert "secret" not in str(judge_header("X-A", "secret\n"))


OURS = [
    "Host", "content_length", "Transfer-Encoding", "Connection", "Proxy-X", "webhook-id", "WEBHOOK_ANYTHING",
    "Content-Type", "Content-Encoding", "Content_Whatever", "Affwire-Test", "User-Agent", "User_Agent", "Accept",
]  # fmt: skip


@pytest.mark.parametrize("name", OURS)
def test_a_name_of_ours_is_refused_for_a_header_and_for_a_signature(name: str) -> None:
    assert judge_header(name, "x") == f"The header {name} is set by affwire itself."
    assert judge_signature_name(name) == f"The header {name} is set by affwire itself."


@pytest.mark.parametrize("name", ["", "a b", "a\n", "é", "x" * (NAME_CHARACTERS_MAX + 1)])
def test_what_is_no_token_is_refused_for_a_header_and_for_a_signature(name: str) -> None:
    assert judge_header(name, "x") == judge_signature_name(name) is not None


@pytest.mark.parametrize("name", ["X-Sig", "x" * NAME_CHARACTERS_MAX, "Accepted", "X-Content-Type"])
def test_any_other_name_is_fit_for_both(name: str) -> None:
    assert judge_header(name, "x") is None
    assert judge_signature_name(name) is None


@pytest.mark.parametrize("name", ["Authorization", "COOKIE"])
def test_credentials_are_the_owners_to_set_and_no_place_for_a_signature(name: str) -> None:
    assert judge_header(name, "x") is None
    assert judge_signature_name(name)


def test_names_clash_without_regard_to_case_and_underscores() -> None:
    assert clash(["X-Other", "x_SIG"], ["X-Sig"]) == "x_SIG"
    assert clash(["X-Other"], ["X-Sig"]) is None
    assert clash([], []) is None
