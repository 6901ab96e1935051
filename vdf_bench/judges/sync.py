"""Sync-C and Sync-D: lips against the voice, by SyncNet; only where the user has its weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from vdf_bench.core.cards import Card
from vdf_bench.core.metrics import Metric
from vdf_bench.judges.base import BaseJudge
from vdf_bench.judges.observe import observe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from vdf_bench.core.interfaces import Evidence
    from vdf_bench.core.metrics import Measurement

    Floats = NDArray[np.float64]

#: Sound is tried this many frames earlier and later.
SHIFTS: Final = 15
#: The official crop: so much around the face on three sides, twice as much below; grey where the picture ends.
MARGIN: Final = 0.4
GREY: Final = 110
#: Landmarks end at the brows; the official detector's box reaches this much of brow-to-chin above them.
FOREHEAD: Final = 0.25
#: Frames over which boxes are steadied by a median.
STEADY: Final = 13


class Synchrony(NamedTuple):
    """What SyncNet's distances say.

    Attributes:
        confidence: Sync-C, the median over shifts of the mean distance, minus the least.
        distance: Sync-D, the least mean distance.
        offset: frames by which the sound must be moved later to fit best.
    """

    confidence: float
    distance: float
    offset: int


METRICS: Final = (
    Metric("sync_c", "clone", "", "up", 0, math.inf, "distances averaged over windows of 5 held-out frames",
           "SyncNet v2, shifts of the sound by -15..15 frames: median of the mean distances minus the least; face "
           "crops by the true frames' landmarks", "syncnet"),
    Metric("sync_d", "clone", "", "down", 0, math.inf, "distances averaged over windows of 5 held-out frames",
           "SyncNet v2: the least mean distance of lips and sound over those shifts", "syncnet"),
)  # fmt: skip


class Sync(BaseJudge):
    """Lips against the voice."""

    card = Card(
        name="sync",
        title="Lip synchrony",
        summary="Sync-C and Sync-D of the clone's held-out frames, by the user's SyncNet v2. Faces are cut out by the "
        "landmarks of the true frames, not by S3FD, and small clips are enlarged to its 224 px: compare figures of one "
        "run, not with papers.",
        source="Out of time, Chung and Zisserman, ACCV workshops 2016",
        url="https://www.robots.ox.ac.uk/~vgg/publications/2016/Chung16a/",
        year=2016,
    )
    stage = "clone"
    metrics = METRICS

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        from vdf_bench.assets.third_party import present

        if not present("syncnet") or not len(evidence.clip.audio):
            return
        from vdf_bench.capture.cepstra import cepstra
        from vdf_bench.models.syncnet import WINDOW, load_syncnet

        seen = observe(evidence)
        held, faces = seen.split.heldout, seen.true_faces
        starts = windows(held, faces.seen, WINDOW)
        if not len(starts):  # nobody to be seen on the true frames: there is nothing to be in time with
            return
        network = load_syncnet()
        crops = face_crops(seen.clone_frames, faces.points, np.cumsum(np.diff(held, prepend=held[0]) != 1))
        lips = network.embed_faces(crops, starts)
        sound = network.embed_sound(cepstra(seen.clip.audio))
        if not len(sound):
            return
        found = synchrony(mean_distances(lips, sound, held[starts]))
        yield self.measurement("sync_c", found.confidence, len(starts))
        yield self.measurement("sync_d", found.distance, len(starts))

    def missing(self) -> str | None:
        from vdf_bench.assets.third_party import how_to_get, present

        return None if present("syncnet") else f"sync_c, sync_d: no SyncNet; {how_to_get('syncnet')}"


def windows(frames: NDArray[np.int64], seen: NDArray[np.bool_], length: int) -> NDArray[np.int64]:
    """Positions at which ``length`` successive frames begin, all with a face; ``frames`` (B,) are clip positions."""
    starts = [
        k
        for k in range(len(frames) - length + 1)
        if frames[k + length - 1] - frames[k] == length - 1 and seen[k : k + length].all()
    ]
    return np.array(starts, np.int64)


def mean_distances(lips: NDArray[np.float32], sound: NDArray[np.float32], times: NDArray[np.int64]) -> Floats:
    """Mean distance of lips to the sound that many frames later, for shifts of -15 to 15: (31,).

    Sound before the clip's beginning and after its end is left out of the mean; a shift that no window has takes the
    largest mean of the others.

    Args:
        lips: (N, D) embeddings of faces.
        sound: (F, D) embeddings of sound, one a frame.
        times: (N,) frame at which each face's window begins.
    """
    means = np.full(2 * SHIFTS + 1, np.nan)
    for k, shift in enumerate(range(-SHIFTS, SHIFTS + 1)):
        there = (times + shift >= 0) & (times + shift < len(sound))
        if there.any():
            # PyTorch's pairwise distance adds 1e-6 to every difference.
            difference = lips[there].astype(np.float64) - sound[times[there] + shift] + 1e-6
            means[k] = np.linalg.norm(difference, axis=1).mean()
    worst = float(np.nanmax(means)) if np.isfinite(means).any() else 0.0
    return np.where(np.isnan(means), worst, means)


def synchrony(means: Floats) -> Synchrony:
    """Confidence, distance and offset of mean distances (31,) by shift, as the official evaluation takes them."""
    best = int(means.argmin())
    return Synchrony(float(np.median(means) - means[best]), float(means[best]), SHIFTS - best)


def face_crops(
    frames: NDArray[np.uint8], points: NDArray[np.float32], blocks: NDArray[np.int64], edge: int = 224
) -> NDArray[np.uint8]:
    """Squares around faces, (B, edge, edge, 3).

    Args:
        frames: (B, H, W, 3) RGB.
        points: (B, 68, 2) landmarks, pixels.
        blocks: (B,) equal for successive frames: boxes are steadied within a block.
        edge: of a crop.
    """
    import torch
    import torch.nn.functional as F
    from scipy.ndimage import median_filter

    low, high = points.min(1).astype(np.float64), points.max(1).astype(np.float64)
    low[:, 1] -= FOREHEAD * (high[:, 1] - low[:, 1])
    boxes = np.concatenate([(low + high) / 2, (high - low).max(1, keepdims=True) / 2], 1)
    for block in _runs(blocks):
        boxes[block] = median_filter(boxes[block], (STEADY, 1), mode="nearest")
    axis = torch.arange(edge, dtype=torch.float64) / edge + 0.5 / edge
    out = np.empty((len(frames), edge, edge, 3), np.uint8)
    height, width = frames.shape[1:3]
    for k, (x, y, half) in enumerate(boxes):
        side = max(half, 1.0) * 2 * (1 + MARGIN)
        columns, rows = x - side / 2 + axis * side, y - half + axis * side
        grid = torch.stack(torch.meshgrid(columns * 2 / width - 1, rows * 2 / height - 1, indexing="xy"), -1).float()
        picture = torch.from_numpy(np.ascontiguousarray(frames[k])).permute(2, 0, 1)[None].float() - GREY
        crop = F.grid_sample(picture, grid[None], "bilinear", "zeros", False)[0] + GREY
        out[k] = crop.round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
    return out


def _runs(blocks: NDArray[np.int64]) -> Iterable[NDArray[np.int64]]:
    return np.split(np.arange(len(blocks)), np.nonzero(np.diff(blocks))[0] + 1)
