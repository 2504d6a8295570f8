"""What the tests of the API share: an app over a real store in memory, and keys of every scope in two organizations."""

from dataclasses import dataclass
from typing import Any

from starlette.testclient import TestClient

from affwire.api.app import create_app
from affwire.api.desk import Desk
from affwire.destinations.addresses import parse
from affwire.destinations.guard import Guard, Rules
from affwire.plugins import load_dialects
from affwire.services import application_form, applications
from affwire.services.organizations import digest
from affwire.store.engines.sqlite import open_sqlite
from affwire.store.store import Store
from affwire.store.tables import metadata
from affwire.store.tx import Tx
from affwire.store.vault import Vault
from affwire.testing import house
from affwire.testing.world import FakeClock, fake_world
from affwire.world import World

OPERATOR_KEY = "operator-key-of-at-least-32-characters"
DIALECTS = load_dialects()


class Names:
    """A resolver that knows a few names: public.test, inside.test; all others have no answer. `bad`: names gone bad."""

    def __init__(self) -> None:
        self.bad: set[str] = set()

    def remembered(self, host: str) -> None:
        """Every name is looked up."""

    async def lookup(self, host: str, timeout_ms: int) -> tuple[Any, ...]:
        known = {
            "public.test": ("93.184.216.34",),
            "inside.test": ("93.184.216.34", "10.0.0.7"),
            "example.com": ("93.184.216.34",),
        }
        return tuple(parse(text) for text in (("10.0.0.7",) if host in self.bad else known.get(host, ())))

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True)
class Client:
    """One key at the API."""

    http: TestClient
    key: str | None

    def send(self, method: str, path: str, **what: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        headers |= what.pop("headers", {})
        return self.http.request(method, path, headers=headers, **what)

    def get(self, path: str, **params: Any) -> Any:
        return self.send("GET", path, params=params or None)

    def post(self, path: str, json: Any = None, **what: Any) -> Any:
        return self.send("POST", path, **({} if json is None else {"json": json}), **what)

    def patch(self, path: str, json: Any) -> Any:
        return self.send("PATCH", path, json=json)

    def delete(self, path: str, **params: Any) -> Any:
        return self.send("DELETE", path, params=params or None)

    def made(self, path: str, **fields: Any) -> dict[str, Any]:
        """Create a record that must be accepted."""
        answer = self.post(path, fields)
        assert answer.status_code == 201, answer.text
        return answer.json()


@dataclass(frozen=True)
class Office:
    """The API with its callers. `stranger` is the admin of another organization."""

    desk: Desk
    clock: FakeClock
    names: Names
    http: TestClient
    operator: Client
    nobody: Client
    admin: Client
    registry: Client
    reader: Client
    stranger: Client
    organization: dict[str, Any]


def open_office(path: Any = None) -> Office:
    clock = FakeClock()
    world, vault = fake_world(7, clock), Vault(b"k" * 32)
    store = house.open_memory_store(world, vault) if path is None else _store_at(path, world, vault)
    names = Names()
    guard = Guard(Rules.parse("127.0.0.0/8", allow_http=True), names)
    desk = Desk(store, DIALECTS, guard, digest(OPERATOR_KEY), world)
    http = TestClient(create_app(desk))
    operator = Client(http, OPERATOR_KEY)
    organization = operator.made("/v1/organizations", slug="acme", name="Acme", timezone="Europe/Berlin")
    admin = Client(http, organization.pop("api_key"))
    other = operator.made("/v1/organizations", slug="other")
    keys = {scope: admin.made("/v1/keys", scope=scope, name=scope)["api_key"] for scope in ("registry", "read")}
    return Office(
        desk=desk,
        clock=clock,
        names=names,
        http=http,
        operator=operator,
        nobody=Client(http, None),
        admin=admin,
        registry=Client(http, keys["registry"]),
        reader=Client(http, keys["read"]),
        stranger=Client(http, other["api_key"]),
        organization=organization,
    )


def _store_at(path: Any, world: World, vault: Vault) -> Store:
    return Store(open_sqlite(path, lambda c: Tx(c, world, vault, world.now()), prepare=metadata.create_all))


def apply(office: Office) -> dict[str, Any]:
    """Have Ada apply to a new program that is open to all; return the program."""
    program = office.admin.made("/v1/programs", name="Spring", is_public=True)
    form = application_form.read({"email": "ada@example.com", "first_name": "Ada"})
    desk = office.desk
    desk.store.submit(
        lambda tx: applications.apply(tx, desk.dialects, program["id"], form, origin="203.0.113.7")
    ).result()
    return program


def refused(answer: Any, status: int, code: str, **members: Any) -> dict[str, Any]:
    """Check that an answer is a problem of that kind, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "code", "request_id"} <= problem.keys()
    assert problem["status"] == status
    assert problem["code"] == code, problem
    for name, value in members.items():
        assert problem[name] == value
    return problem
