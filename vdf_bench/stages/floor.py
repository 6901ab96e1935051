"""What a defense published within its bound is scaled down until every frame meets a fidelity floor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdf_bench.core.artifact import Artifact
from vdf_bench.core.budget import Budget
from vdf_bench.core.frames import stack, to_tensors
from vdf_bench.stages.enforce import meet_floor
from vdf_bench.stages.packing import unpack_clip

if TYPE_CHECKING:
    from vdf_bench.stages import Inputs, Params


def run(params: Params, inputs: Inputs) -> Artifact:
    """Scale; the defense's record stays with the frames."""
    clip, bounded = unpack_clip(inputs["clip"]), inputs["bounded"]
    pairs = zip(to_tensors(clip.frames), to_tensors(bounded.arrays["frames"]), strict=True)
    found = [meet_floor(clean, frame, Budget(params["linf"], params["floor"])) for clean, frame in pairs]
    log = {**bounded.meta["log"], "kept": [kept for _, kept in found]}
    return Artifact({"frames": stack(frame for frame, _ in found)}, {"log": log, "seconds": bounded.meta["seconds"]})
