"""A defense runs over the clip, or over a first share of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.core import registry
from vdf_bench.core.artifact import Artifact
from vdf_bench.core.frames import stack, to_tensors
from vdf_bench.stages.enforce import Published
from vdf_bench.stages.lent import lent, setting_of
from vdf_bench.stages.packing import unpack_clip

if TYPE_CHECKING:
    from vdf_bench.stages import Inputs, Params


def run(params: Params, inputs: Inputs) -> Artifact:
    """Protect; the defense's record and its seconds a frame go beside the frames."""
    defense = registry.load("defenses", params["defense"]).configured(params["parameters"])
    clip = unpack_clip(inputs["clip"])
    prepared = inputs["prepared"].arrays if "prepared" in inputs else None
    setting = setting_of(params, clip.size, fps=clip.fps, prepared=prepared, **lent(params))
    count = max(1, round(params.get("share", 1.0) * len(clip)))
    published = Published(defense, to_tensors(clip.frames[:count]), setting)
    frames = np.concatenate([stack(published), clip.frames[count:]])
    return Artifact({"frames": frames}, {"log": published.log(), "seconds": published.seconds})
