"""The pages, one module per noun. A module has ROUTES, and NAV where it is found from everywhere; a new one joins the line."""

from types import ModuleType
from typing import Final

from affwire.console.pages import (
    affiliate,
    affiliates,
    applications,
    deliveries,
    delivery,
    endpoint,
    endpoint_settings,
    endpoints,
    events,
    home,
    jobs,
    inbox,
    keys,
    mails,
    message,
    organization,
    programs,
    search,
    signing_in,
    sources,
    system,
    users,
)

MODULES: Final[tuple[ModuleType, ...]] = (
    signing_in,
    applications,
    search,
    home,
    programs,
    affiliates,
    affiliate,
    deliveries,
    delivery,
    endpoints,
    endpoint_settings,
    jobs,
    endpoint,
    events,
    sources,
    inbox,
    message,
    organization,
    users,
    keys,
    mails,
    system,
)
"""In the order of the navigation."""
