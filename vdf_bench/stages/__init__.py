"""The arrows of the story, one module each: clip, protect, purify, capture, fit, drive, judge.

Each module has a function ``run(params, inputs)``: a pure function of its parameters and of the artifacts of the steps
before it. Nothing else may influence the result: what it reads must be in its key (:mod:`vdf_bench.plan.keys`). Beside
its parameters a step finds what its worker offers: ``scratch``, a file for checkpoints, and ``tell``, which takes the
share that is done.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from vdf_bench.core.determinism import deterministic

if TYPE_CHECKING:
    from vdf_bench.core.artifact import Artifact

Params = dict[str, Any]
Inputs = dict[str, "Artifact"]
#: Torch and BLAS threads of every step; in the key, because sums depend on it.
THREADS = 1


def modules() -> list[str]:
    """Every module of a step."""
    return [f"{__name__}.{module.name}" for module in iter_modules(__path__)]


def perform(stage: str, params: Params, inputs: Inputs) -> Artifact:
    """Carry out the step that ``vdf_bench.stages.STAGE`` describes, in this process."""
    import torch

    torch.set_num_threads(THREADS)
    with deterministic(params.get("device", "cpu") != "cpu"):
        made: Artifact = import_module(f"{__name__}.{stage}").run(params, inputs)
    return made
