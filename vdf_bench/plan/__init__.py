"""From a request to a matrix of cells, and from the cells to a DAG of keyed steps.

A step's key is the SHA-256 of its name, its parameters, the keys of its inputs and the digest of the code and weights
behind it. Equal keys are one step, whoever asks for it.
"""

from vdf_bench.plan.builder import build_plan
from vdf_bench.plan.graph import Arm, Cell, Plan, Step
from vdf_bench.plan.request import DRIVES, TARGETS, Request

__all__ = [
    "DRIVES", "TARGETS",
    "Arm", "Cell", "Plan", "Request", "Step", "build_plan",
]  # fmt: skip
