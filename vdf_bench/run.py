"""A whole run: plan it, execute what is missing, collect the table, write the report."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from vdf_bench.costs import expected_seconds, record_costs
from vdf_bench.errors import UserError
from vdf_bench.plan import SURROGATE, Plan, Request, build_plan
from vdf_bench.results import SCHEMA
from vdf_bench.store import Artifact, Store, canonical, digest, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from vdf_bench.execute.local import Tally, Watcher
    from vdf_bench.plan import Cell
    from vdf_bench.report.pictures import Picture

#: A run folder must take at least this much before a run starts.
MIN_FREE_MIB = 64


@dataclass(frozen=True)
class Run:
    """Where a run stands.

    Attributes:
        out: its folder: table, page, pictures, and by default its store.
        store: its artifacts.
        plan: what it computes.
        request: what was asked.
    """

    out: Path
    store: Store
    plan: Plan
    request: Request

    @property
    def identity(self) -> str:
        """Digest of what was asked and of the code that answers: equal identities give equal tables."""
        suite = self.request.suite.record() if self.request.suite else None
        return digest([sorted(self.plan.steps), [asdict(cell) for cell in self.plan.cells], self.plan.left_out, suite])


def prepare(request: Request, out: Path, store: Path | None = None, overwrite: bool = False) -> Run:
    """Plan a run into the folder ``out``.

    Raises:
        UserError: a name or value that does not exist, or a folder that cannot take this run.
    """
    plan = build_plan(request)
    run = Run(out, Store(store or out / "store"), plan, request)
    for option, folder in (("--out", out), ("--store", run.store.root)):
        taken = next((path for path in (folder, *folder.parents) if path.exists() and not path.is_dir()), None)
        if taken is not None:
            raise UserError(f"{option} {folder}: {taken} is a file: choose a folder")
    held = _identity_of(out)
    if held not in (None, _matrix(run)) and not overwrite:
        raise UserError(f"{out} holds the results of another run: choose another --out, or say --overwrite")
    return run


def check_writable(run: Run) -> None:
    """Make the run's folders and see that they take files.

    Raises:
        UserError: read-only, or nearly full.
    """
    for folder in {run.out, run.store.root}:
        probe = folder / ".writable"
        write_atomically(probe, b"")
        probe.unlink()
        free = shutil.disk_usage(folder).free // 2**20
        if free < MIN_FREE_MIB:
            raise UserError(
                f"{folder} has {free} MiB left, a run needs {MIN_FREE_MIB}: make room or choose another --out"
            )


def complete(run: Run, jobs: int, watcher: Watcher, say: Callable[[str], None]) -> Tally:
    """Execute what is missing, then write table, record and report.

    Raises:
        UserError: an input that cannot serve, or a folder that cannot be written.
        StepFailedError: a step raised.
    """
    from vdf_bench.rounds import attack_in_rounds

    begun = time.perf_counter()
    check_writable(run)
    identity, matrix = run.identity, _matrix(run)
    run, tally = attack_in_rounds(run, jobs, expected_seconds(run), watcher, say)
    if not tally.computed and _is_complete(run.out, identity):
        return tally
    artifacts = _judgements(run, jobs, tally, watcher)
    say("writing tables, plots and page")
    rows, gates = collect(run, artifacts)
    from vdf_bench import report
    from vdf_bench.results import write_results
    from vdf_bench.traces import FILE as TRACES
    from vdf_bench.traces import write_traces

    run.out.mkdir(parents=True, exist_ok=True)
    report.save_media(run.out, pictures(run, rows))
    write_results(rows, run.out / "results.parquet")
    write_traces(traces(run), run.out / TRACES)
    record = describe(run, tally, gates, time.perf_counter() - begun)
    record_costs(run, record["steps"])
    write_atomically(run.out / "run.json", json.dumps(record, indent=1, sort_keys=True, allow_nan=False).encode())
    report.build(run.out)
    # Written last: a run that was cut off before it is completed by the next one.
    write_atomically(run.out / "complete.json", canonical({"matrix": matrix, "run": identity}).encode())
    return tally


def collect(run: Run, artifacts: dict[str, Artifact]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of the result table, and the gates that clean clones were held to.

    A cell whose clean twin was not trained or fails a gate is void: what a defense does to a clone that never worked
    proves nothing.
    """
    from vdf_bench.judges.gates import judge_gates, why_void

    gates = []
    void: dict[tuple[Any, ...], str] = {}
    for cell in run.plan.cells:
        if cell.arm != "clean" or "judge.clone" not in cell.steps:
            continue
        judged = artifacts[cell.steps["judge.clone"]].meta
        verdicts = judge_gates(judged["rows"])
        where = {name: getattr(cell, name) for name in ("clip", "purifier", "capture", "target", "victim", "seed")}
        gates += [{**where, **verdict.record()} for verdict in verdicts]
        reason = why_void(judged["outcome"], judged["code"], verdicts)
        if reason:
            void[cell.attacker] = reason
    rows = []
    for cell in run.plan.cells:
        for stage in ("protect", "capture", "clone"):
            key = cell.steps.get(f"judge.{stage}")
            if key is None:
                continue
            place = {"purifier": cell.purifier, "capture": cell.capture, "target": cell.target, "victim": cell.victim}
            if stage == "protect":
                place = dict.fromkeys(place, "")
            elif stage == "capture":
                place |= {"target": "", "victim": ""}
            ended = (artifacts[key].meta["outcome"], artifacts[key].meta["code"])
            if stage == "clone" and cell.attacker in void:
                ended = ("void", void[cell.attacker])
            rows += [
                {
                    "clip": cell.clip,
                    "defense": cell.defense,
                    "linf": cell.linf,
                    "floor": cell.floor,
                    **place,
                    "seed": cell.seed,
                    "arm": cell.arm,
                    "outcome": ended[0],
                    "code": ended[1],
                    **row,
                }
                for row in artifacts[key].meta["rows"]
            ]
    return rows, gates


