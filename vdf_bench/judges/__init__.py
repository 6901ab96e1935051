"""Judges: what was done to the picture, to the capture, to the clone, and at what cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Literal

    from vdf_bench.core.interfaces import Evidence, Judge
    from vdf_bench.core.metrics import Measurement


def judge_all(
    evidence: Evidence, judges: Sequence[Judge], stage: Literal["protect", "capture", "clone", "edit"]
) -> list[Measurement]:
    """Let every judge of ``stage`` measure ``evidence``, in the order given; networks see each frame once.

    One recogniser serves the whole cell, so that identity and success rate agree: the file that a judge was given, else
    the clip's own (:func:`vdf_bench.recognisers.recognise.choose`).

    Raises:
        UserError: a judge's model cannot be loaded, or it gives rows that it does not declare.
    """
    from vdf_bench.judges.observe import observe
    from vdf_bench.recognisers.recognise import RecogniserParameters, is_real, load, shared

    called = [judge for judge in judges if judge.stage == stage]
    settings = [getattr(judge, "parameters", None) for judge in called]
    asked = [setting for setting in settings if isinstance(setting, RecogniserParameters)]
    seen = observe(evidence, load(shared(asked), is_real(evidence.clip)) if asked else None)
    return [row for judge in called for row in _measured(judge, seen)]


def _measured(judge: Judge, evidence: Evidence) -> Iterator[Measurement]:
    """Rows of a judge that are as it declares them."""
    from vdf_bench.core.errors import UserError
    from vdf_bench.judges.base import metric_of

    for row in judge.measure(evidence):
        metric = metric_of(judge, row.metric)
        if (row.unit, row.better) != (metric.unit, metric.better) or not metric.holds(row.value):
            raise UserError(f"judge {judge.card.name!r} does not measure {row.metric!r} as it declares it: {row}")
        yield row
