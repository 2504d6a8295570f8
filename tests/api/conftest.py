"""Fixtures of the API's tests."""

import pytest
from office import open_office


@pytest.fixture
def office():
    office = open_office()
    yield office
    office.desk.store._engine.close()


@pytest.fixture
def admin(office):
    return office.admin
