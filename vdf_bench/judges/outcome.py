"""Outcomes are classes before they are numbers: how a fit ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdf_bench.judges.field import alpha_head, frame_change_ratio
from vdf_bench.judges.observe import observe

if TYPE_CHECKING:
    from vdf_bench.core.interfaces import Evidence, Outcome

#: Clones measured .98 opacity in the head and .8 of the truth's motion; frozen ones .02 to .04 and .03 to .07.
FROZEN_ALPHA: Final = 0.3
FROZEN_CHANGE: Final = 0.3


def classify(evidence: Evidence) -> tuple[Outcome, str]:
    """Outcome of a cell, and a code with detail.

    A fit that ended otherwise keeps its outcome; a trained one is ``frozen`` when the field is empty where the head
    should be (the face then comes out of the plate) or hardly moves. Of a clone that is a video only, motion decides.
    """
    if evidence.outcome != "trained":
        return evidence.outcome, evidence.code
    if evidence.rendering is None:
        return "diverged", evidence.code or "no-rendering"
    seen = observe(evidence)
    alpha, (change, _) = alpha_head(seen), frame_change_ratio(seen)
    if alpha is not None and alpha < FROZEN_ALPHA:
        return "frozen", f"alpha_head={alpha:.2f}"
    if change < FROZEN_CHANGE:
        return "frozen", f"frame_change_ratio={change:.2f}"
    return "trained", evidence.code


def is_frozen(evidence: Evidence) -> bool:
    """Whether a trained field shows a static or an empty head."""
    return classify(evidence)[0] == "frozen"
