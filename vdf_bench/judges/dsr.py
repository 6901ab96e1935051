"""Defense success rate: on how many held-out frames does the clone fail as a clone?

Raw, as every metric; the table nets it against the clean arm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from pydantic import Field

from vdf_bench.core.cards import Card, Parameters
from vdf_bench.core.metrics import Metric
from vdf_bench.judges.base import SHARE, BaseJudge
from vdf_bench.judges.field import frame_alpha, head_psnr
from vdf_bench.judges.lips import STILL, energy_ratio
from vdf_bench.judges.observe import observe
from vdf_bench.judges.outcome import is_frozen
from vdf_bench.judges.points import correlation, deviation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vdf_bench.core.interfaces import Evidence
    from vdf_bench.core.metrics import Measurement
    from vdf_bench.judges.observe import Observation

    Flags = NDArray[np.bool_]


class DsrParameters(Parameters):
    """When a frame fails. Nearest-pose copies reach 16 to 23 dB, clones 25 to 32, poisoned ones 16 to 19."""

    min_correlation: float = Field(0.3, ge=-1, le=1, description="lips that follow the truth less do not follow")
    min_energy: float = Field(0.25, ge=0, description="lips that move less, relative to the truth, stand still")
    min_head_psnr: float = Field(20.0, ge=0, description="head PSNR in dB under which the picture is broken")
    min_alpha: float = Field(0.5, ge=0, le=1, description="mean opacity in the head under which there is a hole")
    max_l2: float = Field(0.05, gt=0, description="of dsr_l2, the threshold of CMUA and GRASP")


#: Of clones, and of edits.
L2: Final = Metric("dsr_l2", "clone", "", "up", 0, 1, SHARE,
    "mean squared difference inside the head to the clean twin's clone > .05, RGB in [-1,1] (CMUA, GRASP); "
    "of edits: edit_l2_masked > .05, share of the changes", shown=False)  # fmt: skip
METRICS: Final = (
    Metric("dsr", "clone", "", "up", 0, 1, SHARE,
           "defense success rate: share of frames that fail as a clone (dsr_identity or dsr_lips or dsr_quality)",
           shown=False),
    Metric("dsr_identity", "clone", "", "up", 0, 1, SHARE,
           "no face found, or cosine to the enrolment below the recogniser's threshold (FAR 1e-3)", shown=False),
    Metric("dsr_lips", "clone", "", "up", 0, 1, SHARE,
           "frames of a frozen clone, faceless frames, and blocks whose lips move < .25 of the truth or correlate "
           "< .3 with it (mean of Fisher's z, a third the block's, two thirds the clip's)", shown=False),
    Metric("dsr_quality", "clone", "", "up", 0, 1, SHARE,
           "head PSNR below 20 dB, or mean opacity in the head below .5", shown=False),
    L2,
)  # fmt: skip


class DefenseSuccess(BaseJudge):
    """Share of frames on which the clone is not its owner, does not speak, or falls apart."""

    card = Card(
        name="dsr",
        title="Defense success rate",
        summary="Share of held-out frames that fail as a clone: not recognised as the owner, frozen or lips that do "
        "not follow, or no intact head. Identity alone would pass a frozen, shattered face. dsr_l2 is the rate of "
        "the image-editing literature.",
        source="dsr_l2: CMUA-Watermark, AAAI 2022, and GRASP",
        url="https://arxiv.org/abs/2105.10872",
        year=2022,
    )
    parameters_model = DsrParameters
    stage = "clone"
    metrics = METRICS

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        seen = observe(evidence)
        count = len(seen.split.heldout)
        if seen.rendering is None:
            for name in ("dsr", "dsr_identity", "dsr_lips", "dsr_quality", "dsr_l2"):
                yield self.measurement(name, 1.0, 0)
            return
        chosen = self.parameters
        holes = frame_alpha(seen)
        broken = head_psnr(seen) < chosen.min_head_psnr
        parts = {
            "dsr_identity": ~seen.clone_faces.seen | (seen.cosines < seen.recogniser.threshold),
            "dsr_lips": fails_lips(seen, chosen.min_correlation, chosen.min_energy),
            "dsr_quality": broken if holes is None else broken | (holes < chosen.min_alpha),
        }
        yield self.measurement("dsr", np.logical_or.reduce(list(parts.values())).mean(), count)
        for name, fails in parts.items():
            yield self.measurement(name, fails.mean(), count)
        twin = seen.clean_rendering or (seen.rendering if seen.undefended else None)
        if twin is not None:
            distances = masked_l2(seen.rendering.rgb, twin.rgb, seen.head)
            yield self.measurement("dsr_l2", (distances > chosen.max_l2).mean(), count)


def masked_l2(picture: NDArray[np.uint8], reference: NDArray[np.uint8], mask: Flags) -> NDArray[np.float64]:
    """Mean squared difference of RGB in [-1, 1] inside ``mask``, (B,); 0 where the mask is empty."""
    difference = (picture.astype(np.float32) - reference) * (2 / 255)
    size = 3 * np.maximum(mask.sum((1, 2)), 1)
    total: NDArray[np.float64] = np.where(mask[..., None], difference**2, 0).sum((1, 2, 3), dtype=np.float64)
    mean: NDArray[np.float64] = total / size
    return mean


def fails_lips(seen: Observation, min_correlation: float, min_energy: float) -> Flags:
    """(B,) frames of a face that does not speak.

    All frames of a frozen clone fail, and faceless ones. The rest is decided a block at a time, as lip motion needs
    time. Blocks are short (often 12 frames, a handful of independent ones), so a block's own correlation is no
    verdict: it is drawn towards the clip's (:func:`shrink`). A block in which the owner hardly opens the mouth says
    nothing and takes the clip's verdict. Where the owner does not speak at all, lips fail nobody.
    """
    faceless = ~seen.clone_faces.seen
    if is_frozen(seen):
        return np.ones_like(faceless)
    fails = faceless.copy()
    lips = seen.lips
    spread = deviation(lips.truth)
    if spread < STILL:
        return fails
    pooled = correlation(lips.clone, lips.truth, STILL)
    pooled_energy = energy_ratio(lips.clone, lips.truth)
    for block in lips.blocks:
        clone, truth = lips.clone[block], lips.truth[block]
        r, energy = pooled, pooled_energy
        if deviation(truth) > spread / 3:
            r, energy = shrink(correlation(clone, truth, STILL), pooled), energy_ratio(clone, truth)
        fails[lips.frames[block]] |= r < min_correlation or energy < min_energy
    return fails


def shrink(block: float, pooled: float) -> float:
    """A block's correlation drawn towards the clip's: Fisher's z, the clip counting twice.

    On simulated openings in two blocks of 12 frames, lips that truly follow at r = .75, .6 and 0 fail on 4, 16 and
    75 % of frames (four blocks of 23: 0, 3 and 92 %); blocks judged alone fail on 10, 21 and 68 %.
    """
    z = np.arctanh(np.clip([block, pooled, pooled], -0.999, 0.999))
    return float(np.tanh(z.mean()))
