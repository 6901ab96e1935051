"""How well the 3D field reproduces the person: held-out frames against truth, inside the head."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from vdf_bench.core.cards import Card
from vdf_bench.core.metrics import Metric
from vdf_bench.judges.base import HELD, BaseJudge
from vdf_bench.judges.observe import observe
from vdf_bench.judges.pixels import PSNR_CAP, masked_ssim, psnr
from vdf_bench.judges.points import RATIO_CAP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vdf_bench.core.interfaces import Evidence
    from vdf_bench.core.metrics import Measurement
    from vdf_bench.judges.observe import Observation


METRICS: Final = (
    Metric("head_psnr", "field", "dB", "up", 0, PSNR_CAP, HELD,
           "PSNR inside the head against the true clean frame; a failed fit counts as the empty backdrop", shown=False),
    Metric("head_ssim", "field", "", "up", -1, 1, HELD,
           "SSIM map averaged inside the head, against the true clean frame", shown=False),
    Metric("frame_psnr", "field", "dB", "up", 0, PSNR_CAP, HELD,
           "PSNR of the whole frame (head, torso and plate) against the true clean frame", shown=False),
    Metric("head_psnr_to_clean", "field", "dB", "up", 0, PSNR_CAP, HELD,
           "PSNR inside the head against the clone made from the clean clip", shown=False),
    Metric("depth_mae", "field", "head units", "down", 0, math.inf, "mean over head pixels",
           "depth error inside the head after removing each frame's median difference (distance and focal length "
           "cannot be told apart); transparent pixels count as a flat board", shown=False),
    Metric("alpha_head", "field", "", "up", 0, 1, "mean over head pixels",
           "mean opacity of the field inside the head", shown=False),
    Metric("alpha_outside", "field", "", "down", 0, 1, "mean over pixels of the room",
           "mean opacity of the field where the true frame shows neither head, neck nor cloth", shown=False),
    Metric("frame_change_ratio", "field", "", "up", 0, RATIO_CAP, "ratio of means over frame pairs of a block",
           "mean change inside the head from frame to frame, over that of the true frames", shown=False),
)  # fmt: skip


class Field(BaseJudge):
    """Head PSNR and SSIM, depth, opacity and motion of the clone."""

    card = Card(
        name="field",
        title="Field quality",
        summary="PSNR and SSIM inside the head against the true clean frames and the clean twin's clone, depth error "
        "where the truth is rendered, opacity and motion inside the head.",
    )
    stage = "clone"
    metrics = METRICS

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        seen = observe(evidence)
        count = len(seen.true_frames)
        yield self.measurement("head_psnr", head_psnr(seen).mean(), count)
        trios = list(zip(seen.clone_frames, seen.true_frames, seen.head, strict=True))
        yield self.measurement("head_ssim", np.mean([masked_ssim(*trio) for trio in trios]), count)
        yield self.measurement("frame_psnr", np.mean([psnr(clone, true) for clone, true, _ in trios]), count)
        twin = seen.clean_rendering
        if twin is not None:
            pairs = zip(seen.clone_frames, twin.rgb, seen.head, strict=True)
            yield self.measurement("head_psnr_to_clean", np.mean([psnr(*pair) for pair in pairs]), count)
        elif seen.undefended:
            yield self.measurement("head_psnr_to_clean", PSNR_CAP, 0)  # its own twin
        truth = seen.clip.truth
        if truth is not None and truth.depth is not None and seen.depth is not None:
            yield self.measurement(
                "depth_mae", depth_error(seen.depth, truth.depth[seen.split.heldout], seen.head), count
            )
        alpha = alpha_head(seen)
        if alpha is not None:
            yield self.measurement("alpha_head", alpha, count)
        outside = alpha_outside(seen)
        if outside is not None:
            yield self.measurement("alpha_outside", outside, count)
        ratio, pairs_seen = frame_change_ratio(seen)
        yield self.measurement("frame_change_ratio", ratio, pairs_seen)


def head_psnr(seen: Observation) -> NDArray[np.float64]:
    """PSNR inside the head of every held-out frame, (B,) dB."""
    trios = zip(seen.clone_frames, seen.true_frames, seen.head, strict=True)
    return np.array([psnr(clone, true, head) for clone, true, head in trios])


def frame_alpha(seen: Observation) -> NDArray[np.float64] | None:
    """Mean opacity inside the head of every held-out frame, (B,); 1 where there is no head to cover; None unknown."""
    if seen.alpha is None:
        return None
    size = seen.head.sum((1, 2))
    covered = (seen.alpha * seen.head).sum((1, 2), dtype=np.float64)
    return np.where(size > 0, covered / np.maximum(size, 1), 1.0)


def alpha_head(seen: Observation) -> float | None:
    """Mean opacity over all head pixels; None where the clone is a video only."""
    covered = frame_alpha(seen)
    if covered is None:
        return None
    return float(covered @ (weight := seen.head.sum((1, 2))) / weight.sum()) if seen.head.any() else 1.0


def alpha_outside(seen: Observation) -> float | None:
    """Mean opacity over all pixels that show neither head nor neck nor cloth; 0 where none does, None unknown."""
    if seen.alpha is None:
        return None
    return float(seen.alpha[seen.room].mean(dtype=np.float64)) if seen.room.any() else 0.0


def frame_change_ratio(seen: Observation) -> tuple[float, int]:
    """Motion inside the head over the truth's, and the number of frame pairs behind it.

    A truth that stands still (under a tenth of a level) cannot be fallen short of: 1, of no pairs.
    """
    clone = true = 0.0
    count = 0
    for block in seen.split.each_block():
        for now, after in pairwise(block):
            head = seen.head[now] | seen.head[after]
            if head.any():
                clone += _change(seen.clone_frames, now, after, head)
                true += _change(seen.true_frames, now, after, head)
                count += 1
    if not count or true / count < 0.1:
        return 1.0, 0
    return min(clone / true, RATIO_CAP), count


def _change(frames: NDArray[np.uint8], now: int, after: int, head: NDArray[np.bool_]) -> float:
    return float(np.abs(frames[now][head].astype(np.int16) - frames[after][head]).mean())


def depth_error(depth: NDArray[np.float32], truth: NDArray[np.float32], head: NDArray[np.bool_]) -> float:
    """Mean absolute depth error over head pixels, head units.

    Head units are fixed by the face's proportions, but its distance trades against focal length, so each frame's
    median difference is removed. Pixels that the field left open (depth 0) count as a board at the true median depth.

    Args:
        depth: (B, S, S) of the field, camera z, 0 where there is no surface.
        truth: the same of the scene.
        head: (B, S, S) where to look.
    """
    errors = []
    for found, true, where in zip(depth, truth, head, strict=True):
        surface = where & (true > 0)
        if not surface.any():
            continue
        relief = true[surface] - np.median(true[surface])
        difference = found[surface] - true[surface]
        solid = found[surface] > 0
        if solid.any():
            difference = difference - np.median(difference[solid])
        errors.append(np.abs(np.where(solid, difference, relief)))
    return float(np.concatenate(errors).mean(dtype=np.float64)) if errors else 0.0
