"""Fixtures of the door's tests."""

import pytest
from gate import Gate


@pytest.fixture
def gate():
    return Gate()
