"""Does a victim clone the clean clip at all? Its gates, through the steps and the store that runs go through.

Each clone is driven twice: by held-out landmarks, which is what a victim can do and what its gates are held against,
and by sound, which also asks how well a voice tells the lips, and is reported only.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from vdf_bench.execute.costs import expected_seconds
from vdf_bench.judges.gates import GateResult, judge_gates, why_void
from vdf_bench.plan import Cell, Plan, Request, build_plan
from vdf_bench.plan.run import Run
from vdf_bench.results.gather import fetch, fit_notes
from vdf_bench.runs.run import check_writable
from vdf_bench.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vdf_bench.execute.schedule import Tally, Watcher

#: What drives the lips; the gates look at the first.
DRIVES: Final = ("landmarks", "audio")
#: Fields of a cell that name a clone.
PLACE: Final = ("victim", "clip", "target", "capture", "seed")
LIPS_WITHOUT_TRUTH: Final = "no ground truth: true landmarks and head masks are by our landmarker and parser"


@dataclass(frozen=True)
class Checked:
    """One clone of one clean clip.

    Attributes:
        cells: what drives the lips -> cell; they share all but the drive.
        outcome, code: how its fit ended.
        results: of its gates.
        driven: what drives the lips -> metric -> value.
        seconds: CPU seconds of the fit.
        peak_mib: its peak resident memory.
        audio_r: cross-validated correlation of the mouth opening estimated from sound with the one seen; None where the
            capture was refused.
        notes: what a reader should know of clip and fit.
        heard: interval of ``audio_r``, the shipped map's correlation and the like: the capture's ``audio_*`` scalars.
    """

    cells: dict[str, Cell]
    outcome: str
    code: str
    results: list[GateResult]
    driven: dict[str, dict[str, float]]
    seconds: float
    peak_mib: float
    audio_r: float | None
    notes: tuple[str, ...]
    heard: dict[str, float] = field(default_factory=dict)

    @property
    def cell(self) -> Cell:
        """Of the clone that the gates look at."""
        return self.cells[DRIVES[0]]

    @property
    def place(self) -> dict[str, Any]:
        """What names the clone."""
        return {name: getattr(self.cell, name) for name in PLACE}

    @property
    def fault(self) -> str | None:
        """Why cells on this victim would be void; None where it passes."""
        return why_void(self.outcome, self.code, self.results)

    def record(self) -> dict[str, Any]:
        """As ``gates.json`` holds it."""
        figures = {"fit_seconds": self.seconds, "peak_mib": self.peak_mib, "audio_r": self.audio_r, **self.heard}
        gates = [result.record() for result in self.results]
        ended = {"outcome": self.outcome, "code": self.code, "ok": self.fault is None}
        return {**self.place, **ended, "gates": gates, **figures, "driven": self.driven, "notes": list(self.notes)}


def prepare_check(request: Request, out: Path, store: Path | str | None = None) -> Run:
    """Plan the clean arm of ``request``, driven both ways, as one DAG; also its poisons, where it names any.

    Raises:
        UserError: a name or value that does not exist.
    """
    merged = Plan()
    for drive in DRIVES:
        merged.merge(build_plan(replace(request, defenses=("none",), controls=(), drive=drive)))
    return Run(out, Store(store or out / "store"), merged, request)


def complete_check(run: Run, jobs: int, watcher: Watcher) -> tuple[list[Checked], Tally]:
    """Compute what is missing and judge the gates of every clean clone.

    Raises:
        UserError: an input that cannot serve, or a folder that cannot be written.
        StepFailedError: a step raised.
    """
    from vdf_bench.execute.schedule import execute

    check_writable(run)
    tally = execute(run.plan, run.store, jobs, expected_seconds(run), watcher)
    return [_checked(run, both) for both in driven_both_ways(run) if both["landmarks"].arm == "clean"], tally


def driven_both_ways(run: Run) -> Iterator[dict[str, Cell]]:
    """What drives the lips -> cell, for every clone."""
    count = len(run.plan.cells) // len(DRIVES)
    for k in range(count):
        yield {drive: run.plan.cells[i * count + k] for i, drive in enumerate(DRIVES)}


def values(run: Run, cell: Cell) -> dict[str, float]:
    """Metric -> value of a clone."""
    return {row["metric"]: row["value"] for row in fetch(run, cell.steps["judge.clone"]).meta["rows"]}


def _checked(run: Run, both: dict[str, Cell]) -> Checked:
    from vdf_bench.core.capture import Capture
    from vdf_bench.recognisers.choice import choose

    cell = both[DRIVES[0]]
    judged = fetch(run, cell.steps["judge.clone"]).meta
    clip, captured = fetch(run, cell.steps["clip"]), fetch(run, cell.steps["capture"])
    cost = fetch(run, cell.steps["head"]).meta["cost"]
    heard: dict[str, float] = {}
    if "refused" not in captured.meta:
        scalars = Capture.from_arrays(captured.arrays).scalars
        heard = {name: value for name, value in scalars.items() if name.startswith("audio_")}
    notes = [*clip.meta["notes"], *fit_notes(run, cell)]
    if "truth.labels" not in clip.arrays:
        notes.append(LIPS_WITHOUT_TRUTH)
    real = "truth.rotation" not in clip.arrays
    notes += [note for note in [choose(run.request.recogniser, run.request.overrides, real).note(real)] if note]
    return Checked(
        cells=both,
        outcome=judged["outcome"],
        code=judged["code"],
        results=judge_gates(judged["rows"]),
        driven={drive: values(run, each) for drive, each in both.items()},
        seconds=cost["cpu"],
        peak_mib=cost["peak_mib"],
        audio_r=heard.get("audio_r"),
        notes=tuple(notes),
        heard=heard,
    )
