"""Do the clone's lips follow?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdf_bench.capture.correlation import correlation_interval
from vdf_bench.core.cards import Card
from vdf_bench.judges.base import BaseJudge
from vdf_bench.judges.definitions import RATIO_CAP, measurement
from vdf_bench.judges.observe import observe
from vdf_bench.judges.points import centre_blocks, correlation, deviation, mouth_distance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from vdf_bench.core.interfaces import Evidence, Measurement

#: Openings that vary less than this share of the inter-ocular distance stand still.
STILL = 1e-3


class Lips(BaseJudge):
    """Mouth landmarks, lip motion and its correlation with the true frames'."""

    card = Card(
        name="lips",
        title="Lips",
        summary="Mouth landmark distance (M-LMD), correlation and energy of the inner-lip opening, clone against the "
        "true held-out frames, with one landmarker for both.",
        source="M-LMD: Chen et al., ECCV 2018, as used by RAD-NeRF and its descendants",
        url="https://arxiv.org/abs/1803.10404",
        year=2018,
    )
    stage = "clone"

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        seen = observe(evidence)
        lips, owner = seen.lips, seen.lips.frames
        count = len(owner)
        distance = mouth_distance(
            seen.clone_faces.points[owner], seen.true_faces.points[owner], seen.clone_faces.seen[owner]
        )
        # Without a single face on the true frames nothing can be compared; the clean gate voids such a cell.
        yield measurement("m_lmd", min(float(distance.mean()), 100.0) if count else 100.0, count)
        yield measurement("lip_correlation", correlation(lips.clone, lips.truth, STILL), count)
        low, high = block_interval(lips.clone, lips.truth, lips.blocks)
        yield measurement("lip_correlation_low", low, count)
        yield measurement("lip_correlation_high", high, count)
        yield measurement("mouth_energy", energy_ratio(lips.clone, lips.truth), count)


def energy_ratio(clone: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Standard deviation of the clone's centred openings over the truth's, at most 10.

    A still truth cannot be fallen short of: 1. No frames: 0.
    """
    if not len(truth):
        return 0.0
    true = deviation(truth)
    return min(deviation(clone) / true, RATIO_CAP) if true >= STILL else 1.0


def block_interval(
    clone: NDArray[np.float64], truth: NDArray[np.float64], blocks: Sequence[NDArray[np.int64]]
) -> tuple[float, float]:
    """95 % interval of ``lip_correlation``: the correlation pooled over blocks, each block's mean removed.

    Fisher's z with as many independent pairs as the autocorrelated openings are worth; see
    :func:`vdf_bench.capture.correlation.correlation_interval`.

    Args:
        clone: (J,) openings, such as :class:`vdf_bench.judges.observe.Lips` holds.
        truth: (J,) the owner's.
        blocks: positions into them, a block at a time.

    Returns:
        Low and high end; (-1, 1) where either stands still, as then nothing is known.
    """
    clone, truth = centre_blocks(clone, blocks), centre_blocks(truth, blocks)
    if min(deviation(clone), deviation(truth)) < STILL:
        return -1.0, 1.0
    return correlation_interval(clone, truth, blocks)
