"""How large a field is and how long it trains; nothing heavy is imported, so that a plan can ask."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from vdf_bench.core.interfaces import Scale


@dataclass(frozen=True)
class Sizes:
    """Sizes of one fit.

    Attributes:
        count: Gaussians of the face at the start.
        limit: and after the last densification.
        mouth: Gaussians of the mouth.
        iterations: optimisation steps.
        warm_up, fuse: shares of all steps at which motion begins and the two sets are trained as one.
        densify: shares at which Gaussians are split and pruned.
        levels: edges of the motion planes.
        channels: features of each plane.
        mouth_levels: the same of the mouth's motion.
        hidden: width of the face's motion network.
    """

    count: int
    limit: int
    mouth: int
    iterations: int
    warm_up: float
    fuse: float
    densify: tuple[float, ...]
    levels: tuple[int, ...]
    channels: int
    mouth_levels: tuple[int, ...]
    hidden: int

    def seconds(self, size: int) -> float:
        """Rough CPU seconds of a fit on one core at frames of ``size`` pixels, as measured at both scales."""
        return self.iterations * (3e-3 + 0.25e-6 * size**2 + 2e-6 * (self.count + self.limit) / 2)

    def resized(self, count: int) -> Sizes:
        """The same with ``count`` Gaussians at the start."""
        share = count / self.count
        return replace(self, count=count, limit=round(share * self.limit), mouth=max(1, round(share * self.mouth)))


def sizes(size: int, frames: int, scale: Scale = "compact") -> Sizes:
    """Sizes for clips of ``frames`` training frames of ``size`` pixels.

    ``paper`` follows TalkingGaussian: 50 000 steps of which 3000 are static and the last 10 000 fuse the sets, 12
    plane levels of one feature, up to 50 000 Gaussians (GaussianTalker's cap).
    """
    if scale == "paper":
        edges = tuple(int(edge) for edge in np.geomspace(16, 64, 12).round())
        passes = tuple(np.linspace(0.02, 0.5, 25).tolist())
        return Sizes(10_000, 50_000, 5_000, 50_000, 0.06, 0.8, passes, edges, 1, edges, 64)
    count = int(np.clip(3500 * size / 128, 800, 30_000))
    # Enough passes over the frames, more detail at larger sizes.
    iterations = int(np.clip(6 * frames, 500, 2400) * np.clip(size / 128, 0.4, 4))
    passes = (0.35,) if size < 192 else (0.25, 0.4)
    return Sizes(count, count * 9 // 8, count // 14, iterations, 0.1, 0.4, passes, (16, 32, 64), 4, (8, 16), 48)
