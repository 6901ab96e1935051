"""What the harness itself costs, and how far it carries: measured on cheap and on real steps, and played through.

CPU seconds are compared wherever it can be, since wall time on a machine that others use says little.
"""

from __future__ import annotations

import heapq
import resource
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    from vdf_bench.budget import Budget
    from vdf_bench.plan import Request, build_plan, every_attacker
    from vdf_bench.presets import preset

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
    """Execute ``plan`` into an empty store with so many local workers, and see where the time goes."""
    from vdf_bench.execute.executor import Means
    from vdf_bench.execute.schedule import execute

    log = Log()
    begun, server = time.monotonic(), _server_cpu()
    tally: Tally = execute(plan, store, Means(workers), seconds, log)
    wall = time.monotonic() - begun
    step_cpu = sum(float((store.meta(key) or {})["cost"]["cpu"]) for key in tally.computed)
    waited, forced = idle(plan, log, workers, begun, begun + wall)
    beside = tally.worker_cpu + tally.driver_cpu + _server_cpu() - server - step_cpu
    return Measured(workers, wall, step_cpu, beside, waited, forced)


def _server_cpu() -> float:
    """CPU seconds of the process that steps are forked from: mostly the import of torch, once; 0 before it runs."""
    import os
    from multiprocessing import forkserver
    from pathlib import Path

    pid = getattr(vars(forkserver).get("_forkserver"), "_forkserver_pid", None)
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


@dataclass(frozen=True)
class Simulated:
    """A matrix played through on a cluster.

    Attributes:
        cells, steps: of the matrix.
        workers: steps at once.
        hours: until the last cell ends, if workers were all there is.
        cpu_hours: of all steps.
        longest: hours of the longest chain: no cluster is faster.
        terabytes: read and written to the store.
        limits: what else takes time -> hours that it alone would take; the largest is the bottleneck.
    """

    cells: int
    steps: int
    workers: int
    hours: float
    cpu_hours: float
    longest: float
    terabytes: float
    limits: dict[str, float]

    @property
    def bottleneck(self) -> str:
        """What the run waits for."""
        return max(self.limits, key=lambda name: self.limits[name])


#: Rough CPU seconds and MiB of each kind of step of the standard preset, where no store tells.
COSTS = {"clip": 8.0, "protect": 30.0, "purify": 3.0, "capture": 6.0, "fit": 25.0, "drive": 5.0, "judge": 4.0}
SIZES = {"clip": 6.0, "protect": 5.5, "purify": 5.5, "capture": 10.0, "fit": 1.0, "drive": 3.0, "judge": 0.1}
#: CPU seconds of the driver for a planned cell, for a step begun and heard from, and for a cell's rows, costs and
#: share of the report, as measured: ``docs/performance.md``.
DRIVER = {"plan": 2.5e-4, "step": 4e-3, "collect": 5e-3}
#: How a large matrix is made up: so many seeds, budgets and defenses, clean arm included; clips and attackers grow.
SEEDS, BUDGETS, DEFENSES, VICTIMS = 3, 4, 8, 3


def simulate(
    cells: int,
    nodes: int,
    cores: int,
    costs: Mapping[str, float],
    sizes: Mapping[str, float],
    driver: Mapping[str, float],
    gigabit: float = 10.0,
) -> Simulated:
    """Play a matrix through: list scheduling of every shared step and every cell's own chain, the longest first.

    Args:
        cells: of the matrix.
        nodes: of the cluster.
        cores: of a node; each is a worker.
        costs: kind of step -> CPU seconds.
        sizes: kind of step -> MiB of its artifact.
        driver: CPU seconds of the driver: ``plan`` a cell, ``step`` a step, ``collect`` a cell.
        gigabit: of the store's network, in all.
    """
    published = 1 + DEFENSES * BUDGETS
    blocks = max(1, round(cells / (published * VICTIMS)))  # a clip, a seed and an attacker
    clips = max(1, round((blocks / SEEDS) ** 0.5))
    attackers = max(1, round(blocks / (clips * SEEDS)))
    chain = costs["fit"] + costs["drive"] + costs["judge"]
    seen = costs["purify"] + costs["capture"] + costs["judge"]
    # Workers as a heap of the moments when they are free; work is begun in the order of the chain behind it.
    workers = nodes * cores
    free = [0.0] * min(workers, cells * 4)
    heapq.heapify(free)
    ready: list[tuple[float, float]] = []  # when captures are there, for every protected clip and attacker
    for _ in range(clips * SEEDS):
        loaded = heapq.heapreplace(free, free[0] + costs["clip"] / SEEDS)
        loaded += costs["clip"]
        for k in range(published):
            begun = max(loaded, free[0])
            protected = begun + (costs["protect"] if k else 0.0)
            heapq.heapreplace(free, protected)
            ready += [(protected, seen)] * attackers
    ready.sort()
    captured = []
    for moment, seconds in ready:
        ended = max(moment, free[0]) + seconds
        heapq.heapreplace(free, ended)
        captured.append(ended)
    end = max(captured)
    for moment in captured:
        for _ in range(VICTIMS):
            ended = max(moment, free[0]) + chain
            heapq.heapreplace(free, ended)
            end = max(end, ended)
    made = len(captured) * VICTIMS
    counts = {"clip": clips, "protect": clips * SEEDS * (published - 1), "purify": len(captured)}
    counts |= {"capture": len(captured), "fit": made, "drive": made, "judge": made + len(captured)}
    steps = sum(counts.values())
    cpu = sum(counts[name] * costs[name] for name in counts)
    # What every kind of step reads: see vdf_bench.plan.
    reads = {"protect": ("clip",), "purify": ("clip", "protect"), "capture": ("clip", "purify"), "fit": ("capture",)}
    reads |= {"drive": ("fit", "capture", "capture")}
    reads |= {"judge": ("clip", "protect", "purify", "capture", "capture", "fit", "drive", "drive")}
    mib = sum(n * (sizes[k] + sum(sizes[name] for name in reads.get(k, ()))) for k, n in counts.items())
    gets = sum(n * (1 + len(reads.get(k, ()))) for k, n in counts.items())
    limits = {
        "workers": end,
        "store's network": mib * 2**20 * 8 / (gigabit * 1e9),
        "store's requests (3500 a second)": (gets + 3 * steps) / 3500,
        "the one driver": made * driver["plan"] + steps * driver["step"] + made * driver["collect"],
    }
    longest = costs["clip"] + costs["protect"] + seen + chain
    hours = {name: seconds / 3600 for name, seconds in limits.items()}
    return Simulated(made, steps, workers, end / 3600, cpu / 3600, longest / 3600, mib / 2**20, hours)


def recorded(store: Store) -> tuple[dict[str, float], dict[str, float], dict[str, Any]]:
    """Mean CPU seconds and MiB of every kind of step in a store, and how many artifacts they rest on."""
    from vdf_bench.store.care import contents

    found = contents(store)
    costs = {step: kept.cpu / kept.count for step, kept in found.items()}
    sizes = {step: kept.size / 2**20 / kept.count for step, kept in found.items()}
    return costs, sizes, {step: kept.count for step, kept in found.items()}
