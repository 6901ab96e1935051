"""What the harness itself costs beside the steps: measured while it plans and while it executes real ones.

CPU seconds are compared wherever it can be, since wall time on a machine that others use says little.
"""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vdf_bench.execute.costs import Expected
    from vdf_bench.execute.executor import Failure
    from vdf_bench.execute.schedule import Tally
    from vdf_bench.plan import Plan, Request, Step
    from vdf_bench.store import Store


@dataclass(frozen=True)
class Planned:
    """How long planning took: ``seconds`` of CPU time and ``mib`` of memory for so many cells and steps."""

    cells: int
    steps: int
    seconds: float
    mib: float


def measure_planning(cells: int) -> Planned:
    """Plan a matrix of about so many cells: three defenses, a control, three victims, purifiers as many as it takes."""
    from vdf_bench.attackers.attacker import every_attacker
    from vdf_bench.core.budget import Budget
    from vdf_bench.plan import Request, build_plan
    from vdf_bench.plan.presets import preset

    # An attacker adds a clean cell and one for each of three defenses and a control at three budgets: 13, for each
    # of three victims, two seeds and four clips.
    count = max(1, round(cells / (13 * 3 * 2 * 4)))
    chains = ["identity", *(f"jpeg:{5 + k % 95}+gamma:{1 + 0.01 * (k // 95):.2f}" for k in range(count - 1))]
    request = Request(
        preset("standard"),
        ("vdf", "pgd", "mifgsm"),
        ("gaussian", "hashgrid", "triplane"),
        every_attacker(chains, ["builtin"]),
        clips=("synth-a", "synth-b", "synth-c", "synth-d"),
        budgets=Budget.parse_all("linf=4,8,12.75"),
        seeds=(0, 1),
    )
    build_plan(_first_attacker(request))  # imports and digests of code are paid once, by any plan
    begun = time.process_time()
    plan = build_plan(request)
    seconds = time.process_time() - begun
    return Planned(len(plan.cells), len(plan.steps), seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _first_attacker(request: Request) -> Request:
    from dataclasses import replace

    return replace(request, attackers=request.attackers[:1])


@dataclass
class Log:
    """A watcher that keeps when steps began and ended, by the monotonic clock."""

    begun: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)

    def started(self, step: Step, worker: str) -> None:
        """A step begins."""
        del worker
        self.begun[step.key] = time.monotonic()

    def progressed(self, step: Step, share: float) -> None:
        """A running step says what share of it is done."""

    def finished(self, step: Step, cached: bool) -> None:
        """A step is in the store."""
        del cached
        self.ended[step.key] = time.monotonic()

    def failed(self, step: Step, failure: Failure) -> None:
        """A step will not be in the store."""


@dataclass(frozen=True)
class Measured:
    """An execution of a plan.

    Attributes:
        wall: seconds.
        step_cpu: CPU seconds within steps, as their artifacts tell.
        overhead: CPU seconds beside: starting processes, reading and writing artifacts, deciding what is next.
        waited: worker seconds without a step although one could have begun.
        forced: worker seconds without a step because all that was left waited for a running one.
    """

    workers: int
    wall: float
    step_cpu: float
    overhead: float
    waited: float
    forced: float

    @property
    def overhead_share(self) -> float:
        """Of all CPU time, what is no step's."""
        return self.overhead / (self.overhead + self.step_cpu)

    @property
    def kept_busy(self) -> float:
        """Of the worker seconds in which there was work, those that were worked in."""
        had = self.workers * self.wall - self.forced
        return 1 - self.waited / had


def measure_execution(plan: Plan, store: Store, workers: int, seconds: Mapping[str, float]) -> Measured:
    """Execute ``plan`` into an empty store with so many local workers, and see where the time goes.

    It pays for a server of its own that steps are forked from, as every run does.
    """
    from vdf_bench.execute.executor import Resources
    from vdf_bench.execute.schedule import execute

    _stop_server()
    log = Log()
    begun = time.monotonic()
    tally: Tally = execute(plan, store, Resources(workers), seconds, log)
    wall = time.monotonic() - begun
    step_cpu = sum(float((store.meta(key) or {})["cost"]["cpu"]) for key in tally.computed)
    waited, forced = idle(plan, log, workers, begun, begun + wall)
    beside = tally.worker_cpu + tally.driver_cpu + _server_cpu() - step_cpu
    return Measured(workers, wall, step_cpu, beside, waited, forced)


@dataclass(frozen=True)
class Foretold:
    """What was expected of an execution against what it took, as ratios: 2 is twice as much as it took.

    Attributes:
        wall: of the whole.
        cpu: CPU time of cells, least and most.
        memory: peak memory of cells, least and most.
    """

    wall: float
    cpu: tuple[float, float]
    memory: tuple[float, float]


def compare_forecast(plan: Plan, costs: Mapping[str, Expected], store: Store, measured: Measured) -> Foretold:
    """Hold a forecast to an execution that began with nothing in the store.

    Args:
        plan: what was executed.
        costs: what was expected of every step.
        store: where the artifacts are, which tell what they cost.
        measured: the execution.
    """
    from vdf_bench.execute.costs import Expected
    from vdf_bench.execute.forecast import cell_forecasts, makespan

    took = {key: (store.meta(key) or {})["cost"] for key in plan.steps}
    true = {key: Expected(cost["cpu"], cost["peak_mib"], True) for key, cost in took.items()}
    forecasts, came = (
        {id(forecast.cell): forecast for forecast in cell_forecasts(plan, each, set(plan.steps))}
        for each in (costs, true)
    )
    inputs = {key: list(step.inputs.values()) for key, step in plan.steps.items()}
    wall = makespan(list(plan.steps), inputs, {key: cost.seconds for key, cost in costs.items()}, measured.workers)
    cpu = [forecast.seconds / came[cell].seconds for cell, forecast in forecasts.items()]
    memory = [forecast.mib / came[cell].mib for cell, forecast in forecasts.items()]
    return Foretold(wall / measured.wall, (min(cpu), max(cpu)), (min(memory), max(memory)))


def _server() -> Any:
    from multiprocessing import forkserver

    return vars(forkserver).get("_forkserver")


def _stop_server() -> None:
    """End the process that steps are forked from; the next step starts another."""
    stop = getattr(_server(), "_stop", None)
    if stop is not None:
        stop()


def _server_cpu() -> float:
    """CPU seconds of the process that steps are forked from: mostly the import of torch, once; 0 before it runs."""
    import os
    from pathlib import Path

    pid = getattr(_server(), "_forkserver_pid", None)
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle(plan: Plan, log: Log, workers: int, begin: float, end: float) -> tuple[float, float]:
    """Worker seconds without a step, with and without one that could have begun.

    Args:
        plan: whose steps were executed, all of them.
        log: when.
        workers: how many.
        begin: from which moment.
        end: until which moment.
    """
    changes: list[tuple[float, int, int]] = []  # moment, change of steps that run, change of steps that could begin
    for key, step in plan.steps.items():
        open_since = max((log.ended[upstream] for upstream in step.inputs.values()), default=begin)
        changes += [(open_since, 0, 1), (log.begun[key], 1, -1), (log.ended[key], -1, 0)]
    waited = forced = 0.0
    running = could = 0
    last = begin
    for moment, run, ready in [*sorted(changes), (end, 0, 0)]:
        free = max(0, workers - running)
        lost = min(free, max(0, could))
        waited += lost * (moment - last)
        forced += (free - lost) * (moment - last)
        running, could, last = running + run, could + ready, moment
    return waited, forced
