"""One organization with an endpoint of every dialect, and what each of them was told since the last look."""

import asyncio
from ipaddress import ip_address
from typing import Any

from affwire.destinations.guard import Guard, Rules
from affwire.model.judged import JudgedUrl
from affwire.model.registry import Affiliate, Membership, Program
from affwire.services import affiliates, memberships, programs
from affwire.testing.house import MemoryHouse

DIALECTS = ("growi", "affonso", "rewardful", "insert_affiliate", "tamio", "standard")


class PublicResolver:
    """Every name is at one public address; nothing is ever dialled."""

    def remembered(self, host: str) -> None:
        """Every name is looked up."""

    async def lookup(self, host: str, timeout_ms: int) -> tuple[Any, ...]:
        return (ip_address("93.184.216.34"),)


def judged(url: str) -> JudgedUrl:
    return asyncio.run(Guard(Rules(), PublicResolver()).judge(url))


HOOKS = judged("https://hooks.example.com/in")


class Walk:
    def __init__(self, **endpoint_fields: Any) -> None:
        self.house = MemoryHouse()
        self.endpoints = {name: self.house.endpoint(name, HOOKS, **endpoint_fields) for name in DIALECTS}
        self._events = 0
        self._deliveries = dict.fromkeys(DIALECTS, 0)
        self._people = 0

    def program(self, **fields: Any) -> Program:
        return self.house.act(programs.create, {"name": "Spring", **fields})

    def affiliate(self, program: Program | None = None, joins: str | None = None, **fields: Any) -> Affiliate:
        self._people += 1
        fields = {"email": f"person{self._people}@example.org", **fields}
        membership = {"status": joins} if joins else {}
        program_id = program.id if program else None
        return self.house.act(affiliates.create, fields, program_id=program_id, membership=membership)[0]

    def join(self, affiliate: Affiliate, program: Program, status: str = "active") -> Membership:
        return self.house.act(memberships.create, affiliate.id, program.id, {"status": status})

    def member(self, *statuses: str) -> Membership:
        """Return a membership that went through these statuses, the affiliate being created on its own first."""
        membership = self.join(self.affiliate(), self.program(), statuses[0])
        for status in statuses[1:]:
            membership = self.house.act(memberships.update, membership.id, {"status": status})
        return membership

    def news(self) -> tuple[list[str], dict[str, list[str]]]:
        """Return the canonical events and each dialect's words since the last call."""
        events = self.house.events()
        said = {}
        for name, endpoint in self.endpoints.items():
            rows = self.house.deliveries(endpoint)
            said[name] = [row.word for row in rows[self._deliveries[name] :]]
            self._deliveries[name] = len(rows)
        types = [event.type for event in events[self._events :]]
        self._events = len(events)
        return types, said
