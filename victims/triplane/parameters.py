"""The parameters of ``triplane``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field

from vdf_bench.core.cards import Parameters

if TYPE_CHECKING:
    from vdf_bench.victims.triplane.sizes import Sizes


class TriplaneParameters(Parameters):
    """Size of the field, rays per step and weights of the loss."""

    resolution: int = Field(0, ge=0, le=512, description="edge of the planes (0: 96 at 128 px; paper scale 256)")
    channels: int = Field(0, ge=0, le=64, description="features per plane (0: 8; paper scale 32)")
    rays: int = Field(0, ge=0, le=65536, description="rays per step (0: 1024; paper scale 65536)")
    samples: int = Field(0, ge=0, le=256, description="samples per ray (0: 9; paper scale 48)")
    squared_weight: float = Field(3.0, ge=0, le=100, description="weight of the squared colour error; 0 as MimicTalk")
    mouth_weight: float = Field(3.0, ge=1, le=100, description="weight of rays through the mouth box")
    mask_weight: float = Field(0.1, ge=0, le=10, description="weight of opacity against the head mask (composite)")
    entropy_weight: float = Field(1e-3, ge=0, le=1, description="weight of the entropy of ray opacity")
    residual_weight: float = Field(1e-2, ge=0, le=1, description="weight of the mean size of the motion planes")

    def over(self, sizes: Sizes) -> Sizes:
        """``sizes`` with what is set here in their place."""
        names = ("resolution", "channels", "rays", "samples")
        return replace(sizes, **{name: value for name in names if (value := getattr(self, name))})
