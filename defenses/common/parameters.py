"""Parameters of attacks on a face parser, and on an attribute editor."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveFloat, model_validator

from vdf_bench.core.cards import Parameters

Region = Literal["full_face", "mouth", "neck", "face"]
Loss = Literal["cross-entropy", "log"]
#: What may happen to a published picture, see ``vdf_bench.defenses.common.views``.
Transform = Literal["jpeg", "blur", "noise", "rescale"]


class ParsingParameters(Parameters):
    """What is attacked, at which scales, and when that has succeeded."""

    region: Region = Field("full_face", description="labels to be hidden and what they shall turn into")
    loss: Loss = Field("cross-entropy", description="'log' is VDF's log(1 - p + 1e-4)")
    scales: tuple[PositiveFloat, ...] = Field((1.0, 1.5, 2.0, 0.75, 0.5), description="factors that resize the picture")
    weights: tuple[PositiveFloat, ...] = Field((1.0, 0.8, 0.6, 0.6, 0.6), description="of each scale in the loss")
    success_share: float = Field(
        0.8, ge=0, le=1, description="stop once more of the region is relabelled, at each scale"
    )

    @model_validator(mode="after")
    def _one_weight_per_scale(self) -> ParsingParameters:
        if not self.scales or len(self.scales) != len(self.weights):
            raise ValueError(f"{len(self.scales)} scales need as many weights, got {len(self.weights)}")
        return self


class EditingParameters(Parameters):
    """How attribute editors are attacked, where the setting lends one: lengths of the field are on [-1, 1] pictures.

    The defaults are those of Disrupting Deepfakes (Ruiz et al. 2020), which CMUA shares: ten steps of 0.01, all taken.
    """

    editor_steps: int = Field(10, ge=0, description="against an editor: largest number of steps (Disrupting: 10)")
    editor_step_size: float = Field(
        1.275,
        ge=0,
        le=255,
        description="against an editor: of a step, 8-bit levels (Disrupting: 0.01 on [-1, 1]); 0 takes budget / steps",
    )
    editor_stop: bool = Field(False, description="against an editor: stop once every edit is spoilt")
    editor_l2: float = Field(
        0.05, ge=0, le=4, description="masked L2 on [-1, 1] beyond which an edit is spoilt (CMUA: 0.05)"
    )
    editor_region: Literal["all", "edited"] = Field(
        "all", description="where the edit is to differ: everywhere, or where the clean edit changed the picture"
    )
    edits_per_step: int = Field(
        1, ge=0, description="edits that a step looks at, in turn (Disrupting's class transfer: 1); 0 takes all"
    )


class DescentParameters(EditingParameters, ParsingParameters):
    """What the sign-gradient family reads, whatever network it attacks."""

    steps: int = Field(100, ge=0, description="largest number of steps per frame (PhotoGuard, AdvDM, Mist: 100)")
    step_size: float = Field(
        1.0, ge=0, le=255, description="of a sign step, in 8-bit levels (same sources: 1); 0 takes budget / steps"
    )
    warm: bool = Field(False, description="start from the previous frame's perturbation instead of from zero")
