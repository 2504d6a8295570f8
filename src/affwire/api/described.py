"""The schemas of what is answered, made from what builds the answers: the model's records, `model.objects` and `model.sent`.

The one rule: nothing here says again what a type says already; what is named here is what the types leave open.
"""

from collections.abc import Collection
from typing import Any, Final

import msgspec
from msgspec import Struct, structs

from affwire.model import canonical, mailed, objects, sent, stats
from affwire.model.endpoints import Endpoint
from affwire.model.events import Actor, Cause, Event
from affwire.model.registry import Affiliate, Group, Link, Membership, Organization, Program, PromoCode
from affwire.model.users import SignInPath, UserDetails
from affwire.rules.retry import Policy
from affwire.services.views import NOT_THE_OWNERS, SEALED

_RECORDS: Final = (Organization, Program, Affiliate, Membership, Group, Link, PromoCode)
_OBJECTS: Final = (
    *(objects.Key, sent.Delivery, sent.DeliveryWithAttempts, sent.TestResult, sent.Rendering),
    *(objects.Source, objects.Message, objects.MessageInFull, objects.Verification),
    *(mailed.Mail, mailed.MailInFull, mailed.LeaveLink, UserDetails, SignInPath),
    *(
        objects.Job,
        objects.MessageCount,
        objects.ReplayCount,
        objects.RecoveryCount,
        objects.EndpointHealth,
        stats.Stats,
        sent.Fate,
    ),
)
_NOTICES: Final = (objects.Notice, objects.SourceNotice)
_PREFIX: Final = "#/components/schemas/"
_OF_THE_LOG: Final = frozenset({"position", "origin", "hops", "snapshot", "previous", "notice"})
"""Fields of an event that are not shown, or that are shown in another form."""


def components() -> dict[str, Any]:
    """Return every schema by its name."""
    records = {kind.__name__: _record(kind) for kind in _RECORDS}
    records["Affiliate"]["properties"]["name"] = {"type": ["string", "null"], "description": "First and last name."}
    records["Affiliate"]["required"].append("name")
    event = _event()
    return {
        **records,
        **_defined((*_OBJECTS, *_NOTICES, objects.Secret)),
        **{kind.__name__: _record(kind) for kind in (Actor, Cause)},
        "Policy": _policy(),
        "Endpoint": _endpoint(),
        "Snapshot": _SNAPSHOT,
        "Event": event,
        "EventWithEndpoints": _with(event, endpoints=_list(_ref("Fate"))),
        "BatchResults": _BATCH_RESULTS,
        "Backup": _BACKUP,
        "Health": _object(status={"type": "string", "enum": ["ok"]}),
    }


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"{_PREFIX}{name}"}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _with(schema: dict[str, Any], **properties: Any) -> dict[str, Any]:
    """Return the schema of an object with further members."""
    required = [*schema["required"], *properties]
    return {**schema, "properties": {**schema["properties"], **properties}, "required": required}


_SNAPSHOT: Final = _object(
    organization=_ref("Organization"),
    program=_or_null(
        {"allOf": [_ref("Program"), _object(affiliates={"type": "integer", "description": "Its live members."})]}
    ),
    affiliate=_or_null(_ref("Affiliate")),
    memberships=_list(
        {
            "allOf": [
                _ref("Membership"),
                _object(program=_ref("Program"), group=_or_null(_ref("Group")), promo_codes=_list(_ref("PromoCode"))),
            ]
        }
    ),
    links=_list(_ref("Link")),
)
_BATCH_RESULTS: Final = _object(
    results=_list(
        _object(
            status={"type": "integer"},
            body={
                "anyOf": [
                    *(_ref(kind.__name__) for kind in (Program, Affiliate, Membership, Group, Link, PromoCode)),
                    {"type": "null"},
                ]
            },
        )
    )
)
_BACKUP: Final = _object(
    path={"type": "string"}, bytes={"type": "integer"}, created_at={"type": "string", "format": "date-time"}
)


def _defined(kinds: Collection[Any]) -> dict[str, Any]:
    """Return the schemas of types and of all that they refer to."""
    return msgspec.json.schema_components(kinds, ref_template=f"{_PREFIX}{{name}}")[1]


def _record(kind: type[Struct], without: Collection[str] = ()) -> dict[str, Any]:
    """Return the schema of a record as canonical.record shows it."""
    hidden = {*canonical.INTERNAL, *without}
    described = _defined([kind])[kind.__name__]["properties"]
    shown = {name: _timed(name, part) for name, part in described.items() if name not in hidden}
    for field in structs.fields(kind):
        shown.get(field.name, {}).pop("default", None)
    return {"type": "object", "properties": shown, "required": sorted(shown)}


def _timed(name: str, described: dict[str, Any]) -> dict[str, Any]:
    if not name.endswith("_at"):
        return described
    kind: Any = ["string", "null"] if "anyOf" in described else "string"
    return {"type": kind, "format": "date-time"}


def _policy() -> dict[str, Any]:
    """Nothing of it is required: an endpoint overrides some, and the rest is unknown while its dialect is not installed."""
    return {"type": "object", "properties": _record(Policy, NOT_THE_OWNERS)["properties"]}


def _endpoint() -> dict[str, Any]:
    policies = {"policy": _ref("Policy"), "policy_overrides": _ref("Policy")}
    secrets = _defined([objects.EndpointSecrets])["EndpointSecrets"]["properties"]
    return _with(_record(Endpoint, {*SEALED, "policy"}), **secrets, **policies)


def _event() -> dict[str, Any]:
    """Return the schema of an event as canonical.event shows it; a `notice` is there where the event is about sending."""
    previous = {"type": "object", "description": "The old values of what changed, by field."}
    described = _with(
        _record(Event, _OF_THE_LOG), sequence={"type": "integer"}, snapshot=_ref("Snapshot"), previous=previous
    )
    notice = {"anyOf": [_ref(kind.__name__) for kind in _NOTICES]}
    return {**described, "properties": {**described["properties"], "notice": notice}}
