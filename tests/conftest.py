"""What every test shares: one seeded hypothesis profile, and pictures without windows or traces."""

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

os.environ["MPLBACKEND"] = "Agg"

settings.register_profile("gmm1d", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("gmm1d")


@pytest.fixture(autouse=True)
def _closed_figures() -> Iterator[None]:
    """Close what a test drew through pyplot, which keeps every figure until it is told not to."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Start a real browser for the pages of a module; its event loop would disturb other modules."""
    from browser import chromium

    with chromium() as running:
        yield running
