"""What the tests share: the book's data, and its build tools on the path."""

import sys
from pathlib import Path

import matplotlib as mpl
import pytest

from helpers import data, plots

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
mpl.use("agg")


@pytest.fixture(scope="session")
def visits():
    plots.use_book_style()
    return data.standardize(data.load_bounce_times(), "age")


@pytest.fixture(scope="session")
def scale(visits):
    return data.scale_of(visits, "age")


@pytest.fixture
def small(visits):
    """A few rows of every county: enough to sample from, quick to fit."""
    return visits.groupby("county", observed=True).head(7)
