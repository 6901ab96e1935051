"""A whole run: plan it, execute what is missing, collect the table, write the report."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from vdf_bench.costs import expected_costs, record_costs
from vdf_bench.errors import UserError
from vdf_bench.plan import SURROGATE, Plan, Request, build_plan
from vdf_bench.results import SCHEMA
from vdf_bench.store import Artifact, Store, canonical, check_room, digest, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from vdf_bench.execute.executor import Means
    from vdf_bench.execute.schedule import Tally, Watcher
    from vdf_bench.plan import Cell
    from vdf_bench.report.pictures import Picture

#: Tells that a run folder is finished, and of what.
COMPLETE = "complete.json"
#: Cells of which pictures are kept. The page shows fewer; a matrix of thousands would fill a disk.
PICTURES = 32


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


def prepare(request: Request, out: Path, store: Path | str | None = None, overwrite: bool = False) -> Run:
    """Plan a run into the folder ``out``.

    Raises:
        UserError: a name or value that does not exist, or a folder that cannot take this run.
    """
    plan = build_plan(request)
    run = Run(out, Store(store or out / "store"), plan, request)
    taken = next((path for path in (out, *out.parents) if path.exists() and not path.is_dir()), None)
    if taken is not None:
        raise UserError(f"--out {out}: {taken} is a file: choose a folder")
    run.store.check_folder()
    held = _identity_of(out)
    if held not in (None, _matrix(run)) and not overwrite:
        raise UserError(f"{out} holds the results of another run: choose another --out, or say --overwrite")
    return run


def check_writable(run: Run) -> None:
    """Make the run's folders and see that they take files.

    Raises:
        UserError: read-only, or nearly full.
    """
    run.store.check_writable()
    check_room(run.out)


def complete(run: Run, means: Means | int, watcher: Watcher, say: Callable[[str], None]) -> Tally:
    """Execute what is missing, then write table, record and report of every cell that is whole.

    Args:
        run: what is asked.
        means: with what steps are carried out; a number is so many at once on this machine, and a step that fails
            ends the run, as it does unless ``keep_going`` is set.
        watcher: told of every step.
        say: told what is done outside steps.

    Returns:
        What was done, and what failed or was not reached: of those the run holds no cells.

    Raises:
        UserError: no cell can be finished, or a folder cannot be written.
        StepFailedError: no cell can be finished, and a step raised.
    """
    from vdf_bench.execute.executor import Means
    from vdf_bench.execute.schedule import execute
    from vdf_bench.incomplete import whole_cells
    from vdf_bench.rounds import attack_in_rounds
    from vdf_bench.store.leases import turn

    begun = time.perf_counter()
    check_writable(run)
    costs = expected_costs(run)
    seconds = {key: cost.seconds for key, cost in costs.items()}
    means = Means(means) if isinstance(means, int) else means
    means = replace(means, mib={key: cost.mib for key, cost in costs.items()})
    before = _written(run.out)
    asked = run
    run, tally = attack_in_rounds(run, means, seconds, watcher, say)
    # Another driver of the same run may be at the same point: one writes, the other finds it written.
    with turn(run.store.place, f"folder-{digest(str(run.out.resolve()))}"):
        if _is_complete(run.out, asked.identity) and (not tally.computed or _written(run.out) != before):
            return tally
        while True:
            part = whole_cells(run, tally)
            try:
                _write(asked, part, tally, begun, say)
            except DamagedError:  # and set aside: it is made again, and the writing begun again
                tally.add(execute(part.plan, part.store, means, seconds, watcher))
            else:
                return tally


def _write(asked: Run, run: Run, tally: Tally, begun: float, say: Callable[[str], None]) -> None:
    """Write the run folder: the cells of ``run``, which is ``asked`` or what is whole of it."""
    from vdf_bench import report
    from vdf_bench.results import write_results
    from vdf_bench.traces import FILE as TRACES
    from vdf_bench.traces import write_traces

    judges = {key for cell in run.plan.cells for role, key in cell.steps.items() if role.startswith("judge.")}
    artifacts = {key: fetch(run, key) for key in run.plan.steps if key in judges}
    say("writing tables, plots and page")
    rows, gates = collect(run, artifacts)
    run.out.mkdir(parents=True, exist_ok=True)
    report.save_media(run.out, pictures(replace(run, plan=pictured(run.plan)), rows))
    write_results(rows, run.out / "results.parquet")
    write_traces(traces(run), run.out / TRACES)
    record = describe(run, tally, gates, time.perf_counter() - begun)
    record_costs(run, record["steps"])
    write_atomically(run.out / "run.json", json.dumps(record, indent=1, sort_keys=True, allow_nan=False).encode())
    report.build(run.out)
    # Written last: a run that was cut off before it is completed by the next one, and so is one that lacks cells.
    whole = not tally.failures and not tally.unreached
    held = {"matrix": _matrix(asked), "run": asked.identity if whole else ""}
    write_atomically(run.out / COMPLETE, canonical(held).encode())


def collect(run: Run, artifacts: dict[str, Artifact]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of the result table, and the gates that clean clones were held to.

    A cell whose clean twin was not trained or fails a gate is void: what a defense does to a clone that never worked
    proves nothing.
    """
    from vdf_bench.judges.gates import EDIT_GATES, GATES, judge_gates, why_void

    gates = []
    void: dict[tuple[Any, ...], str] = {}
    for cell in run.plan.cells:
        last = "judge.edit" if "judge.edit" in cell.steps else "judge.clone"
        if cell.arm != "clean" or last not in cell.steps:
            continue
        judged = artifacts[cell.steps[last]].meta
        verdicts = judge_gates(judged["rows"], EDIT_GATES if last == "judge.edit" else GATES)
        where = {name: getattr(cell, name) for name in ("clip", "purifier", "capture", "target", "victim", "seed")}
        gates += [{**where, **verdict.record()} for verdict in verdicts]
        reason = why_void(judged["outcome"], judged["code"], verdicts)
        if reason:
            void[cell.attacker] = reason
    rows = []
    for cell in run.plan.cells:
        for stage in ("protect", "capture", "clone", "edit"):
            key = cell.steps.get(f"judge.{stage}")
            if key is None:
                continue
            place = {"purifier": cell.purifier, "capture": cell.capture, "target": cell.target, "victim": cell.victim}
            if stage == "protect":
                place = dict.fromkeys(place, "")
            elif stage == "capture":
                place |= {"target": "", "victim": ""}
            ended = (artifacts[key].meta["outcome"], artifacts[key].meta["code"])
            if stage in ("clone", "edit") and cell.attacker in void:
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
        meta = fetch_meta(run, key)
        yield from trace_rows(place, meta["log"], meta["seconds"])


