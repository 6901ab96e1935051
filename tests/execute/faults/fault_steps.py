"""Steps that cost nothing and fail in every way. A worker imports this module, which puts them beside the real ones.

``add`` sums its inputs and its number; the others do one wrong thing, some of them only until a file is there.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from vdf_bench.core.artifact import Artifact
from vdf_bench.core.errors import UserError
from vdf_bench.plan import Plan, Step


def add(params, inputs):
    time.sleep(params.get("seconds", 0.0))
    total = params["n"] + sum(int(artifact.arrays["sum"]) for artifact in inputs.values())
    return Artifact({"sum": np.array(total)}, {"rows": [total]})


def tell(params, inputs):
    for share in params["shares"]:
        params["tell"](share)
    return add(params, inputs)


def once(params, harm):
    """Do harm the first time; the marker says that it was done."""
    marker = Path(params["marker"])
    if not marker.exists():
        marker.touch()
        harm()


def kill_once(params, inputs):
    once(params, lambda: os.kill(os.getpid(), signal.SIGKILL))
    return add(params, inputs)


def orphan_once(params, inputs):
    """Kill the process that runs this one for the driver, above the server that it was forked from."""
    above = int(Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[1])
    once(params, lambda: (os.kill(above, signal.SIGKILL), time.sleep(3600)))
    return add(params, inputs)


def killed(params, inputs):
    os.kill(os.getpid(), signal.SIGKILL)


def hang(params, inputs):
    time.sleep(3600)


def raise_(params, inputs):
    raise ZeroDivisionError("a bug")


def unusable(params, inputs):
    raise UserError("no face in it")


def greedy(params, inputs):
    limit = 8 << 30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    return Artifact({"x": np.ones(limit, np.float64)}, {})


def fork(params, inputs):
    """Start a process that outlives it, unless it is ended with it."""
    import subprocess

    sleeper = subprocess.Popen(["sleep", "3600"])
    Path(params["marker"]).write_text(f"{os.getpid()} {sleeper.pid}")
    time.sleep(3600)


def inherit(params, inputs):
    """How many objects it has from the server that it was forked from."""
    return Artifact({"sum": np.array(gc.get_freeze_count())}, {})


STEPS = {
    "add": add, "kill-once": kill_once, "killed": killed, "hang": hang, "raise": raise_, "unusable": unusable,
    "greedy": greedy, "fork": fork, "tell": tell, "orphan-once": orphan_once,
    "inherit": inherit,
}  # fmt: skip
sys.modules |= {f"vdf_bench.stages.{name}": SimpleNamespace(run=step) for name, step in STEPS.items()}


def chains(count, length, seconds=0.0):
    """So many chains of ``add``, all after one common step, summed up in the end; the plan and the last key."""
    plan = Plan()
    first = plan.add(Step("add", "common", {"n": 1, "seconds": seconds}, {}, ""))
    ends = []
    for k in range(count):
        key = first
        for i in range(length):
            step = Step("add", f"chain {k}, link {i}", {"n": 10 * k + i, "seconds": seconds}, {"before": key}, "")
            key = plan.add(step)
        ends.append(key)
    last = plan.add(Step("add", "sum", {"n": 0}, {f"end.{k}": key for k, key in enumerate(ends)}, ""))
    return plan, last
