"""What every request body has in common: unknown fields are refused, nothing is converted, and what was sent is told apart."""

from typing import Any

from pydantic import BaseModel, ConfigDict


def _without_defaults(schema: dict[str, Any]) -> None:
    """A field left out of a PATCH stays as it is: its default at creation would tell a reader otherwise."""
    schema.pop("required", None)
    for described in schema["properties"].values():
        described.pop("default", None)


class Body(BaseModel):
    """A request body. Strict: "5" is no number, 1 is no true."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    def sent(self, *without: str) -> dict[str, Any]:
        """Return the fields that were sent; the record's own defaults stand for the others."""
        return self.model_dump(exclude_unset=True, exclude=set(without))


class Patch(Body):
    """A JSON Merge Patch (RFC 7396): fields that are not sent stay as they are; null only where a field may be null."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)


class NoFields(Body):
    """The body of an action that takes none."""
