"""The parameters of ``gaussian``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vdf_bench.core.cards import Parameters


class GaussianParameters(Parameters):
    """Size of the field, what moves, how frames are drawn, weights of the loss."""

    count: int = Field(0, ge=0, le=200_000, description="Gaussians at the start; 0 chooses by frame size and scale")
    motion: Literal["both", "planes", "embedding"] = Field(
        "both", description="what the motion network sees: features of the place, of the Gaussian itself, or both"
    )
    appearance: bool = Field(True, description="colour and opacity move too (GaussianTalker)")
    mouth_set: bool = Field(True, description="a set of its own for the inside of the mouth (TalkingGaussian)")
    curriculum: float = Field(0.4, ge=0, le=1, description="share of steps that draw frames from a sliding window")
    motion_rate: float = Field(1e-2, gt=0, le=1, description="learning rate of the deformation")
    mouth_weight: float = Field(10.0, ge=1, le=100, description="weight of pixels in the mouth box")
    eyes_weight: float = Field(5.0, ge=1, le=100, description="weight of pixels in the eye boxes")
    mask_weight: float = Field(0.1, ge=0, le=10, description="weight of opacity against the head mask (composite)")
    ssim_weight: float = Field(0.2, ge=0, le=1, description="share of D-SSIM in the photometric loss")
