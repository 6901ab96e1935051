"""What the attacker has is preprocessed as 3D-field talking heads need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdf_bench.core import registry
from vdf_bench.core.artifact import Artifact
from vdf_bench.core.interfaces import CaptureRefused

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vdf_bench.core.capture import Capture, Policy
    from vdf_bench.core.interfaces import LandmarkModel, ParserModel
    from vdf_bench.stages import Inputs, Params


def run(params: Params, inputs: Inputs) -> Artifact:
    """Capture; a refusal is a result, with its code."""
    from vdf_bench.parsers.modified import modified

    frames, audio = inputs["frames"].arrays["frames"], inputs["clip"].arrays["audio"]
    view = inputs["view"].arrays["frames"] if "view" in inputs else None
    landmarker = registry.create("landmarkers", params["landmarker"]).load()
    parser = registry.create("parsers", params["parser"]).load(landmarker)
    if "parser" in inputs:
        import torch

        parser.load_state_dict({name: torch.from_numpy(value) for name, value in inputs["parser"].arrays.items()})
    parser = modified(parser, **{name: params[name] for name in ("scale", "kernel", "vote") if name in params})
    try:
        captured = capture_frames(frames, audio, parser, landmarker, params["policy"], params.get("poison"), view)
        return Artifact(captured.to_arrays(), {})
    except CaptureRefused as refusal:
        return Artifact({}, {"refused": refusal.code})


def capture_frames(
    frames: NDArray[np.uint8],
    audio: NDArray[np.float32],
    parser: ParserModel,
    landmarker: LandmarkModel,
    policy: Policy,
    poison: tuple[str, int] | None = None,
    view: NDArray[np.uint8] | None = None,
) -> Capture:
    """Capture with a parser and a landmarker, and with the networks that ship for all else.

    Args:
        frames: (T, S, S, 3) uint8 RGB, as the attacker has them.
        audio: (N,) float32 mono at 16 kHz; empty where there is none.
        parser: the face parser.
        landmarker: finds 68 points a frame.
        policy: what happens to frames in which no face is found.
        poison: a probe's damage, by name and seed; see :mod:`vdf_bench.capture.poison`.
        view: like ``frames``: what parser and landmarker look at instead.

    Raises:
        CaptureRefused: the pipeline stopped, with a code.
    """
    from vdf_bench.capture.pipeline import capture_clip
    from vdf_bench.models.face_shape import load_face_shape

    if poison is not None:
        from vdf_bench.capture.poison import POISONS, PoisonedParser, add_noise

        name, seed = poison
        frames = add_noise(frames, POISONS[name], seed)
        view = None if view is None else add_noise(view, POISONS[name], seed)
        parser = PoisonedParser(parser, POISONS[name], seed)
    return capture_clip(frames, audio, parser, landmarker, load_face_shape(), policy, view=view)
