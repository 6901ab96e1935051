"""``hashgrid``: a radiance field on multi-resolution planes with region attention, of the family of ER-NeRF."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vdf_bench.core.cards import Card, Component, Parameters
from vdf_bench.victims.hashgrid.parameters import HashgridParameters

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vdf_bench.core.capture import Capture
    from vdf_bench.core.interfaces import FitSetting, Head, Scale
    from vdf_bench.victims.common.training import Trainer
    from vdf_bench.victims.hashgrid.sizes import Sizes


class Hashgrid(Component):
    """Clones a person as multi-resolution feature planes whose regions attend to mouth and eyes."""

    card: ClassVar[Card] = Card(
        name="hashgrid",
        title="Hash-plane radiance field",
        summary=(
            "Feature planes, dense up to resolution 127 and hashed above, region attention of mouth and eyes, over "
            "the torso. Follows ER-NeRF at a compact size, with these differences: the captured torso image stands in "
            "for a torso network, as in the official evaluation of the head; frozen mouth scalars stand in for "
            "AudioNet; density is bounded and starts as an ellipsoid; opacity is also held to the head mask; no LPIPS, "
            "no uncertainty."
        ),
        source="Li et al., ER-NeRF (ICCV 2023); Tang et al., RAD-NeRF (2022); Peng et al., SyncTalk (CVPR 2024)",
        url="https://arxiv.org/abs/2307.09323",
        year=2023,
        cost="seconds",
    )
    parameters_model: ClassVar[type[Parameters]] = HashgridParameters

    def fit(self, capture: Capture, setting: FitSetting) -> Head:
        from vdf_bench.victims.common.training import train

        return train(self.trainer(capture, setting), setting)

    def trainer(self, capture: Capture, setting: FitSetting) -> Trainer:
        """A fit that has not begun, for whoever takes its steps one by one."""
        from vdf_bench.victims.hashgrid.train import HashgridTrainer

        return HashgridTrainer(capture, setting, self.parameters)

    def effort(self, size: int, frames: int, scale: Scale, iterations: int | None) -> float:
        """Rough CPU seconds of a fit to ``frames`` training frames, on one core."""
        from vdf_bench.victims.hashgrid.sizes import sizes

        chosen: Sizes = self.parameters.over(sizes(size, frames, scale))
        return chosen.seconds * (iterations or chosen.iterations) / chosen.iterations

    def restore(self, state: dict[str, NDArray[np.generic]]) -> Head:
        from vdf_bench.victims.common.head import FieldHead
        from vdf_bench.victims.hashgrid.field import HashgridField

        return FieldHead.restore(state, HashgridField.blank)
