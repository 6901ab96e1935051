"""What the server imports that steps are forked from: whatever nearly every step needs, once for all of them.

Imported by that server alone, after the modules that the driver itself has.
"""

import gc

import numba  # noqa: F401
import scipy.ndimage  # noqa: F401
import torch  # noqa: F401

import vdf_bench.capture.pipeline
import vdf_bench.execute.worker
import vdf_bench.parsers.network  # noqa: F401

# Collected now and never looked at again: a collection in a forked process would touch, and so copy, all of it.
gc.collect()
gc.freeze()
