"""The parameters of ``hashgrid``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from vdf_bench.core.cards import Parameters

if TYPE_CHECKING:
    from vdf_bench.victims.hashgrid.sizes import Sizes


class HashgridParameters(Parameters):
    """Size of the field, rays per step and weights of the loss; a size of 0 is chosen by frame size and scale."""

    levels: int = Field(0, ge=0, le=16, description="plane levels (0: 4; paper scale 12)")
    channels: int = Field(0, ge=0, le=16, description="features per plane and level (0: 4; paper scale 1)")
    hidden: int = Field(0, ge=0, le=256, description="width of the networks (0: 32; paper scale 64)")
    rays: int = Field(0, ge=0, le=65536, description="rays per step (0: 1024; paper scale 65536)")
    samples: int = Field(0, ge=0, le=256, description="samples per ray (0: 9; paper scale 16)")
    loss: Literal["l2", "l1"] = Field("l2", description="colour error: squared (ER-NeRF) or absolute (SyncTalk)")
    entropy_weight: float = Field(1e-4, ge=0, le=1, description="weight of the entropy of ray opacity")
    attention_weight: float = Field(3e-3, ge=0, le=1, description="weight of attention outside its face region")
    mask_weight: float = Field(0.03, ge=0, le=10, description="weight of opacity against the head mask (composite)")

    def over(self, sizes: Sizes) -> Sizes:
        """``sizes`` with what is set here in their place."""
        from vdf_bench.victims.hashgrid.sizes import spread

        changed = {name: getattr(self, name) for name in ("channels", "hidden", "rays", "samples")}
        if self.levels:
            changed["resolutions"] = spread(sizes.resolutions[0], sizes.resolutions[-1], self.levels)
        return replace(sizes, **{name: value for name, value in changed.items() if value})
