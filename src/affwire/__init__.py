"""affwire: the wire between affiliate programs and everything that must know about them.

Importing it costs nothing: what it offers is loaded when it is first named. A dialect of one's own builds on
affwire.dialects.base and is proven by affwire.testing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from affwire.errors import AffwireError, NotGenuine, Undecodable
    from affwire.receiving import Received, receive

__all__ = ["AffwireError", "NotGenuine", "Received", "Undecodable", "__version__", "receive"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load what is named for the first time."""
    if name in {"Received", "receive"}:
        return getattr(import_module("affwire.receiving"), name)
    if name in {"AffwireError", "NotGenuine", "Undecodable"}:
        return getattr(import_module("affwire.errors"), name)
    raise AttributeError(f"module 'affwire' has no attribute {name!r}")
