"""What a person can do about a refusal: for each code the likely cause and the way on. One line each; the rest by kind."""

from dataclasses import dataclass
from typing import Final

from affwire.errors import Refused


@dataclass(frozen=True, slots=True)
class Advice:
    """A failure in three lines, and a link that mends it, if there is one."""

    happened: str
    cause: str
    mend: str
    path: str | None = None


_QUERY: Final = ("The address was changed by hand, or is of an older page.", "Leave that part of it out.", None)
_QUERIES: Final = ("invalid_filter", "invalid_parameter", "invalid_cursor", "unknown_parameter", "repeated_parameter")
_BY_CODE: Final = dict.fromkeys(_QUERIES, _QUERY) | {
    "no_organization": (
        "This installation is new: nothing has been set up.",
        "Open the console: the operator makes the first organization there.",
        "/",
    ),
    "role_insufficient": (
        "Your role covers less than this takes.",
        "Ask an admin of this organization to do it, or for another role.",
        None,
    ),
    "form_expired": ("You signed in again, or out, since this page was loaded.", "Load the page and repeat it.", None),
    "other_origin": (
        "Another site sent it, or a proxy hides the host: then AFFWIRE_PUBLIC_URL must be set.",
        "Open the console itself and repeat it there.",
        "/",
    ),
    "delivery_leased": ("It is being sent at this moment.", "Look again in a few seconds.", None),
    "delivery_held": ("Its endpoint is paused, disabled or failing.", "Let the endpoint go on; this follows.", None),
    "endpoint_deleted": ("The endpoint was deleted after this was made.", "Create an endpoint and recover it.", None),
    "affiliate_erased": ("Their personal data were erased for good.", "Nothing is left that could be sent.", None),
    "illegal_transition": (
        "It has changed since you looked, or its program takes it another way.",
        "Load the page again: only the legal moves can be pressed.",
        None,
    ),
    "already_member": (
        "They are in this program, or wait to be.",
        "Open the affiliate: the membership is there.",
        None,
    ),
    "program_deleted": ("The program was deleted after they joined.", "Nothing is left to change in it.", "/programs"),
    "too_many_members": (
        "So many removals would keep everybody else waiting.",
        "Remove members in portions first: choose them in the list of affiliates.",
        "/affiliates",
    ),
    "too_many_chosen": (
        "So many changes would keep everybody else waiting.",
        "Narrow the list by a facet first.",
        None,
    ),
    "last_admin": ("Nobody could manage users afterwards.", "Make another admin first.", "/settings/users"),
    "last_admin_key": ("No program could manage keys afterwards.", "Make another admin key first.", "/settings/keys"),
    "mail_under_way": ("It is being handed to the mail relay.", "Look again in a few seconds.", None),
    "session_ended": ("Two hours without use end a session, twelve end any.", "Sign in again.", "/sign-in"),
    "url_refused": (
        "affwire sends to public https addresses only, never to where it listens itself, and inside a network not by itself.",
        "Give an address that leads there from outside; the operator may allow networks: AFFWIRE_ALLOW_NETWORKS.",
        None,
    ),
    "body_too_large": ("Too much was chosen or pasted at once.", "Send less at a time.", None),
}
_BY_STATUS: Final = {
    403: ("You are not allowed to.", "Ask an admin of this organization.", None),
    404: (
        "The link is old, it was deleted, or it belongs to another organization.",
        "Search for it, or start from the home page.",
        "/",
    ),
    405: ("The address is that of a form's answer, or of a page that takes no form.", "Start from the home page.", "/"),
    409: ("It has changed since you looked.", "Load the page again and see how it stands now.", None),
    422: ("Something in the form is not as it must be.", "Go back, correct it and send it again.", None),
    429: ("Too much in a short time.", "Wait a moment.", None),
    503: ("The store has more to do than it can take just now.", "Try again in a few seconds.", None),
}
_ELSE: Final = ("It cannot be done as asked.", "Go back and look again.", None)


def of(error: Refused) -> Advice:
    """Return what to say of a refusal."""
    cause, mend, path = _BY_CODE.get(error.code) or _BY_STATUS.get(error.http_status) or _ELSE
    return Advice(error.sentence, cause, mend, path)


def internal(request_id: str) -> Advice:
    """Return what to say of a fault of ours."""
    return Advice(
        "affwire failed here.",
        f"This is a fault of affwire itself; the server's log has the reason under {request_id}.",
        "Try again; if it fails again, send the lines of the log to whoever runs this server.",
        "/",
    )
