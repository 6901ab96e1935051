"""The linear 68-landmark face model that pose fitting uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.assets.shipped import load_shipped

if TYPE_CHECKING:
    from numpy.typing import NDArray


def load_face_shape() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and modes of the landmarks of synthetic people.

    Returns:
        Mean (68, 3) float32 in head units (x right of a frontal picture, y up, z out of the face), and modes
        (K, 68, 3) float32: identity by falling variance, each scaled to one standard deviation, and last full mouth
        opening, full mouth width and closed lids.

    Raises:
        UserError: the file is absent or damaged.
    """
    state = load_shipped("face-shape")
    return state["mean"].numpy().astype(np.float32), state["modes"].numpy().astype(np.float32)
