"""Letters over a real relay on loopback: never in clear, to the judged address only, and an outcome whatever happens."""

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop
from msgspec import structs
from receivers import Names
from relays import LETTER, Box, relay, wire

from affwire.destinations import urls
from affwire.destinations.guard import Guard, Rules
from affwire.destinations.mail import SmtpWire, composed
from affwire.destinations.relay import Relay, sender_of
from affwire.errors import Refused
from affwire.model.wire import Limits

LIMITS = Limits(connect_ms=2_000, read_ms=2_000, total_ms=4_000)
VECTORS = json.loads(Path(__file__).with_name("ssrf_vectors.json").read_text("utf-8"))
SENDER = sender_of("Acme Partners <partners@acme.example>")


def sent(
    tmp_path, letter=LETTER, limits=LIMITS, *, box=None, tls="starttls", name="mail.example.com", auth=False, **how
):
    """Send a letter to a relay; return its outcome and what the relay has."""

    async def scene():
        into = box or Box()
        async with relay(into, tls=tls, name=name, auth=auth) as port, wire(port, tmp_path, **how) as sending:
            return await sending.send(letter, limits), into

    return asyncio.run(scene())


@pytest.mark.parametrize(("scheme", "tls"), [("smtp", "starttls"), ("smtps", "first")])
def test_a_letter_arrives_over_tls_and_the_outcome_has_the_relays_word(tmp_path, scheme, tls):
    outcome, box = sent(tmp_path, scheme=scheme, tls=tls)
    assert (outcome.error, outcome.response.status, outcome.detail) == (None, 250, "queued as 1")
    [(sender, to, encrypted, greeting)] = box.envelopes
    assert (sender, to, encrypted or tls == "first") == ("partners@acme.example", ("ada@example.com",), True)
    assert greeting == "[127.0.0.1]"


def test_a_letter_arrives_on_the_servers_own_event_loop(tmp_path):
    async def scene():
        box = Box()
        async with relay(box) as port, wire(port, tmp_path) as sending:
            return await sending.send(LETTER, LIMITS), len(box.letters)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome, count = runner.run(scene())
    assert (outcome.error, count) == (None, 1)


def test_a_letter_has_both_forms_and_its_own_name(tmp_path):
    _, box = sent(tmp_path)
    [letter] = box.letters
    assert (letter["From"], letter["To"], letter["Subject"]) == (
        "Acme Partners <partners@acme.example>",
        "ada@example.com",
        "Hello",
    )
    assert (letter["Message-ID"], letter["Auto-Submitted"]) == ("<mail_1@acme.example>", "auto-generated")
    assert letter.get_body(("plain",)).get_content().strip() == "Hi,"
    assert letter.get_body(("html",)).get_content().strip() == "<p>Hi,</p>"


def test_words_beyond_ascii_arrive_as_they_are(tmp_path):
    letter = structs.replace(LETTER, subject="Bestätigen 🎉", text="Grüße\n", to="zoë@example.com")
    _, box = sent(tmp_path, letter)
    assert box.letters[0]["Subject"] == "Bestätigen 🎉"
    assert box.letters[0].get_body(("plain",)).get_content().strip() == "Grüße"
    assert box.envelopes[0][1] == ("zoë@example.com",)


def test_name_and_password_are_shown_to_the_relay_after_tls(tmp_path):
    outcome, _ = sent(tmp_path, auth=True, login="acme:s3cret%3A%2F%40@")
    assert outcome.error is None


@pytest.mark.parametrize("login", ["acme:wrong@", ""])
def test_a_wrong_or_missing_password_is_an_outcome(tmp_path, login):
    outcome, box = sent(tmp_path, auth=True, login=login)
    assert (outcome.error, outcome.response.status) == ("status", 535 if login else 530)
    assert "wrong" not in outcome.detail
    assert box.letters == []


def test_a_relay_without_starttls_gets_nothing(tmp_path):
    outcome, box = sent(tmp_path, tls="none", login="acme:s3cret@")
    assert outcome.error == "tls"
    assert box.letters == []


def test_a_relay_that_speaks_clear_where_tls_was_agreed_gets_nothing(tmp_path):
    outcome, box = sent(tmp_path, tls="none", scheme="smtps")
    assert (outcome.error, box.letters) == ("tls", [])


@pytest.mark.parametrize(("scheme", "tls"), [("smtp", "starttls"), ("smtps", "first")])
def test_a_certificate_of_another_name_is_refused(tmp_path, scheme, tls):
    outcome, box = sent(tmp_path, scheme=scheme, tls=tls, name="other.example.com")
    assert (outcome.error, box.letters) == ("tls", [])


@pytest.mark.parametrize(
    ("refusal", "code"),
    [({"rcpt": "550 no such user"}, 550), ({"data": "451 later"}, 451), ({"data": "554 spam"}, 554)],
)
def test_what_the_relay_refuses_is_an_outcome_with_its_code(tmp_path, refusal, code):
    outcome, _ = sent(tmp_path, box=Box(**refusal))
    assert (outcome.error, outcome.response.status) == ("status", code)
    assert outcome.detail.startswith(str(code))


@pytest.mark.parametrize("to", ["ada@example.com\r\nBcc: eve@example.com", "a\nb@example.com"])
def test_no_line_break_gets_into_a_header_from_the_address(tmp_path, to):
    outcome, box = sent(tmp_path, structs.replace(LETTER, to=to))
    assert (outcome.error, box.letters) == ("encode", [])


