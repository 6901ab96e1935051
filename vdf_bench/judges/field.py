"""How well the 3D field reproduces the person: held-out frames against truth, inside the head."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.core.cards import Card
from vdf_bench.judges.base import BaseJudge
from vdf_bench.judges.definitions import PSNR_CAP, RATIO_CAP, measurement
from vdf_bench.judges.observe import observe
from vdf_bench.judges.pixels import masked_ssim, psnr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vdf_bench.core.interfaces import Evidence, Measurement
    from vdf_bench.judges.observe import Observation


class Field(BaseJudge):
    """Head PSNR and SSIM, depth, opacity and motion of the clone."""

    card = Card(
        name="field",
        title="Field quality",
        summary="PSNR and SSIM inside the head against the true clean frames and the clean twin's clone, depth error "
        "where the truth is rendered, opacity and motion inside the head.",
    )
    stage = "clone"

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        seen = observe(evidence)
        count = len(seen.true_frames)
        yield measurement("head_psnr", head_psnr(seen).mean(), count)
        trios = list(zip(seen.clone_frames, seen.true_frames, seen.head, strict=True))
        yield measurement("head_ssim", np.mean([masked_ssim(*trio) for trio in trios]), count)
        yield measurement("frame_psnr", np.mean([psnr(clone, true) for clone, true, _ in trios]), count)
        twin = seen.clean_rendering
        if twin is not None:
            pairs = zip(seen.clone_frames, twin.rgb, seen.head, strict=True)
            yield measurement("head_psnr_to_clean", np.mean([psnr(*pair) for pair in pairs]), count)
        elif seen.undefended:
            yield measurement("head_psnr_to_clean", PSNR_CAP, 0)  # its own twin
        truth = seen.clip.truth
        if truth is not None and truth.depth is not None and seen.depth is not None:
            yield measurement("depth_mae", depth_error(seen.depth, truth.depth[seen.split.heldout], seen.head), count)
        alpha = alpha_head(seen)
        if alpha is not None:
            yield measurement("alpha_head", alpha, count)
        outside = alpha_outside(seen)
        if outside is not None:
            yield measurement("alpha_outside", outside, count)
        ratio, pairs_seen = frame_change_ratio(seen)
        yield measurement("frame_change_ratio", ratio, pairs_seen)


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
