"""The driver's end of a step's process: begin it, hear from it, end it.

A process of its own gives every step a clean memory reading and keeps a crash to itself. They are forked from a
server that has imported torch once (:mod:`vdf_bench.execute.forked`), so starting one is cheap.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import sys
import time
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import TYPE_CHECKING

from vdf_bench.execute.executor import Event
from vdf_bench.execute.worker import FREE_MEMORY, run_step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext

    from vdf_bench.execute.placement import Need
    from vdf_bench.plan import Step
    from vdf_bench.store import Store


def forkserver() -> BaseContext:
    """The context that steps are forked in."""
    # Threads of a step are part of its key; the environment must be set before the server imports numpy and torch.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"
    context = multiprocessing.get_context("forkserver")
    # What the driver has imported, so that it is imported once; the last one freezes them all.
    own = sorted(name for name in sys.modules if name.startswith("vdf_bench."))
    context.set_forkserver_preload([*own, "vdf_bench.execute.forked"])
    return context


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the program's main module, which a forked process would import anew: a script would run again in it."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


class Child:
    """One step in a process of its own.

    Args:
        step: what to run.
        store: where its inputs are and its artifact goes.
        need: its limits.
        gpu: the one device that it sees; None leaves it as it is.
        preload: modules that it imports first.
    """

    def __init__(
        self, step: Step, store: Store, need: Need, gpu: str | None = None, preload: tuple[str, ...] = ()
    ) -> None:
        self.step = step
        self._limit = need.limit
        self.deadline = time.monotonic() + need.limit
        context = forkserver()
        # Both ways: the child notices by its end when this process is no more.
        self.pipe, far = context.Pipe(duplex=True)
        arguments = (step, store, far, gpu, preload)
        self._process = context.Process(target=run_step, args=arguments, daemon=True)  # type: ignore[attr-defined]
        with _without_main():
            self._process.start()
        far.close()

    @property
    def pid(self) -> int:
        """Its process number."""
        return int(self._process.pid)

    def event(self) -> Event | None:
        """What it says, or what became of it; None where there is no news. After its last event it has ended."""
        key, label = self.step.key, self.step.label
        try:
            if self.pipe.poll():
                event: Event = self.pipe.recv()
                if event.what != "progress":
                    self.end()
                return event
        except (EOFError, OSError):  # it ended without a word
            self._process.join(1.0)
            code = self._process.exitcode
            self.end()
            if code == -signal.SIGKILL:
                return Event(key, "died", f"step '{label}' was killed, most likely for want of memory: {FREE_MEMORY}")
            return Event(key, "died", f"step '{label}': its process ended with exit code {code}")
        if time.monotonic() > self.deadline:
            self.end()
            text = f"step '{label}' did not end within {self._limit:.0f} s: it hangs, or give a longer --step-timeout"
            return Event(key, "failed", text, "time")
        return None

    def end(self) -> None:
        """Kill it, with all that it started, and wait until it is gone."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()
        self._process.join()
        self.pipe.close()


def news(children: list[Child], seconds: float) -> None:
    """Wait until one of ``children`` has news or reaches its deadline, but no longer than so many seconds."""
    from multiprocessing.connection import wait

    pipes: list[Connection] = [child.pipe for child in children]
    nearest = min((child.deadline for child in children), default=math.inf) - time.monotonic()
    wait(pipes, timeout=max(0.0, min(seconds, nearest + 0.01)))
