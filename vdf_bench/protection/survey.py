"""One look at the whole video before any work: how long it is, where the face is, and what could go wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from vdf_bench.core.errors import UserError
from vdf_bench.video.crop import square_crop
from vdf_bench.video.decode import colour_notes, open_video, to_rgb
from vdf_bench.video.load import FACE_SAMPLES, check_edge, check_whole
from vdf_bench.video.stream import Shape, shape_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vdf_bench.video.crop import Box
    from vdf_bench.video.load import FindFace

    Tell = Callable[[str, int, int], None]

#: A square may hold fewer pixels than a benchmark clip, but a parser sees no face in less.
MIN_SQUARE = 32


@dataclass(frozen=True)
class Survey:
    """What is known of a video before it is protected.

    Attributes:
        frames: how many there are.
        seconds: how long they last.
        shape: how they are stored.
        square: left, top, width, height of the protected part of the upright picture, pixels; width and height
            differ where the pixels are not square.
        size: edge of the pictures that the defense sees.
        notes: what the user should know, one line each.
    """

    frames: int
    seconds: float
    shape: Shape
    square: tuple[int, int, int, int]
    size: int
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values; :meth:`from_json` reads them."""
        shape = self.shape
        exact = {"clock": str(shape.clock), "rate": str(shape.rate), "aspect": str(shape.aspect)}
        return {**asdict(self), "shape": {**asdict(shape), **exact}}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Survey:
        """The survey that :meth:`to_json` wrote."""
        known = values["shape"]
        shape = Shape(
            width=known["width"],
            height=known["height"],
            clock=Fraction(known["clock"]),
            rate=Fraction(known["rate"]),
            aspect=Fraction(known["aspect"]),
            turns=known["turns"],
            matrix=tuple(known["matrix"]),
        )
        left, top, width, height = values["square"]
        return cls(
            values["frames"],
            values["seconds"],
            shape,
            (left, top, width, height),
            values["size"],
            tuple(values["notes"]),
        )


def survey(path: Path, largest: int, find_face: FindFace, tell: Tell) -> Survey:
    """Decode a video once and look for the face in frames spread over it.

    Args:
        path: the video.
        largest: edge of the pictures that the defense sees, at most.
        find_face: see :func:`vdf_bench.video.load.load_clip`.
        tell: progress: what is done, frames seen, frames expected.

    Raises:
        UserError: the video cannot serve, or shows no face.
    """
    faces: list[Box] = []
    looked = count = 0
    shape: Shape | None = None
    notes: list[str] = []
    with open_video(path) as source:
        expected = max(round((source.info.seconds or 0) * float(source.info.fps or 25)), 1)
        stride = max(1, expected // FACE_SAMPLES)
        for _, frame in source.frames():
            if shape is None:
                shape = shape_of(source, frame)
                notes += colour_notes(frame)
            if count % stride == stride // 2:
                looked += 1
                found = find_face(to_rgb(frame))
                faces += [(float(found[0]), float(found[1]), float(found[2]), float(found[3]))] if found else []
                # A header that promises too little must not make this a search of every frame.
                stride *= 2 if looked % (4 * FACE_SAMPLES) == 0 else 1
            count += 1
            tell("looking for the face", count, max(expected, count))
        check_whole(source, count)
        notes += source.notes
        seconds = source.end
        notes += _left_out(source.container)
    if shape is None or not faces:
        check_edge(path, source.info.width, source.info.height)
        raise UserError(f"{path}: no face found: use a video that shows one person in every frame")
    square = _square(path, shape, faces)
    size = min(square[3], largest)
    notes += _square_notes(shape, square, size, faces, looked)
    return Survey(count, seconds, shape, square, size, tuple(notes))


def _square(path: Path, shape: Shape, faces: list[Box]) -> tuple[int, int, int, int]:
    """The square of the benchmark's own clips, on whole pixels."""
    shown = shape.upright()
    width, height = shown.width, shown.height
    crop = square_crop(width, height, float(shown.aspect), faces)
    left, top = round(crop.x), round(crop.y)
    square = left, top, min(round(crop.width), width - left), min(round(crop.height), height - top)
    if min(square[2:]) < MIN_SQUARE:
        raise UserError(f"{path}: the face is too small: use a video where it is at least 16 pixels high")
    return square


def _square_notes(
    shape: Shape, square: tuple[int, int, int, int], size: int, faces: list[Box], looked: int
) -> list[str]:
    left, top, width, height = square
    shown = shape.upright().width, shape.upright().height
    notes = []
    if square != (0, 0, *shown):
        notes.append(
            f"protected: the {width}x{height} pixels around the face at ({left}, {top}) of {shown[0]}x{shown[1]}; "
            "what lies outside, other people too, stays as it is"
        )
    if (width, height) != (size, size):
        notes.append(
            f"the defense worked at {size} px; its perturbation was enlarged to {width}x{height}, within the budget"
        )
    if len(faces) < looked:
        notes.append(f"no face in {looked - len(faces)} of {looked} sampled frames")
    strayed = sum(box[0] < left or box[1] < top or box[2] > left + width or box[3] > top + height for box in faces)
    if strayed:
        notes.append(
            f"in {strayed} of {len(faces)} sampled frames the face reaches out of the square, which does not follow "
            "it: protected in part only"
        )
    return notes


def _left_out(container: Any) -> list[str]:
    kinds = [stream.type for stream in container.streams if stream.type not in {"video", "audio"}]
    kinds += ["video"] * (len(container.streams.video) - 1)
    notes = [f"left out: streams of {', '.join(sorted(set(kinds)))}"] if kinds else []
    return notes + (["left out: tags such as title, place and date"] if _tags(container) else [])


def _tags(container: Any) -> bool:
    return any(not name.startswith(("major_", "minor_", "compatible_", "encoder")) for name in container.metadata)