def traces(run: Run) -> Iterator[dict[str, Any]]:
    """What every defense noted of every frame, once for each protected clip."""
    from vdf_bench.traces import trace_rows

    protected = {cell.steps["protected"]: cell for cell in run.plan.cells if "judge.protect" in cell.steps}
    for key, cell in protected.items():
        place = {name: getattr(cell, name) for name in ("clip", "defense", "linf", "floor", "seed")}
        meta = fetch(run, key).meta
        yield from trace_rows(place, meta["log"], meta["seconds"])


def pictures(run: Run, rows: list[dict[str, Any]]) -> Iterator[Picture]:
    """What a person sees first: original, protected, clean clone and defended clone of every defended cell."""
    from vdf_bench.clip import split_frames
    from vdf_bench.packing import unpack_clip, unpack_rendering
    from vdf_bench.report.pictures import Picture

    names = ("clip", "defense", "linf", "floor", "purifier", "capture", "target", "victim", "seed")
    ended = {tuple(row[n] for n in names): (row["outcome"], row["code"]) for row in rows if row["stage"] == "clone"}
    clean = {cell.attacker: cell for cell in run.plan.cells if cell.arm == "clean"}
    for cell in run.plan.cells:
        if cell.arm == "clean" or "rendering" not in cell.steps:
            continue
        clip = unpack_clip(fetch(run, cell.steps["clip"]))
        held = split_frames(len(clip)).heldout
        twin = unpack_rendering(fetch(run, clean[cell.attacker].steps["rendering"]))
        clone = unpack_rendering(fetch(run, cell.steps["rendering"]))
        place: dict[str, Any] = {name: getattr(cell, name) for name in names}
        outcome, code = ended[tuple(place.values())]
        yield Picture(
            **place,
            outcome=outcome,
            code=code,
            frames=held,
            fps=clip.fps,
            original=clip.frames[held],
            protected=fetch(run, cell.steps["protected"]).arrays["frames"][held],
            clean_clone=twin.rgb if twin else None,
            defended_clone=clone.rgb if clone else None,
        )