def pictures(run: Run, rows: list[dict[str, Any]]) -> Iterator[Picture]:
    """What a person sees first: original, protected, clean clone and defended clone of every defended cell."""
    from vdf_bench.clip import split_frames
    from vdf_bench.packing import unpack_clip, unpack_rendering
    from vdf_bench.report.pictures import Picture

    names = ("clip", "defense", "linf", "floor", "purifier", "capture", "target", "victim", "seed")
    last = {"clone", "edit"}
    ended = {tuple(row[n] for n in names): (row["outcome"], row["code"]) for row in rows if row["stage"] in last}
    clean = {cell.attacker: cell for cell in run.plan.cells if cell.arm == "clean"}
    for cell in run.plan.cells:
        if cell.arm == "clean" or not {"rendering", "edits"} & cell.steps.keys():
            continue
        if "edits" in cell.steps:
            yield _edits_picture(run, cell, clean[cell.attacker], ended)
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


def _edits_picture(run: Run, cell: Cell, twin: Cell, ended: dict[tuple[Any, ...], tuple[str, str]]) -> Picture:
    """A portrait, once for every change that the editor makes, with both edits."""
    import numpy as np

    from vdf_bench.judges.editing import resized
    from vdf_bench.report.pictures import Picture

    made, clean = fetch(run, cell.steps["edits"]), fetch(run, twin.steps["edits"]).arrays["edits"]
    size, count = clean.shape[1], len(clean)
    portraits = [fetch(run, cell.steps[role]).arrays["frames"][0] for role in ("clip", "protected")]
    original, protected = (np.repeat(resized(picture, size)[None], count, 0) for picture in portraits)
    names = ("clip", "defense", "linf", "floor", "purifier", "capture", "target", "victim", "seed")
    place: dict[str, Any] = {name: getattr(cell, name) for name in names}
    outcome, code = ended[tuple(place.values())]
    return Picture(
        **place,
        outcome=outcome,
        code=code,
        frames=np.arange(count),
        original=original,
        protected=protected,
        clean_clone=clean,
        defended_clone=made.arrays["edits"],
        edits=tuple(made.meta["names"]),
    )


