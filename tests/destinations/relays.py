"""Mail relays on loopback: the real protocol with STARTTLS, TLS and names and passwords, of every temper."""

import asyncio
import ssl
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.policy import default

import trustme
from aiosmtpd.smtp import SMTP, AuthResult
from receivers import Names

from affwire.destinations.guard import Guard, Rules
from affwire.destinations.mail import SmtpWire
from affwire.destinations.relay import Relay
from affwire.model.mail import Letter

NAME = "mail.example.com"
LETTER = Letter(id="mail_1", to="ada@example.com", subject="Hello", text="Hi,\n", html="<p>Hi,</p>")
AUTHORITY = trustme.CA()


class Box:
    """What a relay took, and what it answers: `refusals` by command."""

    def __init__(self, **refusals):
        self.refusals = refusals
        self.letters = []
        self.envelopes = []
        self.arrived = asyncio.Event()

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802 -- the server's own names
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 -- the server's own names
        envelope.rcpt_tos.append(address)
        return self.refusals.get("rcpt", "250 ok")

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 -- the server's own names
        self.arrived.set()
        if "data" in self.refusals:
            return self.refusals["data"]
        self.envelopes.append(
            (envelope.mail_from, tuple(envelope.rcpt_tos), session.ssl is not None, session.host_name)
        )
        self.letters.append(message_from_bytes(envelope.content, policy=default))
        return "250 queued as 1"


def certified(name=NAME, authority=AUTHORITY):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


def known(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"acme", b"s3cret:/@"), handled=False)


@asynccontextmanager
async def relay(box, *, tls="starttls", name=NAME, auth=False):
    """Run a relay; yields its port. `tls`: starttls, first, or none."""
    options = {"enable_SMTPUTF8": True, "hostname": "relay.test"}
    if tls == "starttls":
        options |= {"tls_context": certified(name), "require_starttls": True}
    if auth:
        options |= {"authenticator": known, "auth_required": True, "auth_require_tls": tls != "first"}
    loop = asyncio.get_running_loop()
    sessions = []

    def session():
        sessions.append(SMTP(box, loop=loop, **options))
        return sessions[-1]

    context = certified(name) if tls == "first" else None
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for one in sessions:
            if one.transport is not None:
                one.transport.abort()
        await asyncio.sleep(0)


@asynccontextmanager
async def wire(port, tmp_path, *, scheme="smtp", login="", host=NAME, allow="127.0.0.0/8", book=None):
    """Run a wire that trusts AUTHORITY and finds `host` on loopback."""
    roots = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(roots))
    names = Names(book or {NAME: ["127.0.0.1"], "localhost": ["127.0.0.1"]})
    where = Relay.parse(f"{scheme}://{login}{host}:{port}", "Acme Partners <partners@acme.example>")
    sending = SmtpWire(Guard(Rules.parse(allow), names), where, roots)
    try:
        yield sending
    finally:
        await sending.close()
