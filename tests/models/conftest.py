"""Rendered people that no shipped network has seen."""

import pytest

from vdf_bench.training.common import UNSEEN
from vdf_bench.training.data import render_views


@pytest.fixture(scope="session")
def unseen():
    """Four views of each of six people, from the far end of the range that the cards' gates were measured on."""
    return render_views(UNSEEN[-6:], 4, 128, 0.5, workers=1)
