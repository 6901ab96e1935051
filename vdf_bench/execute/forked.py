"""What the server imports that steps are forked from: whatever nearly every step needs, once for all of them.

Imported by that server alone. The commands are among it because a forked process first imports the program's main
module anew, and with it all of them.
"""

import gc
import importlib
import pkgutil

import numba  # noqa: F401
import scipy.ndimage  # noqa: F401
import torch  # noqa: F401

import vdf_bench.execute.worker
import vdf_bench.steps  # noqa: F401
from vdf_bench import commands

for _command in pkgutil.iter_modules(commands.__path__):
    importlib.import_module(f"{commands.__name__}.{_command.name}")

# Collected now and never looked at again: a collection in a forked process would touch, and so copy, all of it.
gc.collect()
gc.freeze()
