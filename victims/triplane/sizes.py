"""How large a field is and how long it trains; nothing heavy is imported, so that a plan can ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from vdf_bench.core.interfaces import Scale


@dataclass(frozen=True)
class Sizes:
    """What grows with the scale.

    Attributes:
        iterations: steps.
        resolution: edge of the fine planes.
        channels: features per plane.
        hidden: width of the decoder.
        rays: per step, over all of its frames.
        samples: per ray.
        frames: per step; their rays share residual planes.
    """

    iterations: int
    resolution: int
    channels: int
    hidden: int
    rays: int
    samples: int
    frames: int

    @property
    def seconds(self) -> float:
        """Rough CPU seconds of a fit on one core: what a sample costs, as measured at both scales."""
        return self.iterations * self.rays * self.samples * (1.1e-6 + 0.15e-6 * self.channels)


def sizes(size: int, frames: int, scale: Scale) -> Sizes:
    """Sizes for ``frames`` frames of ``size`` pixels.

    ``paper`` has the planes of Real3D-Portrait and the updates of MimicTalk, each of four renderings of 128 x 128 rays.
    """
    if scale == "paper":
        return Sizes(2000, 256, 32, 64, 65_536, 48, 4)
    iterations = int(np.clip(12 * frames, 500, 4000) * np.clip(size / 128, 0.5, 4))
    # About one texel a pixel of head.
    return Sizes(iterations, int(np.clip(0.75 * size, 24, 256)), 8, 48, 1024, 9, 4)
