"""What an endpoint may be wished to be: policy, filter and headers, checked against the dialect before anything is stored."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from affwire.api.bodies import Body
from affwire.destinations.guard import Guard
from affwire.dialects.base import Card
from affwire.errors import Refused
from affwire.model.events import EVENT_TYPES, OPERATIONAL
from affwire.rules.matching import covers
from affwire.rules.retry import (
    CODES_MAX,
    IN_FLIGHT_MAX,
    RATE_MAX,
    STEPS_MAX,
    SUCCESS_NAMES,
    TIMEOUT_MAX_S,
    WAIT_MAX_S,
)

HEADERS_BYTES_MAX: Final = 8_192
"""What common servers read for all headers together."""
_CODE: Final = range(100, 600)


def _success(value: Any) -> Any:
    if value in SUCCESS_NAMES:
        return value
    if (
        isinstance(value, list)
        and 0 < len(value) <= CODES_MAX
        and all(type(one) is int and one in _CODE for one in value)
    ):
        return value
    raise PydanticCustomError("success", 'It is "2xx", "200" or a list of status codes from 100 to 599')


Wait = Annotated[float, Field(ge=0, le=WAIT_MAX_S, allow_inf_nan=False)]
Timeout = Annotated[float, Field(gt=0, le=TIMEOUT_MAX_S, allow_inf_nan=False)]
Success = Annotated[
    Any,
    PlainValidator(_success),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(SUCCESS_NAMES)},
                {"type": "array", "items": {"type": "integer", "minimum": 100, "maximum": 599}, "minItems": 1},
            ]
        }
    ),
]


class PolicyWish(Body):
    """How deliveries are tried, in seconds. What is left out, or null, comes from the dialect's card."""

    retry_schedule: Annotated[list[Wait], Field(max_length=STEPS_MAX)] | None = None
    success: Success | None = None
    connect_timeout: Timeout | None = None
    read_timeout: Timeout | None = None
    total_timeout: Timeout | None = None
    max_in_flight: Annotated[int, Field(ge=1, le=IN_FLIGHT_MAX)] | None = None
    rate_per_second: Annotated[float, Field(gt=0, le=RATE_MAX, allow_inf_nan=False)] | None = None
    ordering: Literal["none", "affiliate"] | None = None


def check_event_types(card: Card, patterns: Iterable[str]) -> None:
    """Refuse a pattern that covers no canonical event type and no word of the dialect."""
    words = [word.name for word in card.words]
    for index, pattern in enumerate(patterns):
        if not _means_something(card, pattern, [*EVENT_TYPES, *OPERATIONAL, *words]):
            raise Refused(
                "unknown_event_type",
                f"{pattern!r} is neither an event type nor a word of {card.title}; a * may stand at the end.",
                field=f"event_types/{index}",
                known=[*EVENT_TYPES, *(word for word in words if word not in EVENT_TYPES)],
            )


def check_headers(guard: Guard, headers: Mapping[str, str | None]) -> None:
    """Refuse headers that frame, route or describe the request, and two of one name; services/endpoints refuses the rest."""
    if sum(len(name) + len(value or "") for name, value in headers.items()) > HEADERS_BYTES_MAX:
        raise _bad_headers(f"The headers are larger than {HEADERS_BYTES_MAX} bytes together.")
    if len({name.lower() for name in headers}) < len(headers):
        raise _bad_headers("Two headers have the same name; case makes no difference.")
    for name, value in headers.items():
        wrong = guard.judge_header(name, value) if value is not None else None  # null takes away: any name may go
        if wrong:
            raise _bad_headers(wrong)


def _means_something(card: Card, pattern: str, known: Iterable[str]) -> bool:
    return any(covers(pattern, name) for name in known) or (pattern != "" and card.word(pattern) is not None)


def _bad_headers(sentence: str) -> Refused:
    return Refused("invalid_header", sentence, field="headers")
