"""Shared by all tests."""

from __future__ import annotations

import os

import pytest

# Steps run with one thread; tests do too, so that workers of a parallel run do not fight over cores.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")


@pytest.fixture
def one_thread():
    """Torch computes with one thread, whatever the environment or another test said."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
