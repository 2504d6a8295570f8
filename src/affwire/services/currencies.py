"""Currencies: ISO 4217 codes and their English names."""

from collections.abc import Mapping
from functools import lru_cache

import pycountry


@lru_cache(1)
def names() -> Mapping[str, str]:
    """Return every currency's name by its code, in order of the codes."""
    return {currency.alpha_3: currency.name for currency in sorted(pycountry.currencies, key=lambda one: one.alpha_3)}
