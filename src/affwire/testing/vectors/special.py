"""The cases that only one dialect has: its other forms, shapes and options."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from affwire.dialects.base import encode
from affwire.testing.vectors import proofs

if TYPE_CHECKING:
    from affwire.testing.vectors.cases import Kit

Named = tuple[str, dict[str, Any]]


def renamed(node: Any, old: str, new: str) -> Any:
    """Return a body with another word."""
    if isinstance(node, dict):
        return {key: renamed(value, old, new) for key, value in node.items()}
    return new if node == old else node


def unheard(word: str) -> str:
    """Return a word of the same family that no platform has."""
    return f"referral{word[len(word.rstrip('abcdefghijklmnopqrstuvwxyz')) - 1]}unheard"


def named(node: Any, name: str) -> Any:
    """Return a body in which the first name, source or label is `name`; beside the rest where it has none."""
    known = {"user_name", "campaign_name", "first_name", "name", "source", "label", "slug"}
    if isinstance(node, dict) and not known & node.keys():
        return {key: named(value, name) for key, value in node.items()}
    if isinstance(node, dict):
        return {key: name if key in known and isinstance(value, str) else value for key, value in node.items()}
    return node


def growi(kit: "Kit") -> Iterator[Named]:
    """Optional keys left out, a status nobody knows."""
    body = json.loads(kit.samples["campaign_affiliate.activated"])
    optional = ("campaign_name", "organization_slug", "user_email", "user_name", "tag")
    yield "every optional key left out", {"body": encode({k: v for k, v in body.items() if k not in optional})}
    renamed_body = body | {"event": "campaign_affiliate.on_hold", "status": "on_hold"}
    yield "a status nobody knows", {"body": encode(renamed_body)}
    yield "no occurred_at", {"body": encode({**body, "occurred_at": ""}), "verdict": "undecodable"}
    yield "an id that is no number", {"body": encode({**body, "campaign_affiliate_id": None}), "verdict": "undecodable"}


def insert_affiliate(kit: "Kit") -> Iterator[Named]:
    """The token alone, under another scheme, and around it what strangers try."""
    header = "Authorization"
    for name, value in (
        ("the token without its scheme", kit.secret),
        ("another scheme", f"Basic {kit.secret}"),
        ("an empty token", "Bearer "),
        ("a token and a space", f"Bearer {kit.secret} x"),
        ("the token in another header", ""),
    ):
        extra = () if value else (("X-Authorization", f"Bearer {kit.secret}"),)
        yield name, {"headers": ((header, value), *extra), "verdict": "not_genuine"}
    body = json.loads(kit.samples["affiliate.created"])
    yield "no deep link", {"body": encode({**body, "deep_link": ""})}


def standard(kit: "Kit") -> Iterator[Named]:
    """Several signatures, versions nobody knows, a secret taken for text."""
    body, at = kit.usual, 1_772_235_192
    good = proofs.standard_signature(body, kit.secret, at)
    wrong = proofs.standard_signature(body, kit.other, at)
    digest = good.removeprefix("v1,")
    for name, value in (
        ("several signatures, the last fits", f"{wrong} {good}"),
        ("several signatures, the first fits", f"{good} {wrong}"),
        ("a version nobody knows beside it", f"v1a,{digest} {good}"),
        ("an unknown scheme beside it", f"v2,xyz {good}"),
    ):
        yield name, {"headers": _standard(value, at)}
    text_key = proofs.base64digest(kit.secret.encode(), proofs.standard_text(body, at))
    inner = proofs.base64digest(kit.secret.removeprefix("whsec_").encode(), proofs.standard_text(body, at))
    for name, value in (
        ("only a version nobody knows", f"v1a,{digest}"),
        ("no version", digest),
        ("separated by commas", f"{wrong},{good}"),
        ("hex for base64", "v1," + proofs.hexdigest(kit.secret, proofs.standard_text(body, at))),
        ("the secret taken for text", f"v1,{text_key}"),
        ("the secret's base64 taken for text", f"v1,{inner}"),
        ("base64 without its padding", good.rstrip("=")),
        ("many signatures, none fits", " ".join([wrong] * 50)),
    ):
        yield name, {"headers": _standard(value, at), "verdict": "not_genuine"}
    signed = _standard(good, at)
    yield (
        "another webhook-id than the one signed",
        {
            "headers": (("webhook-id", "evt_other"), *signed[1:]),
            "verdict": "not_genuine",
        },
    )
    yield "no webhook-id", {"headers": signed[1:], "verdict": "not_genuine"}
    yield "no webhook-timestamp", {"headers": (signed[0], signed[2]), "verdict": "not_genuine"}


def _standard(signature: str, at: int) -> proofs.Pairs:
    return ("webhook-id", proofs.MESSAGE_ID), ("webhook-timestamp", str(at)), ("webhook-signature", signature)


def rewardful(kit: "Kit") -> Iterator[Named]:
    """Both shapes of the affiliate, families without a record, other codings of the digest."""
    body = json.loads(kit.samples["affiliate.confirmed"])
    yield "the shape of 2019", {"body": encode(_of_2019(body))}
    yield "a state nobody knows", {"body": encode(body | {"object": body["object"] | {"state": "on_hold"}})}
    event = body["event"]
    yield (
        "a deleted affiliate of which only the id is left",
        {
            "body": encode(
                {
                    "object": {"id": body["object"]["id"]},
                    "event": event | {"type": "affiliate.deleted"},
                    "request": body["request"],
                }
            )
        },
    )
    sale = {"id": "019c9727-501c-7380-8000-000000000999", "currency": "EUR", "sale_amount_cents": 4950}
    yield (
        "a sale",
        {"body": encode({"object": sale, "event": event | {"type": "sale.created"}, "request": body["request"]})},
    )
    yield from _codings(kit, "X-Rewardful-Signature", "")


def _of_2019(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body as the reference page's example has it: counters of referrals, no state, no Wise."""
    newer = {"state", "wise_email", "wise_email_confirmed_at", "visitors", "leads", "coupon"}
    old = {key: value for key, value in body["object"].items() if key not in newer}
    links = [{key: value for key, value in link.items() if key not in newer} for link in old["links"]]
    return {**body, "object": {**old, "links": links}}


