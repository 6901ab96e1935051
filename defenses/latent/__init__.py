"""Image protections against diffusion editing, on each frame: PhotoGuard, AdvDM, Mist and score distillation.

They attack a latent diffusion model: Stable Diffusion 1.x where the user has it, else the small model that ships
(``latent-synth``, learnt from rendered heads), which has its form and none of its reach. Results with that one are
results of the method on a toy, and the log says which was used. Neither is ever run by a capture or a 3D-field victim:
what these protections do there is what a perturbation does that was made for another enemy, and the benchmark
measures exactly this.

Settings are those of Diff-Protect (Xue et al. 2024): 100 sign steps of 1/255 on [0, 1] pixels, the whole budget, no
stopping rule. (Its ``16/255`` is doubled there for [-1, 1] pictures: the same bound.) Where this differs:

- latents are the encoder's means, not samples; steps and noise are drawn anew at every sign step;
- every frame starts from zero, where Diff-Protect's PGD starts from uniform noise within the budget;
- Stable Diffusion is conditioned on the empty prompt, there on "a photo";
- pictures are rounded to 8 bits inside the loop, there at the end, beyond the budget;
- Mist aims at a drawn board of squares; PhotoGuard at flat grey, as in its own paper, there at Mist's picture.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from vdf_bench.core.cards import Card, Component, Parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting
    from vdf_bench.defenses.latent.objectives import LatentRecord, Loss

SURROGATE = "Stable Diffusion 1.x where the user has it, else the shipped synth surrogate"


class LatentParameters(Parameters):
    """Parameters that all four share."""

    surrogate: Literal["auto", "synth", "stable-diffusion"] = Field(
        "auto", description="diffusion model to attack; auto takes Stable Diffusion where its weights are, else synth"
    )
    steps: int = Field(100, ge=0, description="sign steps per frame, all of them taken (Diff-Protect: 100)")
    step_size: float = Field(
        1.0, ge=0, le=255, description="of a sign step, 8-bit levels (Diff-Protect: 1); 0 takes budget / steps"
    )
    warm: bool = Field(False, description="start from the previous frame's perturbation instead of from zero")


class _Latent(Component, ABC):
    """One loop, four losses."""

    parameters_model: ClassVar[type[Parameters]] = LatentParameters

    def __init__(self, parameters: LatentParameters | None = None) -> None:
        super().__init__(parameters)
        self._record: LatentRecord | None = None

    @abstractmethod
    def loss(self, size: int) -> Loss:
        """What is descended on frames of this edge."""

    def protect(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        from vdf_bench.defenses.common.descent import SignGradient, descend
        from vdf_bench.defenses.latent.objectives import LatentObjective, LatentRecord
        from vdf_bench.models.diffusion import load_diffusion

        model = load_diffusion(self.parameters.surrogate, setting.device)
        self._record = LatentRecord(model.name)
        objective = LatentObjective(model, self.loss(setting.size), setting.seed)
        return descend(frames, setting, objective, SignGradient(), self.parameters, self._record)

    def log(self) -> dict[str, list[float]]:
        return self._record.as_log() if self._record else {}


class PhotoGuardParameters(LatentParameters):
    """PhotoGuard's encoder attack."""

    target: Literal["grey", "pattern"] = Field("grey", description="picture whose latents are aimed at (official grey)")


class PhotoGuard(_Latent):
    """PhotoGuard's encoder attack: every frame is to look like flat grey to the encoder."""

    card = Card(
        name="photoguard",
        title="PhotoGuard encoder attack, frame by frame (synth surrogate unless Stable Diffusion is there)",
        summary=f"Pulls the latents of every frame towards those of flat grey. Attacks {SURROGATE}; no victim runs it.",
        source="Salman et al., Raising the Cost of Malicious AI-Powered Image Editing; settings of Diff-Protect",
        url="https://arxiv.org/abs/2302.06588",
        year=2023,
        cost="minutes",
    )
    parameters_model: ClassVar[type[Parameters]] = PhotoGuardParameters

    def loss(self, size: int) -> Loss:
        from vdf_bench.defenses.latent.objectives import EncoderLoss

        return EncoderLoss(self.parameters.target, size)


class AdvDmParameters(LatentParameters):
    """AdvDM."""

    sign: Literal["+", "-"] = Field("+", description="climb the diffusion loss (+, official), or descend it (-)")


class AdvDm(_Latent):
    """AdvDM: the noise in every frame's latents is to be hard to predict."""

    card = Card(
        name="advdm",
        title="AdvDM, frame by frame (synth surrogate unless Stable Diffusion is there)",
        summary=f"Climbs the diffusion loss at random steps and noise. Attacks {SURROGATE}; no victim runs it.",
        source="Liang et al., Adversarial Example Does Good; settings of Diff-Protect",
        url="https://arxiv.org/abs/2302.04578",
        year=2023,
        cost="minutes",
    )
    parameters_model: ClassVar[type[Parameters]] = AdvDmParameters

    def loss(self, size: int) -> Loss:
        from vdf_bench.defenses.latent.objectives import DiffusionLoss

        return DiffusionLoss(self.parameters.sign)


class MistParameters(LatentParameters):
    """Mist."""

    target: Literal["grey", "pattern"] = Field("pattern", description="picture whose latents are aimed at")
    rate: float = Field(1e4, ge=0, description="weight of the diffusion loss against the textural one (official 1e4)")


class Mist(_Latent):
    """Mist: AdvDM's loss, and latents drawn to those of a picture full of hard edges."""

    card = Card(
        name="mist",
        title="Mist, frame by frame (synth surrogate unless Stable Diffusion is there)",
        summary="AdvDM's semantic loss times 1e4 with a textural loss towards a drawn board of squares. Attacks "
        f"{SURROGATE}; no victim runs it.",
        source="Liang and Wu, Mist; settings of Diff-Protect",
        url="https://arxiv.org/abs/2305.12683",
        year=2023,
        cost="minutes",
    )
    parameters_model: ClassVar[type[Parameters]] = MistParameters

    def loss(self, size: int) -> Loss:
        from vdf_bench.defenses.latent.objectives import MistLoss

        return MistLoss(self.parameters.target, size, self.parameters.rate)


class SdsParameters(LatentParameters):
    """Score distillation."""

    sign: Literal["+", "-"] = Field("-", description="descend the score (-, Diff-Protect's SDS-), or climb it (+)")


class Sds(_Latent):
    """Score distillation: AdvDM's gradient without the denoiser's Jacobian, downhill by default."""

    card = Card(
        name="sds",
        title="Score distillation (SDS-), frame by frame (synth surrogate unless Stable Diffusion is there)",
        summary="Follows predicted minus true noise through the encoder alone; descending blurs what the model sees. "
        f"Attacks {SURROGATE}; no victim runs it.",
        source="Xue et al., Toward Effective Protection Against Diffusion-Based Mimicry (Diff-Protect)",
        url="https://arxiv.org/abs/2311.12832",
        year=2024,
        cost="minutes",
    )
    parameters_model: ClassVar[type[Parameters]] = SdsParameters

    def loss(self, size: int) -> Loss:
        from vdf_bench.defenses.latent.objectives import ScoreLoss

        return ScoreLoss(self.parameters.sign)
