"""Letters: what mails to affiliates say, as plain text and as HTML.

Rule: no word in them comes from whoever applied, so that nobody can have us send theirs to a stranger.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final

from msgspec import Struct

from affwire.model.mail import Letter, Mail, MailKind, Purpose
from affwire.model.registry import Affiliate, Organization, Program
from affwire.rules.forms import one_line
from affwire.services import organizations, passes
from affwire.store.registry import email_key
from affwire.store.tx import Tx

APPLY: Final = "/apply/"
"""Where a program's own page is, before its id."""
NAME_MAX: Final = 80
"""Characters of a name in a subject: mail programs show no more."""
_GREETING: Final = "Hello,"
_BUTTON: Final = "display: inline-block; padding: .6em 1.2em; border-radius: .4em; background: #1d4ed8; color: #fff"


class Link(Struct, frozen=True):
    """A link on a line of its own."""

    label: str
    url: str


Part = str | Link


class _About(Struct, frozen=True):
    """What a mail is about, and where its links lead."""

    mail: Mail
    affiliate: Affiliate
    program: Program
    organization: Organization
    public_url: str


def composed(tx: Tx, mail: Mail, public_url: str) -> Letter | None:
    """Return a mail in words; the same words and links whenever it is asked for.

    None if there is nothing to say any more: the affiliate or the program is gone, or the address has changed.
    """
    about = _about(tx, mail, public_url)
    if about is None:
        return None
    subject, parts = _words(tx, about)
    return Letter(id=mail.id, to=mail.address, subject=subject, text=_text(parts), html=_html(subject, parts))


def main_link(tx: Tx, mail: Mail, public_url: str) -> tuple[str, int] | None:
    """Return the link that a mail is about, and its end (ms), for the manager to hand on; None as `composed`, or without one."""
    about, purpose = _about(tx, mail, public_url), _MAIN.get(mail.kind)
    return None if about is None or purpose is None else _link(tx, about, purpose)


_MAIN: Final[dict[MailKind, Purpose]] = {"confirm": "confirm", "join": "join", "member": "leave"}


def _about(tx: Tx, mail: Mail, public_url: str) -> _About | None:
    affiliate = tx.registry.get(Affiliate, mail.organization_id, mail.affiliate_id)
    program = tx.registry.get(Program, mail.organization_id, mail.program_id)
    if affiliate is None or program is None or email_key(affiliate.email) != email_key(mail.address):
        return None
    return _About(mail, affiliate, program, organizations.get(tx, mail.organization_id), public_url)


def _words(tx: Tx, about: _About) -> tuple[str, Sequence[Part]]:
    name, company = one_line(about.program.name)[:NAME_MAX], one_line(about.organization.name)[:NAME_MAX]
    if about.mail.kind == "left":
        return f"You have left {name}", _farewell(about, name, company)
    url, ends_at = _link(tx, about, _MAIN[about.mail.kind])
    applied = f"Somebody applied to the affiliate program {name} of {company} with this e-mail address."
    once = f"The link works once, until {_day(ends_at)}."
    match about.mail.kind:
        case "confirm":
            return f"Please confirm your e-mail address for {name}", (
                _GREETING,
                f"{applied} If it was you, please confirm that the address is yours:",
                Link("Confirm the address", url),
                f"{once} If it was not you, there is nothing to do; or withdraw:",
                Link("Withdraw, or leave the program", _link(tx, about, "leave")[0]),
            )
        case "join":
            return f"Do you want to join {name}?", (
                _GREETING,
                f"{applied} If it was you, please say so:",
                Link("Yes, I want to join", url),
                f"{once} If it was not you, there is nothing to do: nothing has changed.",
            )
        case "member":
            return f"You have applied to {name} before", (
                _GREETING,
                f"{applied} You are a member already, or your application is being looked at: nothing has changed.",
                f"Should you ever want to leave the program, until {_day(ends_at)} this link does it:",
                Link("Leave the program", url),
            )


def _farewell(about: _About, name: str, company: str) -> Sequence[Part]:
    """Return what is said to somebody who has left, with the way back where there is one."""
    told = f"With this e-mail address you have left the affiliate program {name} of {company}: nothing is left to do."
    if not about.program.is_public:
        return _GREETING, told
    again = Link("Apply again", f"{about.public_url}{APPLY}{about.program.id}")
    return _GREETING, f"{told} If that was a mistake, or you change your mind, apply again:", again


def _link(tx: Tx, about: _About, purpose: Purpose) -> tuple[str, int]:
    path, ends_at = passes.made(tx, purpose, about.affiliate, about.mail.program_id, since=about.mail.written_at)
    return about.public_url + path, ends_at


def _day(at: int) -> str:
    when = datetime.fromtimestamp(at / 1000, UTC)
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def _text(parts: Sequence[Part]) -> str:
    return "\n\n".join(part if isinstance(part, str) else f"{part.label}:\n{part.url}" for part in parts) + "\n"


def _html(subject: str, parts: Sequence[Part]) -> str:
    body = "\n".join(f"<p>{_marked(part)}</p>" for part in parts)
    style = "font: 16px/1.5 sans-serif; max-width: 36em; margin: 2em auto; padding: 0 1em"
    head = f'<meta charset="utf-8"><title>{escape(subject)}</title>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body style="{style}">\n{body}\n</body></html>\n'


def _marked(part: Part) -> str:
    if isinstance(part, str):
        return escape(part)
    return f'<a href="{escape(part.url)}" style="{_BUTTON}">{escape(part.label)}</a>'
