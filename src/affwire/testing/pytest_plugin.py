"""Fixtures for the tests of a receiver: genuine requests of every dialect, and their nearest forgeries.

    pytest_plugins = ["affwire.testing.pytest_plugin"]    # in the conftest.py beside pytest's rootdir

Nothing is loaded unless a project enables it so.
"""

from collections.abc import Callable

import pytest

from affwire.testing import genuine
from affwire.testing.vectors import Vector, load


@pytest.fixture(name="affwire_request")
def request_of_a_dialect() -> Callable[..., genuine.Signed]:
    """Make genuine requests: `affwire_request(dialect, word=None, secret=None, at=None, options=None, **changes)`.

    A request unpacks as `headers, body, secret`; `.tampered()`, `.forged()`, `.unsigned()`, `.stale()` and `.repeated()`
    are what a receiver must tell from it. See affwire.testing.genuine.
    """
    return genuine.request


@pytest.fixture(name="affwire_vectors")
def golden_vectors() -> Callable[..., tuple[Vector, ...]]:
    """Load the golden vectors of a dialect: `affwire_vectors("rewardful")`."""
    return load


@pytest.fixture(name="affwire_refuses")
def refuses() -> Callable[[Callable[..., int], genuine.Signed], None]:
    """Assert that a receiver takes a genuine request and none of its forgeries: `affwire_refuses(post, signed)`.

    `post(headers, body)` returns the status that the receiver answers.
    """
    return _demand_refusal


def _demand_refusal(post: Callable[..., int], signed: genuine.Signed) -> None:
    if not _is_success(post(signed.headers, signed.body)):
        raise AssertionError("the receiver refuses a genuine request")
    for name, wrong in signed.forgeries().items():
        status = post(wrong.headers, wrong.body)
        if _is_success(status):
            raise AssertionError(f"the receiver takes a request that is {name}: it answered {status}")


def _is_success(status: int) -> bool:
    return status in range(200, 300)
