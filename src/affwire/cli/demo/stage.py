"""What happens in the demo: an organization's own program would call the REST API just so. People and programs by name."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from affwire.cli.client import Client

PAGE: Final = 200
"""Records of one answer: the most the API gives."""


@dataclass(slots=True)
class Stage:
    """The REST calls of the scenario. `calls` counts those that change something."""

    client: Client
    programs: dict[str, str] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    calls: int = 0

    def create_program(self, name: str, **fields: Any) -> None:
        """Create a program."""
        made = self._post("/v1/programs", {"name": name, "currency": "EUR", "commission_percent": 20, **fields})
        self.programs[name] = made["id"]

    def change_program(self, name: str, **fields: Any) -> None:
        """Change a program's fields."""
        self._patch(f"/v1/programs/{self.programs[name]}", fields)

    def delete_program(self, name: str, *, force: bool = False) -> None:
        """Delete a program."""
        self.calls += 1
        self.client.delete(f"/v1/programs/{self.programs[name]}", **({"force": "true"} if force else {}))

    def create_affiliate(self, person: str, program: str | None = None, status: str = "active", **fields: Any) -> None:
        """Create an affiliate, at once in a program if one is named."""
        joins = {"program_id": self.programs[program], "membership": {"status": status}} if program else {}
        wish = {"email": f"{person.lower()}@example.org", "first_name": person, "country": "SE", **fields, **joins}
        self.people[person] = self._post("/v1/affiliates", wish)["id"]

    def change_affiliate(self, person: str, **fields: Any) -> None:
        """Change an affiliate's fields."""
        self._patch(f"/v1/affiliates/{self.people[person]}", fields)

    def confirm(self, person: str) -> None:
        """Note that the affiliate confirmed the e-mail address."""
        self._post(f"/v1/affiliates/{self.people[person]}/confirm")

    def delete_affiliate(self, person: str, *, erase: bool = False) -> None:
        """Delete an affiliate."""
        self.calls += 1
        self.client.delete(f"/v1/affiliates/{self.people[person]}", **({"erase": "true"} if erase else {}))

    def join(self, person: str, program: str, status: str = "active") -> None:
        """Add an affiliate to a program, or let them ask to join it."""
        wish = {"affiliate_id": self.people[person], "program_id": self.programs[program], "status": status}
        self._post("/v1/memberships", wish)

    def command(self, person: str, program: str, command: str) -> None:
        """Approve, reject, remove, let leave or reactivate."""
        self._post(f"/v1/memberships/{self._membership(person, program)}/{command}")

    def change_membership(self, person: str, program: str, **fields: Any) -> None:
        """Change a membership's fields or status."""
        self._patch(f"/v1/memberships/{self._membership(person, program)}", fields)

    def add_code(self, person: str, program: str, code: str) -> None:
        """Give a membership a promo code."""
        wish = {"membership_id": self._membership(person, program), "code": code, "discount_value": "10.00"}
        self.codes[code] = self._post("/v1/promo-codes", wish)["id"]

    def change_code(self, code: str, **fields: Any) -> None:
        """Change a promo code."""
        self._patch(f"/v1/promo-codes/{self.codes[code]}", fields)

    def drop_code(self, code: str) -> None:
        """Take a promo code away."""
        self.calls += 1
        self.client.delete(f"/v1/promo-codes/{self.codes[code]}")

    def all_of(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Yield every record of a list."""
        cursor = None
        while True:
            page = self.client.get(path, limit=PAGE, cursor=cursor, **query)
            yield from page["data"]
            cursor = page["next_cursor"] if page["data"] else None
            if cursor is None:
                return

    def _membership(self, person: str, program: str) -> str:
        query = {"affiliate_id": self.people[person], "program_id": self.programs[program]}
        [membership] = self.client.get("/v1/memberships", **query)["data"]
        return str(membership["id"])

    def _post(self, path: str, body: Any = None) -> Any:
        self.calls += 1
        return self.client.post(path, body)

    def _patch(self, path: str, body: Any) -> None:
        self.calls += 1
        self.client.patch(path, body)
