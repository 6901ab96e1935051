"""An attribute editor makes every change that it knows to the first frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdf_bench.core.artifact import Artifact
from vdf_bench.core.frames import stack, to_tensors
from vdf_bench.stages.lent import load_editor

if TYPE_CHECKING:
    from vdf_bench.stages import Inputs, Params


def run(params: Params, inputs: Inputs) -> Artifact:
    """Edit."""
    import torch

    model = load_editor(params, params["device"])
    picture = next(to_tensors(inputs["frames"].arrays["frames"]))[None].to(params["device"])
    with torch.no_grad():
        made = [model.edit(picture, edit)[0].cpu() for edit in model.edits]
    return Artifact({"edits": stack(made)}, {"names": list(model.edits), "outcome": "edited", "code": ""})
