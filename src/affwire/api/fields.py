"""What fields may hold: one type per kind of text, number and time, each with its limit and the reason for it.

Texts are kept as they came (but for codes, which are stored in capitals); what no store keeps is refused: NUL, half characters.
"""

import re
import zoneinfo
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from affwire.model import times
from affwire.model.money import MINOR_UNITS_MAX
from affwire.rules.forms import (
    DAYS_MAX,
    EMAIL_MAX,
    LINE_MAX,
    LIST_MAX,
    PERCENT_MAX,
    TEXT_MAX,
    URL_MAX,
    is_email,
    is_line,
    is_web_url,
    scheme_of,
)
from affwire.services import countries, currencies
from affwire.services.actions import OBJECT_BYTES_MAX

EXTERNAL_IDS_MAX: Final = 20
"""Other systems that know one record."""
DEPTH_MAX: Final = 16
"""Levels of free JSON: deeper than any hand-written object, far from any reader's recursion limit."""
WHOLE_MAX: Final = MINOR_UNITS_MAX

_BROKEN: Final = re.compile("[\x00\ud800-\udfff]")
_OWN_ID: Final = re.compile(r"ext:[a-z][a-z0-9_.-]{0,63}:(.+)", re.DOTALL)
_CODE_SCHEMES: Final = frozenset({"javascript", "data", "vbscript", "file", "blob", "about", "view-source"})
"""Schemes that run or read something where the link is opened."""


def _text(text: str) -> str:
    if _BROKEN.search(text):
        raise PydanticCustomError("text", "NUL and half characters cannot be kept")
    return text


def _line(text: str) -> str:
    if not is_line(text):
        raise PydanticCustomError("text", "Control characters and line breaks do not belong here")
    return text


def _name(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("required", "A name cannot be empty")
    return text


def _email(text: str) -> str:
    if not is_email(text):
        raise PydanticCustomError("email", "This is not an e-mail address such as name@example.com")
    return text


def _own_id(text: str) -> str:
    form = _OWN_ID.fullmatch(text)
    if form is None or len(form[1]) > LINE_MAX or not form[1].strip() or not is_line(form[1]):
        raise PydanticCustomError(
            "own_id",
            "A record is put under an id of your own: ext:<namespace>:<id>, the namespace of a-z, 0-9, _, . and -",
        )
    return text


def _until(until: int | None, info: ValidationInfo) -> int | None:
    since = info.data.get("since")
    if until is not None and since is not None and until <= since:
        raise PydanticCustomError("until", "A span ends later than it begins: `until` is not behind `since`")
    return until


def _country(text: str) -> str:
    if not text.isascii() or text.upper() not in countries.names():
        raise PydanticCustomError("country", "This is not an ISO 3166-1 alpha-2 country code such as DE")
    return text.upper()


def _currency(text: str) -> str:
    if not text.isascii() or text.upper() not in currencies.names():
        raise PydanticCustomError("currency", "This is not an ISO 4217 currency code such as EUR")
    return text.upper()


def _timezone(text: str) -> str:
    if text not in _timezones():
        raise PydanticCustomError("timezone", "This is not an IANA time zone such as Europe/Berlin")
    return text


def _web_url(text: str) -> str:
    if not is_web_url(text):
        raise PydanticCustomError("url", "This is not a full URL such as https://example.com/page")
    return text


def _app_url(text: str) -> str:
    scheme = scheme_of(text)
    if not scheme or scheme in _CODE_SCHEMES or not text[len(scheme) + 1 :]:
        raise PydanticCustomError("url", "This is not a full URL such as https://example.com/page or myapp://page")
    return text


def _instant(text: Any) -> int:
    try:
        at = times.parse(text)
    except (ValueError, TypeError, OverflowError):
        at = -1
    if at < 0:
        raise PydanticCustomError("time", "This is not an RFC 3339 time such as 2026-03-18T12:00:00Z")
    return at


def _free(value: Any) -> Any:
    _check_depth(value)
    try:
        size = len(msgspec.json.encode(value))
    except (UnicodeEncodeError, OverflowError):
        raise PydanticCustomError("text", "It holds half a character, or a number that JSON readers lose") from None
    if size > OBJECT_BYTES_MAX:
        raise PydanticCustomError("too_long", "It is larger than {max} bytes", {"max": OBJECT_BYTES_MAX})
    return value


def _check_depth(value: Any) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEPTH_MAX:
            raise PydanticCustomError("too_deep", "It is nested deeper than {max} levels", {"max": DEPTH_MAX})
        for one in level:
            _check_leaf(one)
        level = [inner for one in level for inner in _inside(one)]


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []


def _check_leaf(value: Any) -> None:
    if isinstance(value, str):
        _text(value)
    if isinstance(value, int) and abs(value) > WHOLE_MAX:
        raise PydanticCustomError(
            "number", "A number beyond 2^53 - 1 is not kept exactly by JSON readers; send it as text"
        )


@lru_cache(1)
def _timezones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


Text = Annotated[str, Field(max_length=TEXT_MAX), AfterValidator(_text)]
Line = Annotated[str, Field(max_length=LINE_MAX), AfterValidator(_line)]
Name = Annotated[str, Field(min_length=1, max_length=LINE_MAX), AfterValidator(_line), AfterValidator(_name)]
Lines = Annotated[list[Line], Field(max_length=LIST_MAX)]
Id = Annotated[str, Field(min_length=1, max_length=LINE_MAX), AfterValidator(_line)]
Email = Annotated[
    str, Field(max_length=EMAIL_MAX, examples=["kim@example.com"]), AfterValidator(_line), AfterValidator(_email)
]
Country = Annotated[str, Field(max_length=2, examples=["DE"]), AfterValidator(_country)]
Currency = Annotated[str, Field(max_length=3, examples=["EUR"]), AfterValidator(_currency)]
Timezone = Annotated[str, Field(max_length=64, examples=["Europe/Berlin"]), AfterValidator(_timezone)]
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$", examples=["en"])]
WebUrl = Annotated[str, Field(max_length=URL_MAX), AfterValidator(_line), AfterValidator(_web_url)]
AppUrl = Annotated[str, Field(max_length=URL_MAX), AfterValidator(_line), AfterValidator(_app_url)]
Percent = Annotated[float, Field(ge=0, le=PERCENT_MAX, allow_inf_nan=False)]
Whole = Annotated[int, Field(ge=0, le=WHOLE_MAX)]
Days = Annotated[int, Field(ge=0, le=DAYS_MAX)]
Decimal = Annotated[str, Field(pattern=r"^[0-9]{1,15}(\.[0-9]{1,4})?$", examples=["10.00"])]
"""A price as text, so that no reader rounds it."""
Instant = Annotated[
    int,
    PlainValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""RFC 3339 text outside, milliseconds inside."""
Until = Annotated[Instant | None, AfterValidator(_until)]
"""The end of a span that begins with the field `since`, which stands before it."""
Status = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$", examples=["active"])]
AccountStatus = Literal["pending", "active", "disabled", "suspicious", "rejected"]
Namespace = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]
ExternalIds = Annotated[dict[Namespace, Name], Field(max_length=EXTERNAL_IDS_MAX)]
ExternalIdsPatch = Annotated[dict[Namespace, Name | None], Field(max_length=EXTERNAL_IDS_MAX)]
OwnId = Annotated[
    str,
    Field(max_length=512, description="`ext:<namespace>:<id>`, the id by which another system knows the record."),
    AfterValidator(_own_id),
]
FreeObject = Annotated[dict[str, Any], BeforeValidator(_free)]
FreeList = Annotated[list[Any], BeforeValidator(_free)]
