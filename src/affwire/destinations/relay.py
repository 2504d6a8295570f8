"""The mail relay as an operator names it: one URL with everything in it, and the sender's address.

smtps://user:password@mail.example.com:465, or smtp://user:password@mail.example.com:587 for STARTTLS
"""

import re
from dataclasses import dataclass, field
from email.headerregistry import Address as MailAddress
from email.utils import getaddresses
from typing import Final, Self
from urllib.parse import unquote

from affwire.rules.forms import is_email, is_line

DEFAULT_PORTS: Final = {"smtps": 465, "smtp": 587}
"""RFC 8314: submission with TLS from the start, or by STARTTLS. Port 25 has to be asked for."""
_SHAPE: Final = re.compile(
    r"(?P<scheme>smtps?)://(?:(?P<user>[^:@/]+):(?P<password>[^@/]+)@)?"
    r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\[\]:@/?#\s]+)(?::(?P<port>[1-9][0-9]{0,4}))?/?"
)
_PORT_MAX: Final = 65_535


@dataclass(frozen=True, slots=True)
class Relay:
    """Where mail goes. `tls`: from the first byte; otherwise STARTTLS is demanded. `sender`: who all mail is from."""

    host: str
    port: int
    tls: bool
    sender: MailAddress
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str, sender: str) -> Self:
        """Read smtp[s]://[user:password@]host[:port], user and password percent-encoded. ValueError without either."""
        shape = _SHAPE.fullmatch(url)
        if shape is None or int(shape["port"] or 1) > _PORT_MAX:
            raise ValueError("it is not of the form smtps://user:password@host:port, or smtp:// for STARTTLS")
        return cls(
            host=shape["host"],
            port=int(shape["port"] or DEFAULT_PORTS[shape["scheme"]]),
            tls=shape["scheme"] == "smtps",
            sender=sender_of(sender),
            user=unquote(shape["user"] or ""),
            password=unquote(shape["password"] or ""),
        )


def sender_of(text: str) -> MailAddress:
    """Return one address such as `Acme Partners <partners@example.com>`; ValueError for anything else."""
    if not is_line(text):
        raise ValueError("it holds control characters")
    found = getaddresses([text])
    if len(found) != 1 or not is_email(found[0][1]):
        raise ValueError("it is not one address such as Acme Partners <partners@example.com>")
    name, (user, _, domain) = found[0][0], found[0][1].rpartition("@")
    return MailAddress(display_name=name, username=user, domain=domain)
