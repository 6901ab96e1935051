"""One step in a process of its own: read the inputs, compute, write the artifact with its cost."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING

from vdf_bench.errors import UserError
from vdf_bench.store import Artifact, Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from pathlib import Path

    from vdf_bench.plan import Step

#: What helps where memory is short.
FREE_MEMORY = "take fewer --jobs, fewer --frames or a smaller --size"


class MissingInputError(Exception):
    """An input was damaged and has been set aside; its step must run again."""


def run_step(step: Step, root: Path, report: Connection) -> None:
    """Entry of the worker process.

    Sends ``("progress", share done)`` now and then, and at the end ``("done" | "lost" | "user" | "bug", text)``.
    """
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what an interrupt means
    try:
        compute(step, Store(root), lambda share: report.send(("progress", f"{share:.6f}")))
        report.send(("done", ""))
    except MissingInputError as error:
        report.send(("lost", str(error)))
    except UserError as error:
        report.send(("user", str(error)))
    except MemoryError:
        report.send(("user", f"step '{step.label}' ran out of memory: {FREE_MEMORY}"))
    except Exception:
        report.send(("bug", traceback.format_exc()))
    finally:
        report.close()


def compute(step: Step, store: Store, tell: Callable[[float], None] | None = None) -> Artifact:
    """Run ``step`` here and put its artifact, with wall and CPU seconds and peak memory, into ``store``.

    Args:
        step: what to run.
        store: where its inputs are and its artifact goes; a step that takes long keeps its checkpoint there too.
        tell: called with the share that is done, by steps that know it.

    Raises:
        MissingInputError: an input is not in the store or was damaged.
        UserError: the step's input is unusable.
    """
    import torch

    from vdf_bench.plan import THREADS
    from vdf_bench.steps import STEPS

    torch.set_num_threads(THREADS)
    inputs = {}
    for role, key in step.inputs.items():
        found = store.get(key)
        if found is None:
            raise MissingInputError(key)
        inputs[role] = found
    wall, cpu = time.perf_counter(), _cpu_seconds()
    scratch = store.scratch(step.key)
    made = STEPS[step.name]({**step.params, **step.where, "scratch": scratch, "tell": tell}, inputs)
    cost = {
        "wall": time.perf_counter() - wall,
        "cpu": _cpu_seconds() - cpu,
        "peak_mib": max(resource.getrusage(who).ru_maxrss for who in _ALL) / 1024,
    }
    artifact = Artifact(made.arrays, {**made.meta, "cost": cost})
    store.put(step.key, artifact)
    scratch.unlink(missing_ok=True)
    return artifact


#: This process, and those that it started and waited for, such as an official system's training.
_ALL = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def _cpu_seconds() -> float:
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, _ALL))


def _die_with_parent() -> None:
    """Let the kernel end this process when the one that started it dies, so that a killed run leaves nothing behind."""
    if sys.platform == "linux":
        parent_death_signal = 1  # PR_SET_PDEATHSIG
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)
        if os.getppid() == 1:
            os._exit(1)
