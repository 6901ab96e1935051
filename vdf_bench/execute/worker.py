"""One step in a process of its own: read the inputs, compute, write the artifact with its cost."""

from __future__ import annotations

import ctypes
import importlib
import os
import resource
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING

from vdf_bench.core.artifact import Artifact
from vdf_bench.core.errors import StoreError, UserError
from vdf_bench.execute.executor import Event
from vdf_bench.stages import perform

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from vdf_bench.plan import Step
    from vdf_bench.store import Store

#: What helps where memory is short.
FREE_MEMORY = "take fewer --jobs, fewer --frames or a smaller --size"


class MissingInputError(Exception):
    """An input was damaged and has been set aside; its step must run again."""


def run_step(
    step: Step, store: Store, report: Connection, gpu: str | None = None, preload: tuple[str, ...] = ()
) -> None:
    """Entry of the worker process: sends events, the last of which says how the step ended.

    Args:
        step: what to run.
        store: where its inputs are and its artifact goes.
        report: to the driver.
        gpu: the one device that this process shall see; None leaves it as it is.
        preload: modules to import first.
    """
    if hasattr(os, "setpgrp"):
        os.setpgrp()  # what the step starts can be ended with it
    _die_with_driver(report)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what an interrupt means
    if gpu is not None:  # torch looks when the first tensor goes there
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    event = outcome(step, store, lambda share: report.send(Event(step.key, "progress", f"{share:.6f}")), 0.0, preload)
    report.send(event)


def outcome(
    step: Step, store: Store, tell: Callable[[float], None], since: float | None = None, preload: tuple[str, ...] = ()
) -> Event:
    """Run a step; how it ended.

    Args:
        step: what to run.
        store: where its inputs are and its artifact goes.
        tell: called with the share that is done.
        since: reading of this process's CPU time from which the step is charged; None takes now.
        preload: modules to import first.
    """
    since = _cpu_seconds() if since is None else since
    try:
        for module in preload:
            importlib.import_module(module)
        compute(step, store, tell)
    except MissingInputError as error:
        return Event(step.key, "input", str(error))
    except StoreError as error:
        return Event(step.key, "fatal", str(error))
    except UserError as error:
        return Event(step.key, "failed", str(error), "unusable")
    except MemoryError:
        return Event(step.key, "failed", f"step '{step.label}' ran out of memory: {FREE_MEMORY}", "memory")
    except Exception:
        return Event(step.key, "failed", traceback.format_exc(), "raised")
    return Event(step.key, "done", f"{_cpu_seconds() - since:.6f}")


def compute(step: Step, store: Store, tell: Callable[[float], None] | None = None) -> Artifact:
    """Run ``step`` here and put its artifact, with wall and CPU seconds and peak memory, into ``store``.

    Args:
        step: what to run.
        store: where its inputs are and its artifact goes; a step that takes long keeps its checkpoint there too.
        tell: called with the share that is done, by steps that know it.

    Raises:
        MissingInputError: an input is not in the store or was damaged.
        UserError: the step's input is unusable.
        StoreError: the store cannot be written, or does not answer.
    """
    inputs = {}
    for role, key in step.inputs.items():
        found = store.get(key)
        if found is None:
            raise MissingInputError(key)
        inputs[role] = found
    wall, cpu = time.perf_counter(), _cpu_seconds()
    scratch = store.scratch(step.key)
    made = perform(step.name, {**step.params, **step.where, "scratch": scratch, "tell": tell}, inputs)
    cost = {
        "wall": time.perf_counter() - wall,
        "cpu": _cpu_seconds() - cpu,
        "peak_mib": max(resource.getrusage(who).ru_maxrss for who in _ALL) / 1024,
    }
    artifact = Artifact(made.arrays, {**made.meta, "cost": cost, "made": {"step": step.name, "label": step.label}})
    store.put(step.key, artifact)
    scratch.unlink(missing_ok=True)
    return artifact


#: This process, and those that it started and waited for, such as an official system's training.
_ALL = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def _cpu_seconds() -> float:
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, _ALL))


def _die_with_driver(report: Connection) -> None:
    """End this process and all that it started when the driver is no more, however it ended."""

    def watch() -> None:
        with suppress(EOFError, OSError):
            report.recv_bytes()  # nothing ever comes this way but the end
        if hasattr(os, "killpg"):
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, name="driver watch", daemon=True).start()
    if sys.platform == "linux":  # also where this process holds the interpreter's lock for long
        parent_death_signal = 1  # PR_SET_PDEATHSIG
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)
        if os.getppid() == 1:
            os._exit(1)
