"""The parameters of GRASP-style protection."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vdf_bench.defenses.common.parameters import DescentParameters


class GraspParameters(DescentParameters):
    """Parameters of GRASP-style protection."""

    steps: int = Field(100, ge=0, description="largest number of steps per frame; the paper's is not known")
    patience: int = Field(
        20, ge=0, description="steps without progress after which a frame is given up; 0 gives none up"
    )
    step_size: float = Field(1.0, ge=0, le=255, description="of a sign step, 8-bit levels; 0 takes budget / steps")
    editor_steps: int = Field(40, ge=0, description="against an editor: number of steps, all of them taken")
    editor_step_size: float = Field(
        1.5,
        ge=0,
        le=255,
        description="against an editor: mean length of the first steps, 8-bit levels; 0 takes budget / steps",
    )
    editor_stop: Literal[True] = Field(True, description="success is that every edit is spoilt")
    editor_l2: float = Field(
        0.055, ge=0, le=4, description="masked L2 on [-1, 1] to hold (0.05 spoils an edit; the rest is for rounding)"
    )
    editor_region: Literal["all", "edited"] = Field(
        "edited", description="where the edit is to differ: everywhere, or where the clean edit changed the picture"
    )
    editor_projection: Literal["turns", "cross", "defense-first", "visual-first", "none"] = Field(
        "turns", description="against an editor: which of two opposed gradients gives way; turns: whose aim is met"
    )
    projection: Literal["cross", "defense-first", "visual-first", "none"] = Field(
        "cross", description="which of two opposed gradients gives way"
    )
    low_frequency: Literal["haar", "dct", "blur"] = Field("haar", description="what the low-frequency loss looks at")
    ssim_weight: float = Field(0.3, ge=0, description="of the structural similarity loss; the defense loss has 1")
    low_frequency_weight: float = Field(0.3, ge=0, description="of the low-frequency loss")
    smoothing: float = Field(0.5, ge=0, le=10, description="standard deviation of the gradient's smoothing, pixels")
