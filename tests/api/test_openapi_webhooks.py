"""The webhooks of the description: every word of every dialect, true of its sample and of whatever is really said."""

import json

import pytest
from office import DIALECTS

from affwire.api.openapi_webhooks import TOKEN, schema_of, webhooks
from affwire.dialects.base import Attempt, Recipient, load_samples
from affwire.model.events import EVENT_TYPES
from affwire.testing import events as build

HOOKS = webhooks(DIALECTS)
KINDS = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "array": list,
    "null": type(None),
}


def fits(schema, value, path="body"):
    """Yield what is wrong with a value, by the few words of JSON Schema that are used."""
    if "anyOf" in schema:
        if not any(not list(fits(one, value, path)) for one in schema["anyOf"]):
            yield f"{path} is none of {schema['anyOf']}"
        return
    kinds = schema.get("type", list(KINDS))
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not any(isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool)) for kind in kinds):
        yield f"{path} is {value!r}, not {kinds}"
    elif isinstance(value, dict):
        yield from (f"{path} lacks {name}" for name in schema.get("required", ()) if name not in value)
        for name, described in schema.get("properties", {}).items():
            if name in value:
                yield from fits(described, value[name], f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from fits(schema.get("items", {}), item, f"{path}[]")


def media(hook):
    return hook["post"]["requestBody"]["content"]["application/json"]


def test_every_word_of_every_dialect_is_described(office):
    described = office.admin.get("/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert described["webhooks"] == json.loads(json.dumps(HOOKS))
    samples = {f"{name} {word}" for name, one in DIALECTS.items() for word in load_samples(type(one).__module__)}
    assert HOOKS.keys() == samples
    for name, dialect in DIALECTS.items():
        assert all(
            any(dialect.card.word(key.removeprefix(f"{name} ")) == word for key in HOOKS if key.startswith(f"{name} "))
            for word in dialect.card.words
        )


def test_names_of_operations_are_unique(office):
    described = office.admin.get("/openapi.json").json()
    ids = [
        operation["operationId"]
        for place in ("paths", "webhooks")
        for item in described[place].values()
        for operation in item.values()
    ]
    assert len(ids) == len(set(ids))


def test_it_is_the_same_every_time():
    assert json.dumps(webhooks(DIALECTS)) == json.dumps(HOOKS)


@pytest.mark.parametrize("key", HOOKS)
def test_a_sample_fits_its_schema(key):
    found = media(HOOKS[key])
    assert not list(fits(found["schema"], found["example"]))


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_what_is_said_fits_the_schema_of_its_word(event_type):
    event = build.event(event_type)
    for name, dialect in DIALECTS.items():
        secret = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        to = Recipient(endpoint_id=build.id_of("endpoint"), url="https://example.com", secrets=(secret,))
        for saying in dialect.says(event):
            request = dialect.request(
                event, saying, to, build.id_of("delivery"), Attempt(build.id_of("attempt"), 1, build.NOW)
            )
            assert not list(fits(media(HOOKS[f"{name} {saying.word}"])["schema"], json.loads(request.body)))


def test_a_signing_dialect_names_its_headers_and_a_bearer_its_scheme(office):
    def headers(key):
        return [one["name"] for one in HOOKS[key]["post"]["parameters"]]

    assert headers("standard affiliate.created") == ["webhook-signature", "webhook-id", "webhook-timestamp"]
    assert headers("affonso affiliate.created") == ["X-Affonso-Signature", "X-Affonso-Timestamp"]
    assert headers("growi campaign_affiliate.pending") == headers("insert_affiliate affiliate.created") == []
    assert HOOKS["insert_affiliate affiliate.created"]["post"]["security"] == [{}, {TOKEN: []}]
    assert TOKEN in office.admin.get("/openapi.json").json()["components"]["securitySchemes"]


def test_a_webhook_stays_as_it_was_published():
    hook = HOOKS["rewardful affiliate.confirmed"]["post"]
    assert hook["operationId"] == "rewardful_affiliate.confirmed"
    assert hook["summary"] == "The affiliate confirmed the e-mail address."
    assert list(hook["responses"]) == ["200"]
    schema = media(HOOKS["rewardful affiliate.confirmed"])["schema"]
    assert schema["required"] == ["object", "event", "request"]
    assert schema["properties"]["object"]["properties"]["email"] == {"type": ["string", "null"]}
    assert schema["properties"]["event"]["properties"]["type"] == {"type": "string"}


def test_nullable_optional_lists_and_nothing_are_told_apart():
    card = DIALECTS["growi"].card
    schema = schema_of(card, {"user_name": "x", "n": None, "list": [1, "a"], "free": {}, "half": 0.5})
    assert schema["required"] == ["n", "list", "free", "half"]
    assert schema["properties"]["n"] == {}
    assert schema["properties"]["list"] == {
        "type": "array",
        "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
    }
    assert schema["properties"]["free"] == {"type": "object", "properties": {}}
    assert schema["properties"]["half"] == {"type": "number"}
