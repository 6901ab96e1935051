"""What is left of a run when steps failed or time was up: whole cells, and the reason for each of the others.

A step that failed is no finding: a clone that was never made because a machine ran out of memory says nothing about a
defense. So its cells are left out of every table, with those whose clean twin it took away, and named.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vdf_bench.core.errors import IncompleteError
from vdf_bench.execute.schedule import raise_failure

if TYPE_CHECKING:
    from vdf_bench.execute.schedule import Tally
    from vdf_bench.plan import Cell
    from vdf_bench.plan.run import Run

#: Why a cell is left out that no failure concerns.
TIME_UP = "time limit reached: run the same command again to continue"
NO_TWIN = "the clean run that it is compared with is missing"


def whole_cells(run: Run, tally: Tally) -> Run:
    """The run with the cells of which every step is there; the others are left out of its plan, with the reason.

    Raises:
        IncompleteError: no cell is whole, because time was up or the machine fell short; what failed first is said.
        UserError: no cell is whole, because an input cannot serve.
        StepFailedError: the same, and a step raised.
    """
    reasons = {key: TIME_UP for key in tally.unreached}
    reasons |= {failure.key: f"{failure.label}: {failure.line}" for failure in tally.failures}
    if not reasons:
        return run
    lost = run.plan.dependents([failure.key for failure in tally.failures])
    lost |= {key: cause for key, cause in run.plan.dependents(tally.unreached).items() if key not in lost}
    why: dict[int, str] = {}
    for cell in run.plan.cells:
        first = next((lost[key] for key in cell.steps.values() if key in lost), None)
        if first is not None:
            why[id(cell)] = reasons[first]
    twins = {cell.attacker for cell in run.plan.cells if cell.arm == "clean" and id(cell) not in why}
    for cell in run.plan.cells:
        if cell.victim and cell.attacker not in twins:
            why.setdefault(id(cell), NO_TWIN)
    kept = [cell for cell in run.plan.cells if id(cell) not in why]
    if not kept:
        if not tally.failures:
            goes_on = "finished steps are kept; run the same command again to continue"
            raise IncompleteError(f"the time limit was reached before any cell was finished: {goes_on}")
        failure = tally.failures[0]
        if failure.cause in ("memory", "time", "lost"):  # the machine fell short, nothing asked was wrong
            raise IncompleteError(failure.text)
        raise_failure(failure)
    lost_cells = [{"kind": "cell", "name": name(c), "why": why[id(c)]} for c in run.plan.cells if id(c) in why]
    plan = run.plan.restricted(kept)
    return replace(run, plan=replace(plan, left_out=[*plan.left_out, *lost_cells]))


def name(cell: Cell) -> str:
    """What a cell is called in a list."""
    budget = f" at {cell.linf:g}/255" if cell.linf else ""
    who = f"{cell.victim} on {cell.clip}" if cell.victim else cell.clip
    parts = [f"{who}, {cell.defense}{budget}", cell.capture, cell.purifier, cell.target, f"seed {cell.seed}"]
    return ", ".join(part for part in parts if part and part != "identity")