@pytest.mark.parametrize("field", ["subject", "id"])
def test_no_line_break_gets_into_a_header(field):
    with pytest.raises(ValueError, match=r"linefeed|carriage return|newline|CR or LF"):
        composed(structs.replace(LETTER, **{field: "a\r\nBcc: eve@example.com"}), SENDER)


def test_a_name_without_an_address_is_an_outcome(tmp_path):
    outcome, _ = sent(tmp_path, host="nowhere.example.com")
    assert outcome.error == "dns"


def test_a_port_where_nobody_listens_is_an_outcome(tmp_path):
    async def scene():
        async with wire(1, tmp_path) as sending:
            return await sending.send(LETTER, LIMITS)

    assert asyncio.run(scene()).error == "connect"


def test_the_next_address_is_tried_where_one_takes_no_connection(tmp_path):
    outcome, box = sent(tmp_path, book={"mail.example.com": ["127.0.0.9", "127.0.0.1"]})
    assert outcome.error is None
    assert len(box.letters) == 1


@pytest.mark.parametrize("answer", [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"]])
def test_a_relay_in_a_network_that_is_not_allowed_is_never_dialled(tmp_path, answer):
    outcome, box = sent(tmp_path, allow="", book={"mail.example.com": answer})
    assert outcome.error == "refused_by_guard"
    assert not [text for text in answer if text in outcome.detail]
    assert box.letters == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "mail", "mail.internal"])
def test_a_place_inside_is_refused_by_name_and_by_number(tmp_path, host):
    outcome, _ = sent(
        tmp_path,
        allow="",
        host=host,
        book={"localhost": ["127.0.0.1"], "mail": ["127.0.0.1"], "mail.internal": ["10.0.0.1"]},
    )
    assert outcome.error == "refused_by_guard"


def test_a_local_relay_is_fine_where_the_operator_allows_its_network(tmp_path):
    outcome, _ = sent(tmp_path, host="localhost", name="localhost")
    assert outcome.error is None


def places():
    """The vectors' hosts and answers that are refused whatever the URL around them, as (host, lookup)."""
    for vector in VECTORS:
        try:
            parsed = urls.parse(vector["input"].replace("$SELF", "192.30.252.1"))
        except Refused:
            continue
        lookups = vector.get("dns") or [[]]
        plain = not {"header", "response", "cname"} & {name for name, part in vector.items() if part is not None}
        if vector["expect"] == "refuse" and plain and len(lookups) == 1 and "$SELF" not in json.dumps(vector):
            yield parsed.host if ":" not in parsed.host else f"[{parsed.host}]", lookups[0]


def test_every_place_of_the_vectors_is_refused_at_this_sink_too(tmp_path):
    async def scene():
        wrong, count = [], 0
        for host, answer in places():
            try:
                names = Names({host: answer})
            except ValueError:
                continue
            sending = SmtpWire(Guard(Rules(), names), Relay.parse(f"smtp://{host}", "a@example.com"))
            outcome = await sending.send(LETTER, LIMITS)
            await sending.close()
            count += 1
            if outcome.error not in {"refused_by_guard", "dns"} or (answer and outcome.error == "dns"):
                wrong.append((host, answer, outcome.error))
        return wrong, count

    wrong, count = asyncio.run(scene())
    assert wrong == []
    assert count > 20


@asynccontextmanager
async def listening(temper):
    async with await asyncio.start_server(temper, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def silent(reader, writer):
    await reader.read()
    writer.close()


async def babbling(reader, writer):
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()
    writer.close()


@pytest.mark.parametrize(("temper", "error"), [(silent, "timeout_read"), (babbling, "protocol")])
def test_whatever_listens_there_is_an_outcome(tmp_path, temper, error):
    async def scene():
        async with listening(temper) as port, wire(port, tmp_path) as sending:
            return await sending.send(LETTER, Limits(connect_ms=1_000, read_ms=100, total_ms=2_000))

    assert asyncio.run(scene()).error == error


def test_a_session_ends_in_time_whatever_the_relay_does(tmp_path):
    async def scene():
        async with listening(silent) as port, wire(port, tmp_path) as sending:
            return await sending.send(LETTER, Limits(connect_ms=1_000, read_ms=5_000, total_ms=100))

    assert asyncio.run(scene()).error == "timeout_total"


@asynccontextmanager
async def under_way(tmp_path):
    """Yield a wire and the letter that it is sending to a relay which took it and says nothing."""
    taken = asyncio.Event()

    async def holding(reader, writer):
        taken.set()
        await silent(reader, writer)

    async with listening(holding) as port, wire(port, tmp_path) as sending:
        letter = asyncio.create_task(sending.send(LETTER, LIMITS))
        await taken.wait()
        yield sending, letter


def test_closing_cuts_what_is_under_way_and_takes_nothing_more(tmp_path):
    async def scene():
        async with under_way(tmp_path) as (sending, letter):
            await sending.close()
            return [await letter, await sending.send(LETTER, LIMITS)]

    assert [outcome.error for outcome in asyncio.run(scene())] == ["cut", "cut"]


def test_a_cancelled_send_is_cancelled(tmp_path):
    async def scene():
        async with under_way(tmp_path) as (_, letter):
            letter.cancel()
            with pytest.raises(asyncio.CancelledError):
                await letter

    asyncio.run(scene())
