"""A whole run: plan it, execute what is missing, collect the table, write the report."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from vdf_bench.core.artifact import canonical, digest
from vdf_bench.core.errors import UserError
from vdf_bench.core.files import check_room, write_atomically
from vdf_bench.execute.costs import expected_costs, record_costs
from vdf_bench.plan import build_plan
from vdf_bench.plan.run import Run
from vdf_bench.results.gather import DamagedError, describe, pictured, pictures, traces
from vdf_bench.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vdf_bench.execute.executor import Resources
    from vdf_bench.execute.schedule import Tally, Watcher
    from vdf_bench.plan import Request

#: Tells that a run folder is finished, and of what.
COMPLETE = "complete.json"


def prepare(
    request: Request,
    out: Path,
    store: Path | str | None = None,
    overwrite: bool = False,
    config: str = "",
    command: str = "",
) -> Run:
    """Plan a run into the folder ``out``.

    Args:
        request: what is asked.
        out: the run folder.
        store: its artifacts; None is ``out/store``.
        overwrite: let it replace another run's tables.
        config: the options that ask for it, as ``config.toml``; empty where none do.
        command: the command that asks for it; empty where it is that of this process.

    Raises:
        UserError: a name or value that does not exist, or a folder that cannot take this run.
    """
    plan = build_plan(request)
    run = Run(out, Store(store or out / "store"), plan, request, config, command)
    taken = next((path for path in (out, *out.parents) if path.exists() and not path.is_dir()), None)
    if taken is not None:
        raise UserError(f"--out {out}: {taken} is a file: choose a folder")
    run.store.check_folder()
    if _held(out).get("matrix") not in (None, run.matrix) and not overwrite:
        raise UserError(f"{out} contains the results of another run: choose another --out, or add --overwrite")
    return run


def check_writable(run: Run) -> None:
    """Make the run's folders and see that they take files.

    Raises:
        UserError: read-only, or nearly full.
    """
    run.store.check_writable()
    check_room(run.out)


def complete(run: Run, resources: Resources | int, watcher: Watcher, say: Callable[[str], None]) -> Tally:
    """Execute what is missing, then write table, record and report of every cell that is whole.

    Args:
        run: what is asked.
        resources: with what steps are carried out; a number is so many at once on this machine, and a step that fails
            ends the run, as it does unless ``keep_going`` is set.
        watcher: called for every step.
        say: called with what is done outside steps.

    Returns:
        What was done, and what failed or was not reached: of those the run holds no cells.

    Raises:
        IncompleteError: no cell was finished: time was up, or the machine fell short.
        UserError: no cell can be finished, or a folder cannot be written.
        StepFailedError: no cell can be finished, and a step raised.
    """
    from vdf_bench.execute.executor import Resources
    from vdf_bench.execute.incomplete import whole_cells
    from vdf_bench.execute.schedule import Tally, execute
    from vdf_bench.results.parts import Appending, Parts
    from vdf_bench.runs.rounds import attack_in_rounds
    from vdf_bench.store.leases import turn

    begun = time.perf_counter()
    if _is_complete(run.out, run.identity) and not run.store.missing(run.plan.steps):
        for step in run.plan.steps.values():
            watcher.finished(step, cached=True)
        return Tally(cached=list(run.plan.steps))  # and nothing is written, not even where nothing can be
    check_writable(run)
    costs = expected_costs(run)
    seconds = {key: cost.seconds for key, cost in costs.items()}
    resources = Resources(resources) if isinstance(resources, int) else resources
    recorded = frozenset(key for key, cost in costs.items() if cost.recorded)
    resources = replace(resources, mib={key: cost.mib for key, cost in costs.items()}, recorded=recorded)
    before, replaced = _written(run.out), _held(run.out).get("matrix")
    asked = run
    parts = Parts(run)
    run, tally = attack_in_rounds(run, resources, seconds, Appending(watcher, parts, run.plan.cells), say)
    # Another driver of the same run may be at the same point: one writes, the other finds it written.
    with turn(run.store.place, f"folder-{digest(str(run.out.resolve()))}"):
        if _is_complete(run.out, asked.identity) and (not tally.computed or _written(run.out) != before):
            parts.clear()
            return tally
        if _held(run.out).get("matrix") not in (None, replaced, asked.matrix):
            remedy = "choose another --out, and continue with --store"
            raise UserError(
                f"{run.out}: another run has written its results there in the meantime: {remedy} {run.store.root}"
            )
        while True:
            part = whole_cells(run, tally)
            try:
                _write(asked, part, tally, begun, say)
            except DamagedError:  # and set aside: it is made again, and the writing begun again
                tally.add(execute(part.plan, part.store, resources, seconds, watcher))
            else:
                return tally


def _write(asked: Run, run: Run, tally: Tally, begun: float, say: Callable[[str], None]) -> None:
    """Write the run folder: the cells of ``run``, which is ``asked`` or what is whole of it."""
    from vdf_bench import report
    from vdf_bench.results.parts import Parts
    from vdf_bench.results.traces import FILE as TRACES
    from vdf_bench.results.traces import write_traces

    say("writing tables, plots and page")
    parts = Parts(run)
    gates = parts.collector.gates()
    run.out.mkdir(parents=True, exist_ok=True)
    report.save_media(run.out, pictures(replace(run, plan=pictured(run.plan)), parts.collector.ended))
    parts.join(run.out / "results.parquet")
    write_traces(traces(run), run.out / TRACES)
    record = describe(run, tally, gates, time.perf_counter() - begun)
    record_costs(run, record["steps"])
    if run.config:
        write_atomically(run.out / "config.toml", run.config.encode("utf-8", "replace"))
    write_atomically(run.out / "run.json", json.dumps(record, indent=1, sort_keys=True, allow_nan=False).encode())
    report.build(run.out)
    # Written last: a run that was cut off before it is completed by the next one, and so is one with missing cells.
    whole = not tally.failures and not tally.unreached
    held = {"matrix": asked.matrix, "run": asked.identity if whole else ""}
    write_atomically(run.out / COMPLETE, canonical(held).encode())
    if whole:
        parts.clear()


def _held(out: Path) -> dict[str, str]:
    """What the run folder says that it holds: of a finished run ``matrix`` and ``run``; nothing of what is damaged."""
    try:
        held = json.loads((out / COMPLETE).read_text())
        return {"matrix": str(held["matrix"]), "run": str(held["run"])}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, KeyError, TypeError):
        return {"matrix": "", "run": ""}


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
    return _held(out).get("run") == identity
