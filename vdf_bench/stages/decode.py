"""A clip, or one portrait, out of a file: the face is found, cropped square, and brought to 25 fps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vdf_bench.core import registry
from vdf_bench.core.errors import UserError
from vdf_bench.stages.packing import pack_clip

if TYPE_CHECKING:
    from vdf_bench.core.artifact import Artifact
    from vdf_bench.core.clip import Clip
    from vdf_bench.stages import Inputs, Params


def run(params: Params, inputs: Inputs) -> Artifact:
    """Decode at the size and length that are asked for; of one frame, a picture."""
    del inputs
    file, size, frames, landmarker = Path(params["clip"]), params["size"], params["frames"], params["landmarker"]
    if frames == 1:
        return pack_clip(load_picture(file, size, landmarker))
    clip = load_file(file, size, frames, landmarker)
    if "exact" not in params:
        return pack_clip(clip)
    if len(clip) < frames:
        raise UserError(f"clip {params['exact']!r} has only {len(clip)} frames: use a smaller length")
    return pack_clip(clip.first(frames))


def load_file(file: Path, size: int, frames: int | None, landmarker: str) -> Clip:
    """The first ``frames`` of a video (None: all), cropped to the face that ``landmarker`` finds.

    Raises:
        UserError: a file that cannot serve.
    """
    from vdf_bench.capture.face import face_finder
    from vdf_bench.video.load import load_clip

    find = face_finder(registry.create("landmarkers", landmarker).load())
    return load_clip(file, size=size, max_frames=frames, find_face=find)


def load_picture(file: Path, size: int, landmarker: str) -> Clip:
    """One portrait out of a picture file, or the first frame of a video.

    Raises:
        UserError: a file that cannot serve.
    """
    from vdf_bench.capture.face import face_finder
    from vdf_bench.video.still import load_still

    return load_still(file, size, face_finder(registry.create("landmarkers", landmarker).load()))
