"""An attacker teaches his parser on clips of other people, protected by the defense that it is to see through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.core import registry
from vdf_bench.core.artifact import Artifact

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.stages import Inputs, Params


def run(params: Params, inputs: Inputs) -> Artifact:
    """Fine-tune; the artifact is the parser's state dict."""
    from vdf_bench.training.finetune import finetune

    def stacked(role: str) -> NDArray[np.uint8]:
        return np.concatenate([inputs[name].arrays["frames"] for name in sorted(inputs) if name.startswith(role)])

    parser = registry.create("parsers", params["parser"]).load()
    finetune(parser, stacked("clip."), stacked("protected."), params["seed"])
    return Artifact({name: weight.numpy() for name, weight in parser.state_dict().items()}, {})
