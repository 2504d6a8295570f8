"""The JSON objects of /v1/stats: a whole installation as its operator is shown it.

The one rule: as in `objects`, a name here is the name of a schema in the OpenAPI description.
"""

from typing import TypedDict

from affwire.model.objects import Backlog, EndpointState


class Queue(TypedDict):
    """Unfinished deliveries: for their time, behind another of their lane, held, under way."""

    pending: int
    behind: int
    held: int
    leased: int


class Waiting(TypedDict):
    """Inbound messages that wait for their turn, and those set aside with a reason."""

    waiting: int
    parked: int


class EndpointStates(TypedDict):
    """How many endpoints are in each state."""

    healthy: int
    failing: int
    tripped: int
    paused: int
    disabled: int


class SourceStates(TypedDict):
    """How many sources are in each state; one that never spoke is not silent."""

    heard: int
    silent: int
    disabled: int


class Trouble(TypedDict):
    """An endpoint that fails or is late. `oldest_due_ms`: for how long its longest due delivery waits."""

    endpoint_id: str
    organization_id: str
    host: str
    dialect: str
    state: EndpointState
    backlog: Backlog
    oldest_due_ms: int
    failures_in_row: int
    last_error: str | None


class Stats(TypedDict):
    """An installation as its database has it: every process answers the same."""

    queue: Queue
    oldest_due_ms: int
    messages: Waiting
    endpoints: EndpointStates
    sources: SourceStates
    running_jobs: int
    database_bytes: int
    worst_endpoints: list[Trouble]
