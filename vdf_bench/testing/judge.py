"""The contract of judges."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vdf_bench.core.errors import UserError
from vdf_bench.core.interfaces import Edits, Evidence, Rendering
from vdf_bench.core.metrics import STAGES
from vdf_bench.judges import judge_all
from vdf_bench.testing.component import begin
from vdf_bench.testing.footage import capture, clip, headless, truth

if TYPE_CHECKING:
    from vdf_bench.core.cards import Component
    from vdf_bench.core.metrics import Measurement
    from vdf_bench.testing.report import Report

_STAGES: Final = ("protect", "capture", "clone", "edit")


def check_judge(judge: type[Component] | Component) -> Report:
    """Check that a judge gives figures as it declares them, the same each time, whatever a defense did.

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
    declared = new().declared() if hasattr(new(), "declared") else ()
    report.require(
        len({metric.name for metric in declared}) == len(declared) > 0,
        "it declares its metrics, each once",
        f"{[metric.name for metric in declared]}",
        "derive it from vdf_bench.judges.base.BaseJudge and set `metrics`",
    )
    for name, evidence in _cases(str(stage)).items():
        rows = _measured(report, new(), evidence, name)
        names = [(row.stage, row.metric) for row in rows]
        report.require(
            len(set(names)) == len(names),
            "it gives each metric once",
            f"{sorted(names)} of {name}",
            "yield one Measurement for each metric",
        )
        report.require(
            rows == _measured(report, new(), evidence, name),
            "asked twice, it gives the same figures",
            f"other figures of {name}",
            "draw from generators with fixed seeds, and keep no state between calls",
        )
        if name == "an undefended cell":
            report.facts |= {f"undefended {row.metric}": row.value for row in rows}
    return report


def _measured(report: Report, judge: Any, evidence: Evidence, case: str) -> list[Measurement]:
    rows: list[Measurement] = []
    fault = ""
    try:
        rows = judge_all(evidence, [judge], judge.stage)
    except (UserError, ValueError) as error:
        fault = str(error)
    report.require(
        not fault,
        "its figures are finite and as declared, also of failed and faceless clones",
        f"{fault} ({case})",
        "declare the metric; map what cannot be measured to a value within its bounds, or leave the row out",
    )
    odd = [row for row in rows if row.stage not in STAGES or row.n < 0]
    report.require(
        not odd,
        "its figures have a stage and the number of frames behind them",
        f"{odd} ({case})",
        "see vdf_bench.core.metrics.Measurement",
    )
    return rows


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
