"""Any portrait video becomes a :class:`~vdf_bench.core.clip.Clip`.

What had to be done to a file (resampled, turned, deinterlaced, cropped) stands in the clip's notes, one line each;
a file that cannot serve ends in one line that says why and what to do.
"""

from __future__ import annotations

import hashlib
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.core.clip import FPS, MIN_FRAMES, Clip
from vdf_bench.core.errors import UserError
from vdf_bench.video.audio import load_audio
from vdf_bench.video.crop import Box, Crop, square_crop
from vdf_bench.video.decode import (
    MAX_SECONDS,
    MIN_PIXELS,
    Source,
    VideoInfo,
    at_rate,
    colour_notes,
    open_video,
    quarter_turns,
    to_rgb,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from numpy.typing import NDArray

    FindFace = Callable[[NDArray[np.uint8]], Sequence[float] | None]

#: At most this many frames, spread over the clip, are searched for the face that the crop follows.
FACE_SAMPLES = 12


def load_clip(
    path: str | Path,
    size: int,
    max_frames: int | None = None,
    name: str | None = None,
    find_face: FindFace | None = None,
) -> Clip:
    """Decode a video file to a square clip at 25 fps with 16 kHz mono sound.

    Args:
        path: video file.
        size: edge of the square frames, pixels.
        max_frames: keep this many frames from the start; None keeps all.
        name: name and identity of the clip; the file's stem by default.
        find_face: from (H, W, 3) uint8 RGB to the face's (left, top, right, bottom) in pixels, or None if there is
            no face. Where given, frames that are not square are cropped around the face, and a clip without one is
            an error; else the middle square is kept.

    Returns:
        The clip; ``source`` tells what the file was, ``notes`` what was done to it.

    Raises:
        UserError: the file cannot serve, in one line with the remedy.
    """
    path = Path(path)
    notes: list[str] = []
    with open_video(path) as source:
        info = source.info
        if max_frames is None and (info.seconds or 0) > MAX_SECONDS:
            limit = f"the limit is {MAX_SECONDS:.0f} s"
            raise UserError(f"{path} lasts {info.seconds:.0f} s, {limit}: cut it, or limit the number of frames")
        faces = _sample_faces(path, info, max_frames, find_face, notes) if find_face else []
        frames = _decode(source, size, max_frames, faces, notes)
        notes.extend(source.notes)
        _check_length(source, len(frames), max_frames)
        origin = source.origin
    audio, audio_notes = load_audio(path, origin, float(len(frames) / FPS))
    name = name or path.stem
    return Clip(
        name=name,
        frames=np.stack(frames),
        audio=audio,
        identity=name,
        source=_provenance(info),
        notes=(*notes, *audio_notes),
    )


def _decode(
    source: Source, size: int, max_frames: int | None, faces: list[Box], notes: list[str]
) -> list[NDArray[np.uint8]]:
    """Resample in time and space; one full-size picture is in memory at a time."""
    frames: list[NDArray[np.uint8]] = []
    resample: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None
    limit = max_frames if max_frames is not None else int(MAX_SECONDS * FPS) + 1
    latest: Any = None
    with closing(at_rate(source.frames(), source, FPS, notes)) as timed:
        for frame in islice(timed, limit):
            if resample is None:
                crop = _plan_crop(source, frame, faces, size, notes)
                resample = crop.resampler(size)
            frames.append(frames[-1] if frame is latest else resample(to_rgb(frame)))
            latest = frame
    if max_frames is None and len(frames) == limit:
        raise UserError(f"{source.info.path} is longer than {MAX_SECONDS:.0f} s: cut it, or limit the number of frames")
    return frames


def _plan_crop(source: Source, frame: Any, faces: list[Box], size: int, notes: list[str]) -> Crop:
    """Choose the crop on the first frame, and note everything about the picture that had to change."""
    turns = quarter_turns(frame)
    width, height = (frame.height, frame.width) if turns % 2 else (frame.width, frame.height)
    aspect = float(source.stream.sample_aspect_ratio or 1)
    aspect = 1 / aspect if turns % 2 else aspect
    path = source.info.path
    check_edge(path, width, height, aspect)
    if turns:
        notes.append(f"stored rotated: turned {(360 - 90 * turns) % 360} degrees clockwise")
    if abs(aspect - 1) > 1e-3:
        notes.append(f"pixels {aspect:.4g} times as wide as high: made square")
    notes.extend(colour_notes(frame))
    crop = square_crop(width, height, aspect, faces)
    if crop.height < MIN_PIXELS:
        raise UserError(f"{path}: the face is too small: use a clip where it is at least 32 pixels high")
    if abs(width * aspect - height) > 1:
        where = "around the face" if faces else "in the middle"
        notes.append(f"{width}x{height} is not square: cropped {crop.height:.0f} pixels square {where}")
    if crop.height < size:
        notes.append(f"enlarged from {crop.height:.0f} to {size} pixels")
    return crop


def _sample_faces(
    path: Path, info: VideoInfo, max_frames: int | None, find_face: FindFace, notes: list[str]
) -> list[Box]:
    """Look for the face in frames spread over the clip, in a decoding pass of its own."""
    expected = int((info.seconds or 10.0) * FPS)
    expected = min(expected, max_frames) if max_frames is not None else expected
    stride = max(1, expected // FACE_SAMPLES)
    faces: list[Box] = []
    looked = 0
    with open_video(path) as source:
        for frame in islice(at_rate(source.frames(), source, FPS, []), stride // 2, expected or 1, stride):
            looked += 1
            box = find_face(to_rgb(frame))
            if box is not None:
                left, top, right, bottom = (float(value) for value in box)
                faces.append((left, top, right, bottom))
    if looked and not faces:
        # What keeps a face from being found is the better reason.
        check_edge(path, info.width, info.height)
        if info.seconds is not None:
            least = MIN_FRAMES if max_frames is None else min(MIN_FRAMES, max_frames)
            _check_count(path, round(info.seconds * FPS), least)
        raise UserError(f"{path}: no face found: use a clip that shows one person in every frame")
    if len(faces) < looked:
        notes.append(f"no face in {looked - len(faces)} of {looked} sampled frames")
    return faces


def _check_length(source: Source, count: int, max_frames: int | None) -> None:
    check_whole(source, count, ended=max_frames is None or count < max_frames)
    _check_count(source.info.path, count, MIN_FRAMES if max_frames is None else min(MIN_FRAMES, max_frames))


def check_whole(source: Source, count: int, *, ended: bool = True) -> None:
    """Refuse a file whose frames do not last as long as its header says.

    Args:
        source: decoded so far.
        count: of decoded frames.
        ended: the decoder has no more.

    Raises:
        UserError: there is no frame, or the file is truncated.
    """
    path, declared = source.info.path, source.info.seconds
    if not count:
        raise UserError(f"{path}: no frame can be decoded; the file is damaged: copy it again")
    if ended and declared is not None and source.end < 0.9 * declared - 0.5:
        what = f"only {source.end:.1f} of {declared:.1f} s can be decoded"
        raise UserError(f"{path}: {what}; the file is truncated: copy it again")


def check_edge(path: Path, width: int, height: int, aspect: float = 1.0) -> None:
    """Refuse pictures that are too small to show a face."""
    if min(width * aspect, height) < MIN_PIXELS:
        raise UserError(f"{path}: {width}x{height} pixels are too small: use at least {MIN_PIXELS}x{MIN_PIXELS}")


def _check_count(path: Path, count: int, least: int) -> None:
    if count < least:
        frames = "1 frame" if count == 1 else f"{count} frames"
        need = f"{MIN_FRAMES} frames ({float(MIN_FRAMES / FPS):.2f} s)"
        raise UserError(f"{path} has {frames} at {FPS} fps, too short: use a clip of at least {need}")


def _provenance(info: VideoInfo) -> dict[str, str]:
    with info.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "file": info.path.name,
        "sha256": digest,
        "container": info.container,
        "codec": info.codec,
        "pixels": f"{info.width}x{info.height}",
        "pixel format": info.pix_fmt,
        "fps": f"{float(info.fps):.5g}" if info.fps else "unknown",
        "seconds": f"{info.seconds:.2f}" if info.seconds is not None else "unknown",
        "audio": info.audio or "none",
    }
