"""Shared by all tests."""

from __future__ import annotations

import os

# Steps run with one thread; tests do too, so that workers of a parallel run do not fight over cores.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
