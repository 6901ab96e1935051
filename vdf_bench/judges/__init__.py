"""Judges: what was done to the picture, to the capture, to the clone, and at what cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from vdf_bench.interfaces import Evidence, Judge, Measurement


def judge_all(
    evidence: Evidence, judges: Sequence[Judge], stage: Literal["protect", "capture", "clone"]
) -> list[Measurement]:
    """Let every judge of ``stage`` measure ``evidence``, in the order given; networks see each frame once.

    A recogniser that one judge was given by file serves the whole cell, so that identity and success rate agree.

    Raises:
        UserError: a judge's model cannot be loaded.
    """
    from vdf_bench.judges.observe import observe
    from vdf_bench.judges.recognise import RecogniserParameters, recogniser_of

    called = [judge for judge in judges if judge.stage == stage]
    settings = [getattr(judge, "parameters", None) for judge in called]
    files = [s for s in settings if isinstance(s, RecogniserParameters) and s.onnx]
    seen = observe(evidence, recogniser_of(files[0]) if files else None)
    return [row for judge in called for row in judge.measure(seen)]
