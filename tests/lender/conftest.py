"""What the tests of the lender ask for by name."""

import pytest
from tests.lender.atm_at_hand import open_atm


@pytest.fixture
def atm(tmp_path):
    """Give a lender with machines, opened for one test."""
    opened = open_atm(tmp_path)
    yield opened
    opened.close()
