"""Runs a plan on this machine: one process a step, as many at once as ``jobs``.

A process of its own gives every step a clean memory reading and keeps a crash to itself. They are forked from a
server that has imported torch once, so starting one is cheap.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Protocol

from vdf_bench.errors import UserError
from vdf_bench.execute.worker import FREE_MEMORY, run_step

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from vdf_bench.plan import Plan, Step
    from vdf_bench.store import Store

#: Rough CPU seconds of a step at 128 px and 110 frames on one core: for the order of work and for the first estimate.
ROUGH_SECONDS = {
    "clip": 8.0,
    "protect": 30.0,
    "floor": 0.5,
    "purify": 3.0,
    "harden": 40.0,
    "capture": 6.0,
    "fit": 25.0,
    "drive": 5.0,
    "judge": 4.0,
}


class Watcher(Protocol):
    """Told what happens, for progress display."""

    def started(self, step: Step) -> None:
        """A step begins."""

    def progressed(self, step: Step, share: float) -> None:
        """A running step says what share of it is done."""

    def finished(self, step: Step, cached: bool) -> None:
        """A step is in the store."""


class StepFailedError(RuntimeError):
    """A step raised: a bug, with its traceback."""


@dataclass
class Tally:
    """What an execution did.

    Attributes:
        computed: keys computed now.
        cached: keys that were in the store already.
    """

    computed: list[str] = field(default_factory=list)
    cached: list[str] = field(default_factory=list)


def needed(plan: Plan, store: Store) -> list[Step]:
    """Steps to compute: every step of the plan that the store lacks, inputs first."""
    return [step for step in plan.steps.values() if not store.has(step.key)]


def remaining_path(plan: Plan, seconds: dict[str, float]) -> dict[str, float]:
    """For each key, seconds along the longest chain of steps that waits for it, itself included."""
    path = {key: seconds[key] for key in plan.steps}
    for key in reversed(list(plan.steps)):  # a plan lists inputs before what uses them
        for upstream in plan.steps[key].inputs.values():
            path[upstream] = max(path[upstream], seconds[upstream] + path[key])
    return path


def execute(plan: Plan, store: Store, jobs: int, seconds: dict[str, float], watcher: Watcher) -> Tally:
    """Compute what is missing, the longest remaining chain first.

    Args:
        plan: the DAG.
        store: where artifacts are looked for and put.
        jobs: steps at once.
        seconds: expected seconds by key; decides the order only.
        watcher: told of every step.

    Raises:
        UserError: a step's input is unusable.
        StepFailedError: a step raised, or its process died.
        KeyboardInterrupt: interrupted; finished steps stay in the store.
    """
    # Threads of a step are part of its key; the environment must be set before the server imports numpy and torch.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "numba", "vdf_bench.steps", "vdf_bench.execute.worker"])
    todo = {step.key: step for step in needed(plan, store)}
    tally = Tally(cached=[key for key in plan.steps if key not in todo])
    for key in tally.cached:
        watcher.finished(plan.steps[key], cached=True)
    urgency = remaining_path(plan, seconds)
    running: dict[str, tuple[BaseProcess, Connection]] = {}
    try:
        while todo or running:
            ready = [k for k, s in todo.items() if not any(i in todo or i in running for i in s.inputs.values())]
            for key in sorted(ready, key=lambda key: -urgency[key])[: max(0, jobs - len(running))]:
                step = todo.pop(key)
                receiver, sender = context.Pipe(duplex=False)
                process: BaseProcess = context.Process(target=run_step, args=(step, store.root, sender), daemon=True)
                process.start()
                sender.close()
                running[key] = (process, receiver)
                watcher.started(step)
            wait([receiver for _, receiver in running.values()])
            for key in [key for key, (_, receiver) in running.items() if receiver.poll()]:
                process, receiver = running[key]
                step = plan.steps[key]
                try:
                    verdict, text = receiver.recv()
                    if verdict == "progress":
                        watcher.progressed(step, float(text))
                        continue
                except EOFError:
                    process.join()
                    verdict, text = "bug", f"its process ended with exit code {process.exitcode}"
                    if process.exitcode == -signal.SIGKILL:
                        verdict, text = (
                            "user",
                            f"step '{step.label}' was killed, most likely for want of memory: {FREE_MEMORY}",
                        )
                del running[key]
                process.join()
                if verdict == "done":
                    tally.computed.append(key)
                    watcher.finished(step, cached=False)
                elif verdict == "lost":  # a damaged input was set aside: make it again, then this step
                    todo[key] = step
                    if text not in running and not store.has(text):
                        todo[text] = plan.steps[text]
                elif verdict == "user":
                    raise UserError(text)
                else:
                    raise StepFailedError(f"step '{step.label}' failed: {text}")
    finally:
        for survivor, _ in running.values():
            survivor.kill()
            survivor.join()
    return tally
