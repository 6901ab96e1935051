"""Parameters of attacks on a face parser."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveFloat, model_validator

from vdf_bench.cards import Parameters

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
