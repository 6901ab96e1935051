"""``triplane``: a radiance field on learnt feature planes, of the family of Real3D-Portrait and MimicTalk."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vdf_bench.core.cards import Card, Component, Parameters
from vdf_bench.victims.triplane.parameters import TriplaneParameters

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vdf_bench.core.capture import Capture
    from vdf_bench.core.interfaces import FitSetting, Head, Scale
    from vdf_bench.victims.common.training import Trainer
    from vdf_bench.victims.triplane.sizes import Sizes


class Triplane(Component):
    """Clones a person as feature planes, plus residual planes that mouth and eye scalars blend."""

    card: ClassVar[Card] = Card(
        name="triplane",
        title="Tri-plane radiance field",
        summary=(
            "Learnable planes started on the first frame, residual motion planes blended by mouth and eyes, a small "
            "decoder and volume rendering. Follows MimicTalk's per-person adaptation without Real3D's pretrained "
            "prior: an ellipsoid stands in its place, so it resists protection less than the original may."
        ),
        source="Ye et al., MimicTalk (NeurIPS 2024); Ye et al., Real3D-Portrait (ICLR 2024)",
        url="https://arxiv.org/abs/2410.06734",
        year=2024,
        cost="seconds",
    )
    parameters_model: ClassVar[type[Parameters]] = TriplaneParameters

    def fit(self, capture: Capture, setting: FitSetting) -> Head:
        from vdf_bench.victims.common.training import train

        return train(self.trainer(capture, setting), setting)

    def trainer(self, capture: Capture, setting: FitSetting) -> Trainer:
        """A fit that has not begun, for whoever takes its steps one by one."""
        from vdf_bench.victims.triplane.train import TriplaneTrainer

        return TriplaneTrainer(capture, setting, self.parameters)

    def effort(self, size: int, frames: int, scale: Scale, iterations: int | None) -> float:
        """Rough CPU seconds of a fit to ``frames`` training frames, on one core."""
        from vdf_bench.victims.triplane.sizes import sizes

        chosen: Sizes = self.parameters.over(sizes(size, frames, scale))
        return chosen.seconds * (iterations or chosen.iterations) / chosen.iterations

    def restore(self, state: dict[str, NDArray[np.generic]]) -> Head:
        from vdf_bench.victims.common.head import FieldHead
        from vdf_bench.victims.triplane.field import TriplaneField

        return FieldHead.restore(state, TriplaneField.blank)
