"""Do the clone's lips follow?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdf_bench.capture.correlation import correlation_interval
from vdf_bench.core.cards import Card
from vdf_bench.core.metrics import Metric
from vdf_bench.judges.base import BaseJudge
from vdf_bench.judges.observe import observe
from vdf_bench.judges.points import RATIO_CAP, centre_blocks, correlation, deviation, mouth_distance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from vdf_bench.core.interfaces import Evidence
    from vdf_bench.core.metrics import Measurement

#: Openings that vary less than this share of the inter-ocular distance stand still.
STILL = 1e-3

METRICS: Final = (
    Metric("m_lmd", "clone", "%", "down", 0, 100, "mean over frames and points 48-67",
           "mouth landmark distance to the true frame, each mouth centred, in % of the outer eye corners' distance; "
           "a faceless frame counts as a mouth shrunk to a point", shown=False),
    Metric("lip_correlation", "clone", "", "up", -1, 1, "pooled over blocks",
           "Pearson correlation of inner-lip opening with the true frames', each block's mean removed; still lips 0",
           shown=False),
    Metric("lip_correlation_low", "clone", "", "up", -1, 1, "pooled over blocks",
           "low end of the 95 % interval of lip_correlation: Fisher's z on the effective number of frames",
           shown=False),
    Metric("lip_correlation_high", "clone", "", "up", -1, 1, "pooled over blocks", "high end of that interval",
           shown=False),
    Metric("mouth_energy", "clone", "", "up", 0, RATIO_CAP, "pooled over blocks",
           "standard deviation of inner-lip opening over that of the true frames, each block's mean removed",
           shown=False),
)  # fmt: skip


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
    metrics = METRICS

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        seen = observe(evidence)
        lips, owner = seen.lips, seen.lips.frames
        count = len(owner)
        distance = mouth_distance(
            seen.clone_faces.points[owner], seen.true_faces.points[owner], seen.clone_faces.seen[owner]
        )
        # Without a single face on the true frames nothing can be compared; the clean gate voids such a cell.
        yield self.measurement("m_lmd", min(float(distance.mean()), 100.0) if count else 100.0, count)
        yield self.measurement("lip_correlation", correlation(lips.clone, lips.truth, STILL), count)
        low, high = block_interval(lips.clone, lips.truth, lips.blocks)
        yield self.measurement("lip_correlation_low", low, count)
        yield self.measurement("lip_correlation_high", high, count)
        yield self.measurement("mouth_energy", energy_ratio(lips.clone, lips.truth), count)


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
