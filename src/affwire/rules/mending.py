"""Mending: a mistake found in a signature, as a sentence and what to do about it."""

from typing import Final

from affwire.rules.mistakes import Finding, Way
from affwire.rules.variants import PLAIN


def sentence(finding: Finding) -> tuple[str, str]:
    """Return what was done otherwise, and how to mend it."""
    told = [_SENTENCES[name](finding.way, finding.right) for name in finding.mistakes]
    return " ".join(what for what, _ in told), " ".join(dict.fromkeys(mend for _, mend in told))


def _header(given: Way, right: Way) -> tuple[str, str]:
    return (
        f"The signature stands in the header {given.header}, not in {right.header}.",
        f"Hand over the header {right.header} as it came; a proxy or framework may have renamed it.",
    )


def _form(given: Way, right: Way) -> tuple[str, str]:
    what = f"has {given.form} before it" if given.form else f"lacks {right.form} before it"
    mend = f"Write {right.form} before the digest." if right.form else f"Leave {given.form} away."
    return f"The signature {what}.", mend


def _encoding(given: Way, right: Way) -> tuple[str, str]:
    return (
        f"The signature is written in {given.encoding}, where {right.encoding} belongs.",
        f"Write the digest in {right.encoding}.",
    )


def _algorithm(given: Way, right: Way) -> tuple[str, str]:
    one, other = (name.upper().replace("SHA", "SHA-") for name in (given.algorithm, right.algorithm))
    if given.algorithm.startswith(PLAIN):
        return (
            f"The signature is a {given.algorithm}, and no HMAC.",
            f"Use HMAC-{other}, which takes key and text apart.",
        )
    return f"The signature is an HMAC with {one}, not with {other}.", f"Use HMAC-{other}."


def _signed(given: Way, right: Way) -> tuple[str, str]:
    return f"What is signed is {given.signed}, not {right.signed}.", f"Sign {right.signed}."


def _time_from(given: Way, right: Way) -> tuple[str, str]:
    return (
        f"The time that is signed is the header {given.time_from}'s, not {right.time_from}'s.",
        f"Sign the time that {right.time_from} tells.",
    )


def _unit(_: Way, __: Way) -> tuple[str, str]:
    return (
        "The time that is signed is in seconds where the header has milliseconds, or the other way round.",
        "Sign the time as the header tells it: unix seconds.",
    )


def _secret(given: Way, _: Way) -> tuple[str, str]:
    return (
        f"The signature was made with the secret {given.secret}.",
        "Copy the secret anew, without anything before or behind it, on the side that has it otherwise.",
    )


def _key(given: Way, right: Way) -> tuple[str, str]:
    return (
        f"The key was the secret {given.key}; it has to be the secret {right.key}.",
        f"Use the secret {right.key} as the key.",
    )


def _body(given: Way, _: Way) -> tuple[str, str]:
    return (
        f"What was signed is this body {given.body}.",
        "Sign and verify the raw bytes as they are sent, before anything parses, trims or writes them again.",
    )


_SENTENCES: Final = {
    "header": _header,
    "form": _form,
    "encoding": _encoding,
    "algorithm": _algorithm,
    "signed": _signed,
    "time_from": _time_from,
    "unit": _unit,
    "secret": _secret,
    "key": _key,
    "body": _body,
}
