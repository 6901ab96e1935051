"""VDF under other names: the official constants, one idea taken away at a time, and no optimisation at all.

Each is the same code with other defaults, so that every parameter can still be set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, PositiveFloat

from vdf_bench.core.cards import Card, Parameters
from vdf_bench.defenses.common.parameters import Loss  # noqa: TC001 - pydantic reads the annotation
from vdf_bench.defenses.common.record import Record
from vdf_bench.defenses.vdf import Vdf
from vdf_bench.defenses.vdf.parameters import UnitInterval, VdfParameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting

OURS: dict[str, Any] = {
    "source": "Sun et al., VDF; official code Richen7418/VDF",
    "url": "https://arxiv.org/abs/2512.21019",
    "year": 2025,
}


class OfficialParameters(VdfParameters):
    """The constants of ``fft_ifftmask.py``, but for the cap on iterations."""

    loss: Loss = Field("log", description="'log' is VDF's log(1 - p + 1e-4) (official)")
    domain: Literal["joint", "frequency", "spatial"] = Field("frequency", description="what carries the noise")
    gain: float = Field(10, gt=0, description="of the spectrum's change before the tanh (official)")
    noise_start: float = Field(1.0, ge=0, description="standard deviation of frame 0's noise (official)")
    mask_start: float = Field(
        0.0, ge=-50, le=50, description="mean of frame 0's mask logits, of unit deviation (official)"
    )
    learning_rate: float = Field(0.01, gt=0, description="of Adam, for noise and mask (official)")
    betas: tuple[UnitInterval, UnitInterval] = Field((0.9, 0.999), description="Adam's memories (official)")
    adam_epsilon: float = Field(
        255e-8, gt=0, description="official 1e-8 on gradients that its rounding has divided by 255"
    )
    decay: float = Field(0.8, ge=0, le=1, description="of the inherited noise, beside SSIM (official)")
    motion: bool = Field(False, description="move inherited pixel noise and mask with the picture")
    max_iterations_first: int = Field(150, ge=0, description="for the first frame; official 3000: give it to have it")
    max_iterations: int = Field(15, ge=0, description="for every later frame; official 3000: give it to have it")
    check_every_first: int = Field(5, ge=1, description="iterations between success checks of frame 0 (official)")
    visual_weight: float = Field(0.5, ge=0, description="of the VGG term (official); without effect without weights")


class VdfOfficial(Vdf):
    """The official code's semantics to the constant, but for the cap on iterations."""

    card = Card(
        name="vdf-official",
        title="VDF with the official code's constants, but for a cap on iterations",
        summary="Spectrum alone, gain 10, 1 rad, log loss, Adam at 0.01, 0.8 x SSIM, VGG term. Official but for the "
        "cap: 150 iterations for the first frame and 15 for later ones instead of 3000 each. The VGG term needs your "
        "copy of vgg16-397923af.pth in $VDF_BENCH_WEIGHTS; without it the term is left out and the log's vgg is 0.",
        cost="minutes",
        **OURS,
    )
    parameters_model: ClassVar[type[Parameters]] = OfficialParameters

    def protect(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        from vdf_bench.defenses.vdf.stream import protect
        from vdf_bench.defenses.vdf.visual import VisualLoss
        from vdf_bench.models.vgg import load_vgg16

        self._record = Record()
        weight = self.parameters.visual_weight
        network = load_vgg16() if weight else None
        visual = VisualLoss(network.to(setting.device), weight) if network else None
        notes = {"vgg": float(visual is not None)}
        return protect(frames, setting, self.parameters, self._record, name=self.card.name, visual=visual, notes=notes)


class NoSharingParameters(VdfParameters):
    """Every frame is a first frame."""

    sharing: Literal["ssim", "plain", "none"] = Field("none", description="what a frame inherits: nothing")


class VdfNoSharing(Vdf):
    """Ablation: no inheritance."""

    card = Card(
        name="vdf-noshare",
        title="VDF whose frames inherit nothing",
        summary="Ablation of vdf: every frame starts anew and may take as many iterations as a first frame.",
        cost="minutes",
        **OURS,
    )
    parameters_model: ClassVar[type[Parameters]] = NoSharingParameters


class SpatialParameters(VdfParameters):
    """Pixels alone."""

    domain: Literal["joint", "frequency", "spatial"] = Field("spatial", description="what carries the noise: pixels")


class VdfSpatial(Vdf):
    """Ablation: no spectrum."""

    card = Card(
        name="vdf-spatial",
        title="VDF on pixels alone",
        summary="Ablation of vdf: pixel noise under the same tanh and mask, and no shift of the spectrum.",
        **OURS,
    )
    parameters_model: ClassVar[type[Parameters]] = SpatialParameters


class FrequencyParameters(VdfParameters):
    """The spectrum alone."""

    domain: Literal["joint", "frequency", "spatial"] = Field(
        "frequency", description="what carries the noise: the spectrum alone (official)"
    )


class VdfFrequency(Vdf):
    """Ablation: no pixel noise."""

    card = Card(
        name="vdf-frequency",
        title="VDF on the spectrum alone",
        summary="Ablation of vdf: amplitude and phase shifts, as in the official code, and no pixel noise.",
        cost="minutes",
        **OURS,
    )
    parameters_model: ClassVar[type[Parameters]] = FrequencyParameters


class SingleScaleParameters(VdfParameters):
    """The frame's own size alone."""

    scales: tuple[PositiveFloat, ...] = Field((1.0,), description="factors that resize the picture")
    weights: tuple[PositiveFloat, ...] = Field((1.0,), description="of each scale in the loss")


class VdfSingleScale(Vdf):
    """Ablation: one scale."""

    card = Card(
        name="vdf-1scale",
        title="VDF at one scale",
        summary="Ablation of vdf: the parser looks at the frame in its own size only, for loss and success alike.",
        **OURS,
    )
    parameters_model: ClassVar[type[Parameters]] = SingleScaleParameters


class NoMaskParameters(VdfParameters):
    """No spatial attention."""

    mask: bool = Field(False, description="optimise a spatial attention mask with the noise")


class VdfNoMask(Vdf):
    """Ablation: no mask."""

    card = Card(
        name="vdf-nomask",
        title="VDF without its spatial mask",
        summary="Ablation of vdf: the noise may use the whole budget everywhere.",
        **OURS,
    )
    parameters_model: ClassVar[type[Parameters]] = NoMaskParameters


class UnoptimisedParameters(VdfParameters):
    """No iteration."""

    max_iterations_first: int = Field(0, ge=0, description="for the first frame")
    max_iterations: int = Field(0, ge=0, description="for every later frame")


class VdfUnoptimised(Vdf):
    """Control: what VDF publishes before its first update."""

    card = Card(
        name="vdf-init",
        title="VDF before its first update",
        summary="Control of vdf: its random start, inherited from frame to frame and never optimised.",
        tags=("control",),
        **OURS,
    )
    parameters_model: ClassVar[type[Parameters]] = UnoptimisedParameters
