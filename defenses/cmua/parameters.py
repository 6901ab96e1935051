"""The parameters of the universal perturbation."""

from __future__ import annotations

from pydantic import Field

from vdf_bench.core.cards import Parameters


class CmuaParameters(Parameters):
    """Parameters of the universal perturbation."""

    editor_steps: int = Field(10, ge=0, description="steps of each attack on one batch and one edit (official 10)")
    editor_step_size: float = Field(
        1.275, ge=0, le=255, description="of a step, 8-bit levels (official: 0.01 on [-1, 1]); 0 takes budget / steps"
    )
    people: int = Field(
        16, ge=1, le=512, description="portraits that the perturbation is made on, each another person's"
    )
    batch: int = Field(8, ge=1, description="portraits of an attack (official 64)")
    fusion: float = Field(
        0.5, ge=0, lt=1, description="share of the perturbation so far that outlives an attack (official 0.5)"
    )
