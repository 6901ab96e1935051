"""GRASP-style protection: defense and visual losses in one step, their conflicts projected away (arXiv 2510.01699).

No code of GRASP is public and the formulas of its paper were not at hand, only its abstract: a defense loss, a
structural similarity loss and a low-frequency loss; an analysis of the conflicts between their gradients; a
"cross-gradient projection scheme with Gaussian smoothing"; a PGD-like update. This is a reconstruction, called
GRASP-style everywhere, and where the abstract leaves room the choice is a parameter:

- projection: where two gradients point against each other, the part of the one along the other is removed (the rule of
  PCGrad, Yu et al. 2020). ``cross`` does so in both directions, ``defense-first`` leaves the defense loss whole and
  bends the visual ones, ``visual-first`` the reverse, ``none`` adds them as they are;
- low frequencies: the low band of a Haar wavelet, of an 8 x 8 block DCT, or a Gaussian blur;
- each gradient is brought to unit length before its weight, so that weights mean the same on any surrogate;
- the sum is smoothed by a Gaussian and descended by its sign, within the budget.

Here the defense loss is VDF's parsing objective, because a talking head is attacked through its capture: so this is
GRASP's projection on VDF's objective. Its own ground, the output of attribute editors, is another objective.

``conflict_rate`` in the log is the share of a frame's (step, pair of losses) whose gradients opposed each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from vdf_bench.cards import Card, Component, Parameters
from vdf_bench.defenses.common.parameters import ParsingParameters
from vdf_bench.defenses.common.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from vdf_bench.interfaces import Setting


class GraspParameters(ParsingParameters):
    """Parameters of GRASP-style protection."""

    steps: int = Field(100, ge=0, description="largest number of steps per frame; the paper's is not known")
    patience: int = Field(
        20, ge=0, description="steps without progress after which a frame is given up; 0 gives none up"
    )
    step_size: float = Field(1.0, ge=0, le=255, description="of a sign step, 8-bit levels; 0 takes budget / steps")
    warm: bool = Field(False, description="start from the previous frame's perturbation instead of from zero")
    projection: Literal["cross", "defense-first", "visual-first", "none"] = Field(
        "cross", description="which of two opposed gradients gives way"
    )
    low_frequency: Literal["haar", "dct", "blur"] = Field("haar", description="what the low-frequency loss looks at")
    ssim_weight: float = Field(0.3, ge=0, description="of the structural similarity loss; the defense loss has 1")
    low_frequency_weight: float = Field(0.3, ge=0, description="of the low-frequency loss")
    smoothing: float = Field(0.5, ge=0, le=10, description="standard deviation of the gradient's smoothing, pixels")


class Grasp(Component):
    """GRASP-style gradient projection; the module's text says what is known of the original."""

    card = Card(
        name="grasp",
        title="GRASP-style gradient projection on the face parser",
        summary="Parsing, SSIM and low-frequency losses whose conflicting gradients are projected off each other, "
        "smoothed and descended by sign. A reconstruction from the abstract: no official code is public.",
        source="Li et al., GRASP (reconstruction); projection rule of Yu et al., PCGrad",
        url="https://arxiv.org/abs/2510.01699",
        year=2025,
        cost="minutes",
    )
    parameters_model: ClassVar[type[Parameters]] = GraspParameters

    def __init__(self, parameters: GraspParameters | None = None) -> None:
        super().__init__(parameters)
        self._record = Record()

    def protect(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        from vdf_bench.defenses.common.descent import descend
        from vdf_bench.defenses.common.parsing import ParsingObjective, require_surrogate
        from vdf_bench.defenses.grasp.direction import ProjectedGradient

        self._record = Record()
        parameters = self.parameters
        objective = ParsingObjective(require_surrogate(setting, self.card.name), parameters)
        direction = ProjectedGradient(parameters)
        return descend(frames, setting, objective, direction, parameters, self._record, parameters.patience)

    def log(self) -> dict[str, list[float]]:
        return self._record.as_log()
