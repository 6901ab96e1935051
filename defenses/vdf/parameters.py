"""The parameters of VDF and its relatives."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vdf_bench.defenses.common.parameters import (
    ParsingParameters,
)

UnitInterval = Annotated[float, Field(ge=0, lt=1)]


class VdfParameters(ParsingParameters):
    """Parameters of VDF."""

    domain: Literal["joint", "frequency", "spatial"] = Field(
        "joint", description="what carries the noise: spectrum and pixels, the spectrum alone (official), pixels alone"
    )
    gain: float = Field(3, gt=0, description="of the spectrum's change before the tanh; official 10")
    phase_offset: float = Field(1.0, ge=-7, le=7, description="constant phase shift, radians; official 1")
    mask: bool = Field(True, description="optimise a spatial attention mask with the noise")
    noise_start: float = Field(0.01, ge=0, description="standard deviation of frame 0's noise; official 1")
    mask_start: float = Field(
        2.0, ge=-50, le=50, description="mean of frame 0's mask logits, of unit deviation; official 0"
    )
    learning_rate: float = Field(0.3, gt=0, description="of Adam, for noise and mask; official 0.01")
    betas: tuple[UnitInterval, UnitInterval] = Field((0.5, 0.9), description="Adam's memories; official 0.9, 0.999")
    adam_epsilon: float = Field(1e-8, gt=0, description="of Adam's denominator; official 2.55e-6 in these units")
    sharing: Literal["ssim", "plain", "none"] = Field(
        "ssim", description="what a frame inherits: decay x SSIM x noise, decay x noise, or nothing"
    )
    decay: float = Field(0.95, ge=0, le=1, description="of the inherited noise; official 0.8")
    motion: bool = Field(True, description="move inherited pixel noise and mask with the picture; official false")
    updates: Literal["all", "unmet", "first-unmet"] = Field(
        "all",
        description="scales whose loss an update follows: all (official), those without success, or the first found "
        "without, looking at the last worst first and at no further one",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="of the parser; bfloat16 is faster where a CPU has it, and looks again in float32 when in doubt",
    )
    max_iterations_first: int = Field(100, ge=0, description="for the first frame; official 3000")
    max_iterations: int = Field(6, ge=0, description="for every later frame; official 3000")
    check_every_first: int = Field(1, ge=1, description="iterations between success checks of frame 0; official 5")
