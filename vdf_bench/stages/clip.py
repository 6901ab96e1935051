"""A registered clip: square, 25 fps, at the size and length that are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdf_bench.core import registry
from vdf_bench.core.errors import UserError
from vdf_bench.stages.packing import pack_clip

if TYPE_CHECKING:
    from vdf_bench.core.artifact import Artifact
    from vdf_bench.core.clip import Clip
    from vdf_bench.stages import Inputs, Params

#: Frames of a rendered clip when no length is given.
WHOLE = 250


def run(params: Params, inputs: Inputs) -> Artifact:
    """Let the provider make the clip."""
    del inputs
    provider, name, size, frames = params["provider"], params["clip"], params["size"], params["frames"]
    if "exact" not in params:
        return pack_clip(load_named(provider, name, size, frames))
    # Another length is another performance of a rendered person, so shorter ones are cut from a common longer one.
    whole = load_named(provider, name, size, max(frames, WHOLE))
    if len(whole) < frames:
        raise UserError(f"clip {params['exact']!r} has only {len(whole)} frames: use a smaller length")
    return pack_clip(whole.first(frames))


def load_named(provider: str, name: str, size: int, frames: int | None = None) -> Clip:
    """The clip ``name`` of the component ``provider``; None takes :data:`WHOLE` frames."""
    loaded: Clip = registry.create("clips", provider).load(name, size=size, frames=frames or WHOLE)
    return loaded
