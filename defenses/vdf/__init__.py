"""VDF, the video defense that inherits its perturbation from frame to frame (arXiv 2512.21019)."""

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


class VdfParameters(ParsingParameters):
    """Parameters of VDF."""

    domain: Literal["frequency", "spatial"] = Field("frequency", description="what the noise map moves")
    gain: float = Field(30, gt=0, description="steepness of the tanh that holds the budget; official 10")
    phase_offset: float = Field(1.0, description="constant phase shift, radians; official 1")
    mask: bool = Field(True, description="optimise a spatial attention mask with the noise")
    noise_start: float = Field(0.01, ge=0, description="standard deviation of frame 0's noise; official 1")
    mask_start: float = Field(2.0, description="mean of frame 0's mask logits, of unit deviation; official 0")
    learning_rate: float = Field(0.2, gt=0, description="of Adam, for noise and mask; official 0.01")
    sharing: Literal["ssim", "plain", "none"] = Field(
        "ssim", description="what a frame inherits: decay x SSIM x noise, decay x noise, or nothing"
    )
    decay: float = Field(1.0, ge=0, le=1, description="of the inherited noise; official 0.8")
    max_iterations_first: int = Field(200, ge=0, description="for the first frame; official 3000")
    max_iterations: int = Field(20, ge=0, description="for every later frame; official 3000")
    check_every_first: int = Field(1, ge=1, description="iterations between success checks of frame 0; official 5")


class Vdf(Component):
    """VDF."""

    card = Card(
        name="vdf",
        title="VDF: parsing attack whose perturbation is inherited from frame to frame",
        summary="Optimises a spectral noise map and a spatial mask against a face parser at five scales; each frame "
        "starts from its predecessor's. Follows the official code, without its VGG term.",
        source="Sun et al., VDF; official code Richen7418/VDF",
        url="https://arxiv.org/abs/2512.21019",
        year=2025,
        cost="minutes",
    )
    parameters_model: ClassVar[type[Parameters]] = VdfParameters

    def __init__(self, parameters: VdfParameters | None = None) -> None:
        super().__init__(parameters)
        self._record = Record()

    def protect(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        from vdf_bench.defenses.vdf.stream import protect

        self._record = Record()
        return protect(frames, setting, self.parameters, self._record)

    def log(self) -> dict[str, list[float]]:
        return self._record.as_log()
