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
        resolutions: of the plane levels.
        channels: features per plane and level.
        hidden: width of the networks.
        rays: per step, over all of its frames.
        samples: per ray.
        frames: per step.
        rate: learning rate of the networks.
    """

    iterations: int
    resolutions: tuple[int, ...]
    channels: int
    hidden: int
    rays: int
    samples: int
    frames: int
    rate: float

    @property
    def seconds(self) -> float:
        """Rough CPU seconds of a fit on one core: what a sample costs, as measured at both scales."""
        return self.iterations * self.rays * self.samples * (1.3e-6 + 14e-9 * self.hidden * len(self.resolutions))


def sizes(size: int, frames: int, scale: Scale) -> Sizes:
    """Sizes for ``frames`` frames of ``size`` pixels; ``paper`` is ER-NeRF's."""
    if scale == "paper":
        return Sizes(125_000, spread(64, 512, 12), 1, 64, 65_536, 16, 1, 1e-3)
    iterations = int(np.clip(10 * frames, 500, 3000) * np.clip(size / 128, 0.5, 4))
    return Sizes(iterations, spread(16, int(np.clip(size, 32, 512)) - 1, 4), 4, 32, 1024, 9, 4, 3e-3)


def spread(coarsest: int, finest: int, levels: int) -> tuple[int, ...]:
    """Resolutions in geometric progression, as in instant-NGP."""
    return tuple(int(each) for each in np.geomspace(coarsest, finest, levels).round())
