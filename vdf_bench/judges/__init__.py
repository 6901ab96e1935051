"""Judges: what was done to the picture, to the capture, to the clone, and at what cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Literal

    from vdf_bench.core.interfaces import Evidence, Judge
    from vdf_bench.core.metrics import Measurement
    from vdf_bench.judges.observe import Tools


def judge_all(
    evidence: Evidence,
    judges: Sequence[Judge],
    stage: Literal["protect", "capture", "clone", "edit"],
    tools: Tools | None = None,
) -> list[Measurement]:
    """Let every judge of ``stage`` measure ``evidence``, in the order given; networks see each frame once.

    One landmarker and one recogniser serve the whole cell (``tools``; the default ones if None), so that identity and
    success rate agree.

    Raises:
        UserError: a judge's model cannot be loaded, or it gives rows that it does not declare.
    """
    from vdf_bench.judges.observe import observe

    seen = observe(evidence, tools)
    return [row for judge in judges if judge.stage == stage for row in _measured(judge, seen)]


def _measured(judge: Judge, evidence: Evidence) -> Iterator[Measurement]:
    """Rows of a judge that are as it declares them."""
    from vdf_bench.core.errors import UserError
    from vdf_bench.judges.base import metric_of

    for row in judge.measure(evidence):
        metric = metric_of(judge, row.metric)
        if (row.unit, row.better) != (metric.unit, metric.better) or not metric.holds(row.value):
            raise UserError(f"judge {judge.card.name!r} does not measure {row.metric!r} as it declares it: {row}")
        yield row
