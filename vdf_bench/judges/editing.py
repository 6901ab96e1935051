"""What a protection does to attribute edits: edits of the protected portrait beside edits of the clean one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from pydantic import Field

from vdf_bench.core.cards import Card, Parameters
from vdf_bench.core.metrics import Metric
from vdf_bench.judges.base import BaseJudge
from vdf_bench.judges.dsr import L2, masked_l2
from vdf_bench.judges.observe import observe
from vdf_bench.judges.pixels import PSNR_CAP, psnr, ssim
from vdf_bench.models.perceptual import backbone_path, lpips_distances

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vdf_bench.core.interfaces import Evidence
    from vdf_bench.core.metrics import Measurement
    from vdf_bench.judges.observe import Observation

    Pictures = NDArray[np.uint8]

#: Change of a pixel, summed over RGB in [-1, 1], from which it counts as edited (CMUA, ``evaluate.py``).
EDITED: Final = 0.5
#: Fewest edited pixels of an edit that counts: fewer would be judged by noise.
MIN_EDITED: Final = 0.001


class EditingParameters(Parameters):
    """When an edit counts as spoilt."""

    max_l2: float = Field(0.05, gt=0, description="of dsr_l2, the threshold of Disrupting Deepfakes, CMUA and GRASP")


EDITS: Final = "mean over the editor's changes"
METRICS: Final = (
    L2,
    Metric("edit_l1", "edit", "", "down", 0, 2, EDITS, "mean absolute difference to the clean edit, RGB in [-1,1]",
           shown=False),
    Metric("edit_l2", "edit", "", "down", 0, 4, EDITS, "mean squared difference to the clean edit, RGB in [-1,1]",
           shown=False),
    Metric("edit_l2_masked", "edit", "", "down", 0, 4, EDITS,
           "the same where the clean edit changed the portrait by more than .5, summed over RGB in [-1,1] (CMUA); "
           "edits that changed nothing are left out", shown=False),
    Metric("edit_psnr", "edit", "dB", "up", 0, PSNR_CAP, EDITS, "PSNR to the clean edit", shown=False),
    Metric("edit_ssim", "edit", "", "up", -1, 1, EDITS, "SSIM to the clean edit", shown=False),
    Metric("edit_lpips", "edit", "", "down", 0, math.inf, EDITS,
           "LPIPS v0.1 to the clean edit, AlexNet backbone", "alexnet", shown=False),
    Metric("edit_area", "edit", "", "up", 0, 1, EDITS,
           "share of pixels where the clean edit changed the portrait by more than .5, summed over RGB in [-1,1]",
           shown=False),
    Metric("edit_identity", "edit", "", "up", -1, 1, EDITS,
           "cosine between the original portrait and the edit, by the clip's recogniser; faceless edits count 0",
           shown=False),
    Metric("identity_drop", "edit", "", "down", -2, 2, EDITS,
           "cosine of the clean edit less that of this one: the change of identity beyond the editor's own drift "
           "(after CIDR of the ICML 2026 benchmark, as a difference)", shown=False),
)  # fmt: skip


class Editing(BaseJudge):
    """``dsr_l2``, distances to the clean edit, and identity."""

    card = Card(
        name="editing",
        title="Spoilt attribute edits",
        summary="Edits of the protected portrait against those of the clean one through the same attacker: masked L2 "
        "and its success rate, L1, L2, PSNR, SSIM, LPIPS where its weights are, and the change of identity beyond "
        "the editor's own drift.",
        source="masked L2 and its threshold: Huang et al., CMUA-Watermark, AAAI 2022",
        url="https://arxiv.org/abs/2105.10872",
        year=2022,
    )
    parameters_model = EditingParameters
    stage = "edit"
    metrics = METRICS

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        if evidence.edits is None or evidence.clean_edits is None:
            return
        made, clean = evidence.edits.rgb, evidence.clean_edits.rgb
        count = len(made)
        mask = edited(clean, resized(evidence.clip.frames[0], made.shape[1]))
        area = mask.mean((1, 2))
        counts = area >= MIN_EDITED
        distances = masked_l2(made, clean, mask)[counts]
        spoilt = (distances > self.parameters.max_l2).mean() if counts.any() else 0.0
        yield self.measurement("dsr_l2", spoilt, int(counts.sum()), stage="edit")
        yield self.measurement("edit_l2_masked", distances.mean() if counts.any() else 0.0, int(counts.sum()))
        difference = (made.astype(np.float32) - clean) * (2 / 255)
        yield self.measurement("edit_l1", np.abs(difference).mean(dtype=np.float64), count)
        yield self.measurement("edit_l2", np.square(difference).mean(dtype=np.float64), count)
        pairs = list(zip(made, clean, strict=True))
        yield self.measurement("edit_psnr", np.mean([psnr(*pair) for pair in pairs]), count)
        yield self.measurement("edit_ssim", np.mean([ssim(*pair) for pair in pairs]), count)
        if backbone_path("alex").is_file():
            yield self.measurement("edit_lpips", lpips_distances("alex", made, clean).mean(), count)
        yield self.measurement("edit_area", area.mean(), count)
        seen = observe(evidence)
        now, before = np.split(cosines(seen, np.concatenate([made, clean])), 2)
        yield self.measurement("edit_identity", now.mean(), count)
        yield self.measurement("identity_drop", (before - now).mean(), count)


def resized(picture: Pictures, size: int) -> Pictures:
    """(H, W, 3) uint8 at the editor's size (bilinear, antialiased, as editors themselves resize)."""
    if len(picture) == size:
        return picture
    from PIL import Image

    return np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.BILINEAR))


def edited(edits: Pictures, portrait: Pictures) -> NDArray[np.bool_]:
    """(E, S, S) where edits (E, S, S, 3) changed the portrait (S, S, 3)."""
    change = np.abs(edits.astype(np.int16) - portrait).sum(-1) * (2 / 255)
    mask: NDArray[np.bool_] = change > EDITED
    return mask


def cosines(seen: Observation, edits: Pictures) -> NDArray[np.float64]:
    """(E,) cosine of each edit to the original portrait; 0 where either has no face."""
    portrait = resized(seen.clip.frames[0], edits.shape[1])
    # Landmarks of the portrait serve the edits: none of them moves the face, and spoilt ones would misplace the crop.
    faces = seen.find(np.concatenate([portrait[None], edits]))
    cosine = np.zeros(len(edits))
    if faces.seen[0] and faces.seen[1:].any():
        points = np.repeat(faces.points[:1], len(edits) + 1, 0)
        found = seen.recogniser.embed(np.concatenate([portrait[None], edits]), points)
        found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
        cosine = np.where(faces.seen[1:], found[1:] @ found[0], 0.0)
    return np.clip(np.nan_to_num(cosine), -1, 1).astype(np.float64)
