"""affwire: the wire between affiliate programs and everything that must know about them.

Importing it costs nothing. A dialect of one's own builds on affwire.dialects.base and is proven by affwire.testing.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
