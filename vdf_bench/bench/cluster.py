"""A large matrix played through on a cluster: what takes how long, and what the run waits for."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vdf_bench.store import Store


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


#: Rough MiB of each kind of artifact of the standard preset, where no store tells.
SIZES = {"clip": 14.0, "protect": 5.2, "purify": 5.2, "capture": 20.0, "fit": 1.4, "drive": 4.1, "judge": 0.01}
#: CPU seconds of the driver for a planned cell, for a step begun and heard from, and for a cell's rows, costs and
#: share of the report, as measured: ``docs/performance.md``.
DRIVER = {"plan": 2.5e-4, "step": 4e-3, "collect": 2e-3}
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
        costs: kind of step -> CPU seconds, such as :data:`vdf_bench.execute.costs.ROUGH_SECONDS`.
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
