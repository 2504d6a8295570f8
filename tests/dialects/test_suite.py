"""Every dialect that is found, through the suite that a third party's dialect goes through as well."""

import pytest

from affwire.plugins import load_dialects
from affwire.testing import dialect_suite

DIALECTS = load_dialects()


@pytest.mark.slow
@pytest.mark.parametrize("check", dialect_suite.CHECKS, ids=dialect_suite.name)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dialect_keeps_its_contract(dialect, check):
    check(DIALECTS[dialect])
