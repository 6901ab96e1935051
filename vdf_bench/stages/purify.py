"""The published frames go through a purifier chain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vdf_bench.attackers.chain import build_chain
from vdf_bench.core.artifact import Artifact
from vdf_bench.core.frames import stack, to_tensors
from vdf_bench.stages.lent import setting_of
from vdf_bench.stages.packing import unpack_clip

if TYPE_CHECKING:
    from vdf_bench.stages import Inputs, Params


def run(params: Params, inputs: Inputs) -> Artifact:
    """Purify."""
    clip = unpack_clip(inputs["clip"])
    purifier = build_chain(params["chain"], params["overrides"])
    setting = replace(setting_of(params, clip.size, fps=clip.fps), clean=lambda: to_tensors(clip.frames))
    return Artifact({"frames": stack(purifier.purify(to_tensors(inputs["frames"].arrays["frames"]), setting))})
