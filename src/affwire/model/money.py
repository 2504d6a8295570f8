"""Amounts: integer minor units (cents) beside an ISO 4217 currency code. Never a float.

A price text ("10.00") stays the text its writer chose; it is checked at the door and passed on as it is.
"""

from typing import Final

MINOR_UNITS_MAX: Final = 9_007_199_254_740_991
"""2^53 - 1: the largest amount that every JSON reader keeps exactly (RFC 8259, section 6)."""