def describe(run: Run, tally: Tally, gates: list[dict[str, Any]], wall: float) -> dict[str, Any]:
    """The content of ``run.json``: everything a reader needs to trust or repeat the run, and what every step cost."""
    from vdf_bench.judges.recognise import choose_for

    request, plan = run.request, run.plan
    computed = set(tally.computed)
    steps = []
    for key, step in plan.steps.items():
        cost = fetch_meta(run, key)["cost"]
        steps.append({"key": key, "step": step.name, "label": step.label, "cached": key not in computed, **cost})
    clips, recognisers = {}, {}
    notes = []
    for name, key in {cell.clip: cell.steps["clip"] for cell in plan.cells}.items():
        artifact = fetch(run, key)
        clips[name] = artifact.meta
        notes += [f"{name}: {note}" for note in artifact.meta["notes"]]
        real = "truth.rotation" not in artifact.arrays
        chosen = choose_for(request.overrides, real, ("editing",) if request.track == "images" else ("dsr", "identity"))
        recognisers[name] = chosen.record()
        notes += [f"{name}: {note}" for note in [chosen.note(real)] if note]
    if len({chosen["name"] for chosen in recognisers.values()}) > 1:
        notes.append("dsr_identity, and with it dsr, is decided by two recognisers here, each at its own threshold")
    told: list[str] = []
    for cell in plan.cells:
        told += [f"{cell.victim} on {cell.clip}, {cell.defense}: {note}" for note in fit_notes(run, cell)]
    notes += list(dict.fromkeys(told))
    notes += [f"failed ({failure.cause}): {failure.label}: {failure.line}" for failure in tally.failures]
    if request.protected_share < 1:
        notes.append(f"only the first {100 * request.protected_share:g} % of every clip's frames are protected")
    if run.store.quarantined():
        notes.append(f"{run.store.quarantined()} damaged artifacts were set aside in the store and computed again")
    driven = {cell.steps["rendering"] for cell in plan.cells if "rendering" in cell.steps}
    drives = {fetch_meta(run, key).get("drive", "") for key in driven} - {""}
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
        "track": request.track,
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
        # Steps that could not be computed; the cells behind them are among what is left out.
        "failures": [asdict(failure) for failure in tally.failures],
        "unreached": len(tally.unreached),
        "notes": notes,
        "left_out": plan.left_out,
        "gates": gates,
        "wall": wall,
    }


def fit_notes(run: Run, cell: Cell) -> list[str]:
    """What the victim of a cell says of its fit."""
    notes: list[str] = fetch_meta(run, cell.steps["head"]).get("notes", []) if "head" in cell.steps else []
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


class DamagedError(UserError):
    """An artifact that is needed was damaged, and has been set aside."""


_DAMAGED = "an artifact was damaged and has been set aside: run the same command again to make it anew"


def fetch(run: Run, key: str) -> Artifact:
    """An artifact that the run made.

    Raises:
        DamagedError: it was damaged and has been set aside.
    """
    artifact = run.store.get(key)
    if artifact is None:
        raise DamagedError(_DAMAGED)
    return artifact


def fetch_meta(run: Run, key: str) -> dict[str, Any]:
    """The record of an artifact that the run made, its arrays left where they are.

    Raises:
        DamagedError: it was damaged and has been set aside.
    """
    meta = run.store.meta(key)
    if meta is None:
        raise DamagedError(_DAMAGED)
    return meta


def pictured(plan: Plan) -> Plan:
    """The plan with the cells that are shown: of many, the first of every defense under every victim, then others."""
    shown = [cell for cell in plan.cells if cell.arm != "clean"]
    if len(shown) <= PICTURES:
        return plan
    turns: Counter[tuple[Any, ...]] = Counter()
    ranked = []
    for place, cell in enumerate(shown):
        who = (cell.defense, cell.linf, cell.floor, cell.victim)
        ranked.append((turns[who], place))
        turns[who] += 1
    kept = {id(shown[place]) for _, place in sorted(ranked)[:PICTURES]}
    return replace(plan, cells=[cell for cell in plan.cells if cell.arm == "clean" or id(cell) in kept])


def _matrix(run: Run) -> str:
    """Digest of what was asked, whatever code answers it: tells whether a folder holds this matrix."""
    asked = ("clip", "defense", "linf", "floor", "purifier", "capture", "target", "victim", "seed")
    cells = [[getattr(cell, name) for name in asked] for cell in run.plan.cells]
    preset = run.request.preset
    asked_of_all = [run.request.track, run.request.drive, run.request.iterations, run.request.protected_share]
    return digest([cells, preset.name, sorted(run.request.overrides.items()), *asked_of_all])


def _identity_of(out: Path) -> str | None:
    try:
        matrix: str = json.loads((out / COMPLETE).read_text())["matrix"]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return matrix


def _written(out: Path) -> int:
    """When the run folder was finished, as its file system counts; 0 where it was not."""
    try:
        return (out / COMPLETE).stat().st_mtime_ns
    except OSError:
        return 0


def _is_complete(out: Path, identity: str) -> bool:
    names = ("results.parquet", "traces.parquet", "run.json", "report.html", COMPLETE)
    if not all((out / name).is_file() for name in names):
        return False
    held: dict[str, str] = json.loads((out / COMPLETE).read_text())
    return held.get("run") == identity
