"""A linear model of the 68 landmarks in 3D: mean, identity modes, expression modes.

Fitted to rendered identities; the pose fit of capture solves for pose, identity and expression with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.scenes.face import Landmarks
from vdf_bench.scenes.identity import sample_identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: The last three modes: jaw opening, mouth width, closed lids.
EXPRESSIONS = 3


def landmark_shape(seeds: Sequence[int], components: int = 8) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean (68, 3) and modes (``components`` + 3, 68, 3) in head coordinates.

    Args:
        seeds: identities, at least ``components`` + 1.
        components: identity modes, by falling variance, each scaled to one standard deviation.

    Returns:
        the mean of the neutral faces; the identity modes, then full mouth opening, full mouth width and closed lids,
        averaged over identities.
    """
    neutral, moves = [], []
    for seed in seeds:
        marks = Landmarks(sample_identity(int(seed)).shape)
        neutral.append(marks.neutral)
        closed = marks.at((0.0, 0.0), 1.0) - marks.neutral
        moves.append(np.stack([marks.shapes[0], marks.shapes[1], closed]))
    faces = np.stack(neutral).astype(np.float64)
    mean = faces.mean(0)
    _, scale, basis = np.linalg.svd((faces - mean).reshape(len(faces), -1), full_matrices=False)
    identity = basis[:components] * scale[:components, None] / np.sqrt(max(len(faces) - 1, 1))
    # The sign of a singular vector is arbitrary; its largest entry is made positive.
    largest = np.abs(identity).argmax(1)
    identity *= np.sign(identity[np.arange(len(identity)), largest])[:, None]
    modes = np.concatenate([identity.reshape(-1, 68, 3), np.mean(moves, 0)])
    return mean.astype(np.float32), modes.astype(np.float32)
