"""Countries: ISO 3166-1 alpha-2 codes and their English names."""

from collections.abc import Mapping
from functools import lru_cache

import pycountry


@lru_cache(1)
def names() -> Mapping[str, str]:
    """Return every country's name by its code, in order of the names."""
    found = ((country.alpha_2, country.name) for country in pycountry.countries)
    return dict(sorted(found, key=lambda one: one[1]))
