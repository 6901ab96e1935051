"""The contract of judges."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, get_args

import numpy as np

from vdf_bench.core.interfaces import Edits, Evidence, Rendering, Stage
from vdf_bench.judges import judge_all
from vdf_bench.testing.component import begin
from vdf_bench.testing.footage import capture, clip, headless, truth

if TYPE_CHECKING:
    from vdf_bench.core.cards import Component
    from vdf_bench.core.interfaces import Measurement
    from vdf_bench.testing.report import Report

_STAGES: Final = ("protect", "capture", "clone", "edit")


def check_judge(judge: type[Component] | Component) -> Report:
    """Check that a judge gives finite figures, the same each time, of defenses that did nothing, much, or everything.

    Args:
        judge: class or instance; see :class:`vdf_bench.core.interfaces.Judge`.

    Returns:
        a report with the facts ``undefended METRIC`` for each figure of an undefended cell.

    Raises:
        AssertionError: a property does not hold.
    """
    report, new = begin(judge, "judges", "measure")
    stage = getattr(new(), "stage", None)
    report.require(
        stage in _STAGES, "it names the stage that it judges", repr(stage), f"set `stage` to one of {_STAGES}"
    )
    for name, evidence in _cases(str(stage)).items():
        rows = _measured(new(), evidence)
        for row in rows:
            _check_row(report, name, row)
        names = [(row.stage, row.metric) for row in rows]
        report.require(
            len(set(names)) == len(names),
            "it gives each metric once",
            f"{sorted(names)} of {name}",
            "yield one Measurement for each metric",
        )
        report.require(
            rows == _measured(new(), evidence),
            "asked twice, it gives the same figures",
            f"other figures of {name}",
            "draw from generators with fixed seeds, and keep no state between calls",
        )
        if name == "an undefended cell":
            report.facts |= {f"undefended {row.metric}": row.value for row in rows}
    return report


def _measured(judge: Any, evidence: Evidence) -> list[Measurement]:
    return judge_all(evidence, [judge], judge.stage)


def _check_row(report: Report, case: str, row: Measurement) -> None:
    report.require(
        isinstance(row.value, float) and math.isfinite(row.value),
        "its figures are finite floats, also of failed and faceless clones",
        f"{row.metric} = {row.value!r} of {case}",
        "map what cannot be measured to a defined value, or leave the row out",
    )
    report.require(
        row.stage in get_args(Stage) and row.better in ("up", "down") and row.n >= 0,
        "its figures have a stage, a direction, and the number of frames behind them",
        f"{row} of {case}",
        "see vdf_bench.core.interfaces.Measurement",
    )


def _cases(stage: str) -> dict[str, Evidence]:
    """Cells in which a defense did nothing, something, or so much that nobody could be cloned."""
    source, known, seen = clip(), truth(), capture()
    noise = np.random.default_rng(0).integers(-8, 9, source.frames.shape)
    noisy = np.clip(source.frames + noise, 0, 255).astype(np.uint8)
    undefended = Evidence(source, seen.split, source.frames)
    cost = {"protect": 1.0, "purify": 1.0, "capture": 1.0, "fit": 1.0, "drive": 1.0}
    base = replace(undefended, seconds=cost, peak_mib={name: 100.0 for name in cost})
    if stage == "protect":
        log = {"iterations": [1.0] * len(source)}
        return {"an undefended cell": base, "a noisy clip": replace(base, protected=noisy, log=log)}
    if stage == "edit":
        before, after = (Edits(("one", "two"), frames[:2]) for frames in (source.frames[::-1], noisy[::-1]))
        still = replace(base, edits=before, clean_edits=before, outcome="edited")
        return {"an undefended cell": still, "spoilt edits": replace(still, protected=noisy, edits=after)}
    base = replace(base, capture=seen, clean_capture=seen)
    if stage == "capture":
        return {
            "an undefended cell": base,
            "a capture without a face": replace(base, protected=noisy, capture=headless()),
            "a refused capture": replace(
                base, protected=noisy, capture=None, outcome="refused", code="no_face@frame 0"
            ),
        }
    held = seen.split.heldout
    alpha = seen.head[held].astype(np.float32)
    assert known.depth is not None
    cloned = Rendering(source.frames[held], known.depth[held] * alpha, alpha)
    black = Rendering(np.zeros_like(cloned.rgb), np.zeros_like(alpha), np.zeros_like(alpha))
    frozen = replace(cloned, rgb=np.repeat(cloned.rgb[:1], len(held), 0), depth=None, alpha=None)
    base = replace(base, rendering=cloned, clean_rendering=cloned)
    spoilt = replace(base, protected=noisy)
    return {
        "an undefended cell": base,
        "a black clone": replace(spoilt, rendering=black),
        "a frozen clone without depth": replace(spoilt, rendering=frozen),
        "a fit that failed": replace(spoilt, rendering=None, outcome="diverged", code="nan@iteration 1"),
        "a refused capture": replace(
            spoilt, rendering=None, capture=None, outcome="refused", code="no_face@frame 0"
        ),
        "a refused capture of the clean clip": replace(
            spoilt, clean_rendering=None, clean_capture=None, rendering=None, outcome="refused", code="no_face@frame 0"
        ),
    }  # fmt: skip
