"""One video in, one protected video out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdf_bench import registry
from vdf_bench.enforce import Published
from vdf_bench.errors import UserError
from vdf_bench.interfaces import Setting
from vdf_bench.plan import SURROGATE
from vdf_bench.steps import load_clip, to_bytes, to_tensors

if TYPE_CHECKING:
    from pathlib import Path

    from vdf_bench.budget import Budget
    from vdf_bench.video import Codec

#: Suffix -> codec. Only the first keeps every value; the second is what platforms take.
CODECS: dict[str, Codec] = {".mkv": "ffv1", ".mp4": "h264"}


def protect_file(
    video: Path, out: Path, defense: str, budget: Budget, size: int, seed: int, overrides: dict[str, str]
) -> str:
    """Protect the face crop of ``video`` and write it, with its sound, to ``out``.

    Returns:
        What was done, for the user.

    Raises:
        UserError: an unknown defense or parameter, a video that cannot serve, or a suffix without a codec.
    """
    from vdf_bench.models.parser import load_parser
    from vdf_bench.video import write_video

    if out.suffix not in CODECS:
        raise UserError(f"{out.name}: end it in {' or '.join(CODECS)}")
    if not video.exists():
        raise UserError(f"{video} is not there: give the path of a video file")
    if out.is_dir():
        raise UserError(f"{out} is a folder: name a file")
    if out.exists() and out.samefile(video):
        raise UserError(f"{out} is the video itself: choose another name, the original is worth keeping")
    if not out.parent.is_dir():
        raise UserError(f"{out.parent} is no folder: make it, or choose another place for {out.name}")
    method = registry.create("defenses", defense, overrides)
    clip = load_clip(str(video), size, None)
    setting = Setting(budget=budget, size=clip.size, fps=clip.fps, seed=seed, surrogate=load_parser(SURROGATE))
    codec = CODECS[out.suffix]
    protected = map(to_bytes, Published(method, to_tensors(clip.frames), setting))
    write_video(out, protected, fps=clip.fps, audio=clip.audio, codec=codec)
    lines = [f"{out}: {len(clip)} frames of {clip.size} px, {defense} within {budget}", *clip.notes]
    if codec != "ffv1":
        lines.append("H.264 changes pixels: what is published differs from what was measured; .mkv is exact")
    lines.append("No protection is a guarantee: an attacker who knows the method may undo it.")
    return "\n".join(lines)