def _codings(kit: "Kit", header: str, before: str, at: str = "") -> Iterator[Named]:
    """Yield the digest in codings that are not the platform's: none of them is what it would have sent."""
    signed = (at + "." if at else "").encode() + kit.usual
    digest = bytes.fromhex(proofs.hexdigest(kit.secret, signed))
    for name, value in (
        ("upper-case hex", digest.hex().upper()),
        ("base64 for hex", proofs.base64digest(kit.secret.encode(), signed)),
        ("a prefix before the hex", "sha256=" + digest.hex()),
        ("spaces around the hex", f" {digest.hex()} "),
    ):
        yield name, {"headers": ((header, before + value),), "verdict": "not_genuine"}


def affonso(kit: "Kit") -> Iterator[Named]:
    """The three forms of the signature, and the other of the two envelopes."""
    at, header = 1_772_235_192, "X-Affonso-Signature"
    form_b = proofs.affonso_b(kit.usual, kit.secret, at)
    yield "form A", {"proof": proofs.affonso_a}
    yield "forms A and B together", {"headers": (*form_b, ("X-Affonso-Timestamp", str(at)))}
    yield "form C, where the source is told of it", {"proof": proofs.affonso_c, "options": {"signature_form": "C"}}
    for name, fields in (
        ("form C, where nobody was told of it", {"proof": proofs.affonso_c}),
        ("form A, too old", {"proof": proofs.affonso_a, "at": at - 301}),
        ("form A without its time", {"headers": proofs.affonso_a(kit.usual, kit.secret, at)[1:]}),
        ("form B without its time", {"headers": ((header, form_b[0][1].partition(",")[2]),)}),
        ("form B, joined with another of another time", {"headers": ((header, f"{form_b[0][1]},t={at - 999}"),)}),
        (
            "the body alone signed, in form B",
            {"headers": ((header, f"t={at},v1={proofs.hexdigest(kit.secret, kit.usual)}"),)},
        ),
    ):
        yield name, {**fields, "verdict": "not_genuine"}
    yield from _codings(kit, header, f"t={at},v1=", str(at))
    yield "the other envelope", {"body": encode(_documented(json.loads(kit.samples["affiliate.created"])))}
    yield "the other envelope, deleted", {"body": encode(_gone(json.loads(kit.samples["affiliate.deleted"])))}
    odd = json.loads(kit.samples["affiliate.updated"])
    odd["data"] |= {"accountStatus": "DORMANT", "partnershipStatus": "ON_HOLD"}
    yield "statuses nobody knows", {"body": encode(odd)}


def _documented(body: dict[str, Any]) -> dict[str, Any]:
    kept = {key: body["data"][key] for key in ("affiliateId", "affiliateProgramId", "trackingId", "email")}
    data = {**kept, "status": "ACTIVE", "name": "Noor Haddad"}
    return {"id": body["id"], "type": body["type"], "createdAt": body["timestamp"], "data": data}


def _gone(body: dict[str, Any]) -> dict[str, Any]:
    kept = {key: body["data"][key] for key in ("affiliateId", "affiliateProgramId", "trackingId", "email")}
    return {"id": body["id"], "type": body["type"], "createdAt": body["timestamp"], "data": kept}


def tamio(kit: "Kit") -> Iterator[Named]:
    """Both texts that may be signed; the time counts only where it is signed. Another header where one is chosen."""
    at, header = 1_772_235_192, "Tamio-Signature"
    yield "time and body signed", {"proof": proofs.tamio_timed}
    yield "time and body signed, the oldest that counts", {"proof": proofs.tamio_timed, "at": at - 300}
    yield "the body signed, long ago", {"at": at - 86_400}
    good, other = (proofs.tamio(kit.usual, secret, at)[0][1] for secret in (kit.secret, kit.other))
    moved = proofs.tamio_timed(kit.usual, kit.secret, at)[0][1].replace(str(at), str(at + 1))
    for name, fields in (
        ("time and body signed, too old", {"proof": proofs.tamio_timed, "at": at - 301}),
        ("time and body signed, too young", {"proof": proofs.tamio_timed, "at": at + 301}),
        ("another time than the one signed", {"headers": ((header, moved),)}),
        (
            "the digest under another letter",
            {"headers": ((header, good.replace("s=", "v1=")),)},
        ),
        ("joined with another of another secret", {"headers": ((header, f"{good},{other}"),)}),
        (
            "another header where none is chosen",
            {"headers": (("X-Tamio-Signature", good),)},
        ),
    ):
        yield name, {**fields, "verdict": "not_genuine"}
    chosen = (("X-Hook-Proof", good),)
    yield "another header, chosen by the option", {"headers": chosen, "options": {"signature_header": "X-Hook-Proof"}}
    yield (
        "another version of the API",
        {
            "body": encode(json.loads(kit.usual) | {"api_version": 3}),
            "verdict": "undecodable",
        },
    )
    yield from _codings(kit, header, f"t={at},s=")


CASES: Final[dict[str, Callable[["Kit"], Iterator[Named]]]] = {
    "affonso": affonso,
    "growi": growi,
    "insert_affiliate": insert_affiliate,
    "rewardful": rewardful,
    "standard": standard,
    "tamio": tamio,
}
