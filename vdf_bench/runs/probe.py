"""What does a damaged capture do to a victim? Each poison against both training targets, beside the undamaged twin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vdf_bench.capture.poison import POISONS
from vdf_bench.execute.costs import expected_seconds
from vdf_bench.plan import TARGETS, Cell, Request, build_plan
from vdf_bench.plan.run import Run
from vdf_bench.results.gather import fetch
from vdf_bench.runs.run import check_writable
from vdf_bench.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from vdf_bench.execute.schedule import Tally, Watcher


@dataclass(frozen=True)
class Probed:
    """A clone of one capture, damaged or not.

    Attributes:
        cell: where it stands; its ``defense`` is the poison's name.
        outcome, code: how its fit ended.
        values: metric -> value.
        twin: the same of the undamaged capture; None where this is it.
    """

    cell: Cell
    outcome: str
    code: str
    values: dict[str, float]
    twin: dict[str, float] | None

    def change(self, metric: str) -> float | None:
        """Difference to the undamaged twin; None where there is none."""
        if self.twin is None or metric not in self.twin:
            return None
        return self.values[metric] - self.twin[metric]

    def record(self) -> dict[str, Any]:
        """As ``probes.json`` holds it."""
        cell = self.cell
        place = {name: getattr(cell, name) for name in ("victim", "clip", "target", "capture", "seed")}
        poison = "" if self.twin is None else cell.defense
        return {**place, "poison": poison, "outcome": self.outcome, "code": self.code, "values": self.values}


def prepare_probe(request: Request, out: Path, store: Path | str | None = None) -> Run:
    """Plan every poison on every target, lips driven by landmarks, so that the voice plays no part.

    Raises:
        UserError: a name or value that does not exist.
    """
    asked = replace(
        request, defenses=("none",), controls=(), targets=TARGETS["both"], drive="landmarks", poisons=tuple(POISONS)
    )
    return Run(out, Store(store or out / "store"), build_plan(asked), asked)


def complete_probe(run: Run, jobs: int, watcher: Watcher) -> tuple[list[Probed], Tally]:
    """Compute what is missing; undamaged clones come first within each victim and target.

    Raises:
        UserError: an input that cannot serve, or a folder that cannot be written.
        StepFailedError: a step raised.
    """
    from vdf_bench.execute.schedule import execute

    check_writable(run)
    tally = execute(run.plan, run.store, jobs, expected_seconds(run), watcher)
    judged = [fetch(run, cell.steps["judge.clone"]).meta for cell in run.plan.cells]
    values = [{row["metric"]: row["value"] for row in meta["rows"]} for meta in judged]
    cells = list(zip(run.plan.cells, judged, values, strict=True))
    clean = {cell.attacker: found for cell, _, found in cells if cell.arm == "clean"}
    probes = [
        Probed(cell, meta["outcome"], meta["code"], found, None if cell.arm == "clean" else clean[cell.attacker])
        for cell, meta, found in cells
    ]
    order = ["none", *POISONS]
    probes.sort(key=lambda p: (p.cell.clip, p.cell.victim, p.cell.target, p.cell.seed, order.index(p.cell.defense)))
    return probes, tally
