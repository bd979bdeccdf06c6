import pytest

from simulated import simulate


@pytest.fixture
def few():
    return simulate([4, 1, 3, 5], slope_sd=3.0)
