"""``gaussian``: a deformable head of 3D Gaussians, of the family of TalkingGaussian and GaussianTalker."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vdf_bench.core.cards import Card, Component, Parameters
from vdf_bench.victims.gaussian.parameters import GaussianParameters

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vdf_bench.core.capture import Capture
    from vdf_bench.core.interfaces import FitSetting, Head, Scale
    from vdf_bench.core.kernel import Kernel
    from vdf_bench.victims.common.training import Trainer


class Gaussian(Component):
    """Clones a person as Gaussians that mouth and eye scalars deform."""

    card: ClassVar[Card] = Card(
        name="gaussian",
        title="Deformable Gaussian head",
        summary=(
            "Static warm-up, then a tri-plane motion field with attention to mouth and eyes moves one set of Gaussians "
            "for the face and another for the inside of the mouth, trained apart and then fused; frames by a bounded "
            "curriculum; split and pruned on the way; a compiled CPU rasteriser. Frozen mouth and eye scalars stand in "
            "for a learnt audio encoder."
        ),
        source="Li et al., TalkingGaussian (ECCV 2024); Cho et al., GaussianTalker (ACM MM 2024)",
        url="https://arxiv.org/abs/2404.15264",
        year=2024,
        cost="seconds",
    )
    parameters_model: ClassVar[type[Parameters]] = GaussianParameters

    def fit(self, capture: Capture, setting: FitSetting) -> Head:
        from vdf_bench.victims.common.training import train

        return train(self.trainer(capture, setting), setting)

    def trainer(self, capture: Capture, setting: FitSetting) -> Trainer:
        """A fit that has not begun, for whoever takes its steps one by one."""
        from vdf_bench.victims.gaussian.train import GaussianTrainer

        return GaussianTrainer(capture, setting, self.parameters)

    def rasteriser(self, device: str, size: int, count: int) -> Kernel:
        """Splatting of ``count`` Gaussians on ``device``, as something to measure."""
        from vdf_bench.victims.gaussian.kernel import rasteriser

        return rasteriser(device, size, count)

    def effort(self, size: int, frames: int, scale: Scale, iterations: int | None) -> float:
        """Rough CPU seconds of a fit to ``frames`` training frames, on one core."""
        from vdf_bench.victims.gaussian.sizes import sizes

        chosen = sizes(size, frames, scale)
        return chosen.seconds(size) * (iterations or chosen.iterations) / chosen.iterations

    def restore(self, state: dict[str, NDArray[np.generic]]) -> Head:
        from vdf_bench.victims.common.head import FieldHead
        from vdf_bench.victims.gaussian.field import GaussianField

        return FieldHead.restore(state, GaussianField.blank)
