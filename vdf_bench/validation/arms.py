"""The cells that validate the benchmark: planned, computed and collected like those of any run."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vdf_bench.attackers.attacker import Attacker
from vdf_bench.core.artifact import Artifact
from vdf_bench.core.budget import Budget
from vdf_bench.execute.costs import expected_seconds
from vdf_bench.plan import Plan, Request, build_plan
from vdf_bench.plan.run import Run
from vdf_bench.results.collect import collect
from vdf_bench.results.gather import fetch
from vdf_bench.runs.run import check_writable
from vdf_bench.stages.packing import unpack_clip
from vdf_bench.stats import paired_differences, per_unit
from vdf_bench.store import Store
from vdf_bench.validation import properties
from vdf_bench.validation.constructed import constructed_properties

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from vdf_bench.execute.schedule import Tally, Watcher
    from vdf_bench.validation.properties import PropertyResult

#: Bounds of the dose in 8-bit levels; the other properties take the third.
LEVELS: Final = (2.0, 6.0, 12.75, 25.5)
BOUND: Final = LEVELS[2]
#: Clips on which the dose is measured: weak bounds cost most.
DOSE_CLIPS: Final = 2
#: The parser that defenses differentiate, and another.
WHITE_BOX, TRANSFER = Attacker.parse("identity", "builtin"), Attacker.parse("identity", "heldout")


@dataclass(frozen=True)
class Validation:
    """What came of it.

    Attributes:
        properties: in the order of the page.
        rows: the result table that they follow from.
        clips, seeds: on which it rests.
    """

    properties: list[PropertyResult]
    rows: list[dict[str, Any]]
    clips: tuple[str, ...]
    seeds: tuple[int, ...]

    @property
    def ok(self) -> bool:
        """Whether every property holds."""
        return all(found.ok for found in self.properties)


def prepare_validation(request: Request, out: Path, store: Path | str | None = None) -> Run:
    """Plan the arms as one DAG: controls and vdf over seeds, another parser, and vdf at growing bounds.

    Args:
        request: names preset, clips, one victim and two seeds or more.
        out: folder of the results.
        store: of artifacts; None takes one inside ``out``.

    Raises:
        UserError: a name or value that does not exist.
    """
    seeds, clips = request.seeds, request.clips
    bound = (Budget(BOUND / 255),)
    doses = tuple(Budget(level / 255) for level in LEVELS if level != BOUND)
    base = replace(request, defenses=("vdf", "occlude"), controls=("noise",), budgets=bound, attackers=(WHITE_BOX,))
    merged = Plan()
    for asked in (
        base,
        replace(base, defenses=("vdf",), controls=(), attackers=(TRANSFER,), seeds=seeds[:1]),
        replace(base, defenses=("vdf",), controls=(), budgets=doses, seeds=seeds[:1], clips=clips[:DOSE_CLIPS]),
    ):
        merged.merge(build_plan(asked))  # the clean arm belongs to each of them
    return Run(out, Store(store or out / "store"), merged, base)


def repetition(run: Run) -> Run:
    """The vdf cell of the first clip and seed, up to its clone, into a store of its own."""
    cell = next(cell for cell in run.plan.cells if cell.defense == "vdf")
    alone = replace(cell, steps={"rendering": cell.steps["rendering"]})
    return replace(run, store=Store(run.out / "repetition"), plan=run.plan.restricted([alone]))


def complete_validation(run: Run, again: Run, jobs: int, watcher: Watcher) -> tuple[Validation, Tally]:
    """Compute what is missing and judge every property.

    Raises:
        UserError: an input that cannot serve, or a folder that cannot be written.
        StepFailedError: a step raised.
    """
    import pandas as pd

    from vdf_bench.execute.schedule import execute

    check_writable(run)
    tally = execute(run.plan, run.store, jobs, expected_seconds(run), watcher)
    execute(again.plan, again.store, jobs, expected_seconds(run), watcher)
    rows, _ = collect(run)
    clips = {cell.clip: unpack_clip(fetch(run, cell.steps["clip"])) for cell in run.plan.cells}
    identities = {name: clip.identity for name, clip in clips.items()}
    found = [
        *arm_properties(pd.DataFrame(rows), identities),
        properties.same_bytes(digests(run, again), digests(again, again)),
        *constructed_properties(list(clips.values()), run.request.preset.size),
    ]
    return Validation(found, rows, tuple(clips), run.request.seeds), tally


def arm_properties(df: pd.DataFrame, identities: dict[str, str]) -> list[PropertyResult]:
    """The properties of arms, from a result table.

    Args:
        df: the result table.
        identities: clip -> person.
    """
    dsr, psnr = (paired_differences(df, metric) for metric in ("dsr", "head_psnr"))
    seeds = sorted(int(seed) for seed in df["seed"].unique())

    def people(rows: pd.DataFrame, **where: Any) -> list[float]:
        """The effect on each person, by name of the person."""
        for column, value in ({"capture": WHITE_BOX.capture} | where).items():
            rows = rows[rows[column] == value]
        return [float(value) for value in per_unit(rows, "delta", identities).sort_index()]

    def mean(rows: pd.DataFrame, **where: Any) -> float:
        values = people(rows, **where)
        return float(np.mean(values)) if values else math.nan

    vdf: dict[str, Any] = {"defense": "vdf", "linf": BOUND}
    arms: dict[str, dict[str, Any]] = {"noise": {"defense": "noise"}, "vdf": vdf, "occlude": {"defense": "occlude"}}
    ranked = {seed: {arm: mean(dsr, seed=seed, **which) for arm, which in arms.items()} for seed in seeds}
    # Bounds are compared on the clips that have all of them.
    dosed = [set(dsr.loc[(dsr["defense"] == "vdf") & (dsr["linf"] == level), "clip"]) for level in LEVELS]
    shared = [rows[rows["clip"].isin(set.intersection(*dosed))] for rows in (dsr, psnr)]
    dose, drop = ([mean(rows, defense="vdf", linf=level, seed=seeds[0]) for level in LEVELS] for rows in shared)
    return [
        properties.no_effect(*(between_seeds(df, metric, identities) for metric in ("dsr", "head_psnr"))),
        properties.noise_is_harmless(people(dsr, **arms["noise"])),
        properties.hiding_is_total(people(dsr, **arms["occlude"])),
        properties.effect_grows(LEVELS, dose, [-change for change in drop]),
        properties.white_box_is_stronger(
            people(dsr, seed=seeds[0], **vdf), people(dsr, seed=seeds[0], capture=TRANSFER.capture, **vdf)
        ),
        properties.seeds_agree({seed: row for seed, row in ranked.items() if np.isfinite(list(row.values())).all()}),
    ]


def between_seeds(df: pd.DataFrame, metric: str, identities: dict[str, str]) -> list[float]:
    """What another seed alone does to a clean clone: second seed less first, for each person; void cells left out."""
    clean = df[
        (df["arm"] == "clean")
        & (df["metric"] == metric)
        & (df["outcome"] != "void")
        & (df["capture"] == WHITE_BOX.capture)
    ]
    table = clean.groupby(["clip", "seed"])["value"].mean().unstack("seed")
    if table.shape[1] < 2:
        return []
    change = (table.iloc[:, 1] - table.iloc[:, 0]).dropna()
    return [float(value) for value in change.groupby([identities[str(clip)] for clip in change.index]).mean()]


def digests(run: Run, cells: Run) -> dict[str, str]:
    """Name of each step of ``cells`` -> digest of what it made in the store of ``run``, but for what it cost."""
    found = {}
    for key, step in cells.plan.steps.items():
        made = fetch(run, key)
        meta = {name: value for name, value in made.meta.items() if name not in ("cost", "seconds")}
        found[step.name if step.name not in found else step.label] = hashlib.sha256(
            Artifact(made.arrays, meta).pack()
        ).hexdigest()
    return found
