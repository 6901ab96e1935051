"""What a run will take before it is begun: a plan played through with what its steps are expected to cost."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vdf_bench.core.text import duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from vdf_bench.execute.costs import Expected
    from vdf_bench.plan import Cell, Plan
    from vdf_bench.plan.run import Run

#: Rows of a printed plan: cells, then steps; what is beyond is summed up.
ROWS = 40


def makespan(
    order: Sequence[str], inputs: Mapping[str, Sequence[str]], seconds: Mapping[str, float], workers: int
) -> float:
    """Seconds until the last of these steps ends, if so many workers always take the one with the longest chain.

    Args:
        order: keys, inputs first.
        inputs: of every key, those of ``order`` that it waits for.
        seconds: of every key.
        workers: steps at once.
    """
    path = {key: seconds[key] for key in order}
    behind: dict[str, list[str]] = {key: [] for key in order}
    missing_inputs = dict.fromkeys(order, 0)
    for key in reversed(order):
        for upstream in inputs[key]:
            path[upstream] = max(path[upstream], seconds[upstream] + path[key])
            behind[upstream].append(key)
            missing_inputs[key] += 1
    ready = [(-path[key], place, key) for place, key in enumerate(order) if not missing_inputs[key]]
    heapq.heapify(ready)
    running: list[tuple[float, str]] = []
    now, count = 0.0, len(order)
    while ready or running:
        while ready and len(running) < workers:
            key = heapq.heappop(ready)[2]
            heapq.heappush(running, (now + seconds[key], key))
        now, done = heapq.heappop(running)
        for key in behind[done]:
            missing_inputs[key] -= 1
            if not missing_inputs[key]:
                count += 1
                heapq.heappush(ready, (-path[key], count, key))
    return now


@dataclass(frozen=True)
class CellForecast:
    """What is still to be done for a cell.

    Attributes:
        steps: how many, those that it shares with others included.
        seconds: CPU time of them.
        shared: the part of it that other cells need too.
        mib: memory of the greediest of them.
    """

    cell: Cell
    steps: int
    seconds: float
    shared: float
    mib: float


def cell_forecasts(plan: Plan, costs: Mapping[str, Expected], missing: set[str]) -> list[CellForecast]:
    """What every cell still takes, the most expensive first."""
    needs = []
    uses: dict[str, int] = {}
    for cell in plan.cells:
        keys = set(cell.steps.values()) & missing
        needs.append(keys)
        for key in keys:
            uses[key] = uses.get(key, 0) + 1
    found = []
    for cell, keys in zip(plan.cells, needs, strict=True):
        seconds = sum(costs[key].seconds for key in keys)
        shared = sum(costs[key].seconds for key in keys if uses[key] > 1)
        found.append(CellForecast(cell, len(keys), seconds, shared, max((costs[key].mib for key in keys), default=0.0)))
    return sorted(found, key=lambda forecast: -forecast.seconds)


def print_plan(prepared: Run, console: Console, jobs: int) -> None:
    """Print what every cell and step of a run will take, what is there already, and how long the rest may last."""
    from rich.markup import escape
    from rich.table import Table

    from vdf_bench.execute.costs import expected_costs
    from vdf_bench.execute.incomplete import name

    plan = prepared.plan
    costs = expected_costs(prepared)
    missing = prepared.store.missing(plan.steps)
    cells = Table("cell", "steps", "CPU time", "shared", "memory", box=None, padding=(0, 2, 0, 0))
    forecasts = cell_forecasts(plan, costs, missing)
    for forecast in forecasts[:ROWS]:
        texts = (duration(forecast.seconds), duration(forecast.shared), f"{forecast.mib:.0f} MiB")
        cells.add_row(escape(name(forecast.cell)), str(forecast.steps), *(texts if forecast.steps else ("", "", "")))
    if len(forecasts) > ROWS:
        cells.add_row(
            f"and {len(forecasts) - ROWS} more", "", duration(sum(f.seconds for f in forecasts[ROWS:])), "", ""
        )
    console.print(cells)
    table = Table("step", "state", "about", box=None, padding=(0, 2, 0, 0))
    for step in list(plan.steps.values())[:ROWS]:
        state = "to do" if step.key in missing else "cached"
        table.add_row(escape(step.label), state, duration(costs[step.key].seconds) if step.key in missing else "")
    if len(plan.steps) > ROWS:
        table.add_row(f"and {len(plan.steps) - ROWS} more", "", "")
    console.print(table)
    todo = [key for key in plan.steps if key in missing]
    inputs = {key: [upstream for upstream in plan.steps[key].inputs.values() if upstream in missing] for key in todo}
    seconds = {key: costs[key].seconds for key in todo}
    known = sum(costs[key].recorded for key in todo)
    console.print(
        f"{len(plan.cells)} cells, {len(plan.steps)} steps, {len(plan.steps) - len(todo)} cached; "
        f"about {duration(makespan(todo, inputs, seconds, jobs))} with {jobs} jobs",
        highlight=False,
    )
    if todo:
        console.print(
            f"{duration(sum(seconds.values()))} of CPU time; {known} of {len(todo)} steps estimated from earlier runs "
            f"in this store{', the others are rough estimates' if known < len(todo) else ''}",
            highlight=False,
        )
    for each in plan.left_out:
        console.print(f"left out: {each['kind']} {each['name']}: {each['why']}", highlight=False, markup=False)