def describe(run: Run, tally: Tally, gates: list[dict[str, Any]], wall: float) -> dict[str, Any]:
    """The content of ``run.json``: everything a reader needs to trust or repeat the run, and what every step cost."""
    from vdf_bench.judges.recognise import choose_for

    request, plan = run.request, run.plan
    computed = set(tally.computed)
    steps = []
    for key, step in plan.steps.items():
        cost = fetch(run, key).meta["cost"]
        steps.append({"key": key, "step": step.name, "label": step.label, "cached": key not in computed, **cost})
    clips, recognisers = {}, {}
    notes = []
    for name, key in {cell.clip: cell.steps["clip"] for cell in plan.cells}.items():
        artifact = fetch(run, key)
        clips[name] = artifact.meta
        notes += [f"{name}: {note}" for note in artifact.meta["notes"]]
        real = "truth.rotation" not in artifact.arrays
        chosen = choose_for(request.overrides, real)
        recognisers[name] = chosen.record()
        notes += [f"{name}: {note}" for note in [chosen.note(real)] if note]
    if len({chosen["name"] for chosen in recognisers.values()}) > 1:
        notes.append("dsr_identity, and with it dsr, is decided by two recognisers here, each at its own threshold")
    for cell in plan.cells:
        told = (f"{cell.victim} on {cell.clip}, {cell.defense}: {note}" for note in fit_notes(run, cell))
        notes += [note for note in told if note not in notes]
    if request.protected_share < 1:
        notes.append(f"only the first {100 * request.protected_share:g} % of every clip's frames are protected")
    if run.store.quarantined():
        notes.append(f"{run.store.quarantined()} damaged artifacts were set aside in the store and computed again")
    driven = {cell.steps["rendering"] for cell in plan.cells if "rendering" in cell.steps}
    drives = {fetch(run, key).meta.get("drive", "") for key in driven} - {""}
    return {
        "schema": SCHEMA,
        "version": version("vdf-bench"),
        "run": run.identity,
        "environment": environment(),
        "command": " ".join(["vdf-bench", *sys.argv[1:]]),
        "preset": {"name": request.preset.name, "size": request.preset.size, "frames": request.preset.frames},
        "seeds": sorted({cell.seed for cell in plan.cells}),
        "budget": [str(budget) for budget in request.budgets],
        "drive": sorted(drives),
        "parameters": {name: dict(values) for name, values in request.overrides.items()},
        "identities": {name: meta["identity"] for name, meta in clips.items()},
        "recognisers": recognisers,
        "surrogate": SURROGATE,
        "suite": request.suite.record() if request.suite else None,
        "inputs": {name: {"sha256": plan.inputs.get(name, ""), **meta["source"]} for name, meta in clips.items()},
        "plan": {
            "cells": len(plan.cells),
            "steps": len(plan.steps),
            "computed": len(computed),
            # How often a cell looks at a step: what arms, attackers and defenses share is computed once.
            "uses": sum(len(cell.steps) for cell in plan.cells),
        },
        "steps": steps,
        "notes": notes,
        "left_out": plan.left_out,
        "gates": gates,
        "wall": wall,
    }


def fit_notes(run: Run, cell: Cell) -> list[str]:
    """What the victim of a cell says of its fit."""
    notes: list[str] = fetch(run, cell.steps["head"]).meta.get("notes", []) if "head" in cell.steps else []
    return notes


def environment() -> dict[str, str]:
    """Machine and versions behind the figures."""
    packages = ("vdf-bench", "torch", "numpy", "numba", "av", "scipy", "scikit-image")
    cpu = platform.processor()
    if sys.platform == "linux":
        from pathlib import Path

        models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        cpu = models[0].partition(":")[2].strip() if models else cpu
    return {
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "cpu": cpu or platform.machine(),
        "cores": str(os.cpu_count()),
        **{name: version(name) for name in packages},
    }


def _judgements(run: Run, jobs: int, tally: Tally, watcher: Watcher) -> dict[str, Artifact]:
    """Every judge's artifact, once all that the report will read is there; what turns out damaged is computed again."""
    from vdf_bench.execute.local import execute

    judges = {key for cell in run.plan.cells for role, key in cell.steps.items() if role.startswith("judge.")}
    while True:
        lost = False
        found = {}
        for key in run.plan.steps:
            artifact = run.store.get(key)
            lost |= artifact is None
            if artifact is not None and key in judges:
                found[key] = artifact
        if not lost:
            return found
        tally.computed += execute(run.plan, run.store, jobs, expected_seconds(run), watcher).computed


def fetch(run: Run, key: str) -> Artifact:
    """An artifact that the run made.

    Raises:
        UserError: it was damaged and has been set aside.
    """
    artifact = run.store.get(key)
    if artifact is None:
        raise UserError("an artifact was damaged and has been set aside: run the same command again to make it anew")
    return artifact


def _matrix(run: Run) -> str:
    """Digest of what was asked, whatever code answers it: tells whether a folder holds this matrix."""
    asked = ("clip", "defense", "linf", "floor", "purifier", "capture", "target", "victim", "seed")
    cells = [[getattr(cell, name) for name in asked] for cell in run.plan.cells]
    preset = run.request.preset
    asked_of_all = [run.request.drive, run.request.iterations, run.request.protected_share]
    return digest([cells, preset.name, sorted(run.request.overrides.items()), *asked_of_all])


def _identity_of(out: Path) -> str | None:
    try:
        matrix: str = json.loads((out / "complete.json").read_text())["matrix"]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return matrix


def _is_complete(out: Path, identity: str) -> bool:
    names = ("results.parquet", "traces.parquet", "run.json", "report.html", "complete.json")
    if not all((out / name).is_file() for name in names):
        return False
    held: dict[str, str] = json.loads((out / "complete.json").read_text())
    return held.get("run") == identity
