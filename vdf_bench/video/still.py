"""A single portrait: a picture file, or the first frame of a video, as a clip of one frame."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.core.clip import Clip
from vdf_bench.core.errors import UserError
from vdf_bench.video.crop import square_crop
from vdf_bench.video.decode import MAX_PIXELS, MIN_PIXELS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    FindFace = Callable[[NDArray[np.uint8]], Sequence[float] | None]

#: Formats that are opened, by PIL's names; other decoders are not even asked.
FORMATS = ("PNG", "JPEG", "WEBP")
ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
#: No picture file is larger, bytes.
MAX_BYTES = 64 * 2**20


def load_still(path: Path, size: int, find_face: FindFace | None = None) -> Clip:
    """Read one portrait, cropped around its face where it is not square.

    Args:
        path: a PNG, JPEG or WebP file; else a video, of which the first frame is taken.
        size: edge of the square frame, pixels.
        find_face: from (H, W, 3) uint8 RGB to the face's (left, top, right, bottom), or None if there is no face.

    Raises:
        UserError: the file cannot serve, in one line with the remedy.
    """
    if path.suffix.lower() not in ENDINGS:
        from vdf_bench.video.load import load_clip

        return load_clip(path, size=size, max_frames=1, find_face=find_face)
    picture = _read(path)
    notes = []
    height, width = picture.shape[:2]
    box = find_face(picture) if find_face and width != height else None
    if find_face and width != height and box is None:
        raise UserError(f"{path}: no face found: use a portrait, or a picture that is already cropped square")
    left, top, right, bottom = box or (0.0, 0.0, 0.0, 0.0)
    crop = square_crop(width, height, 1.0, [(left, top, right, bottom)] if box else [])
    if crop.height < MIN_PIXELS:
        raise UserError(f"{path}: the face is too small: use a picture where it is at least 32 pixels high")
    if width != height:
        notes.append(f"{width}x{height} is not square: cropped {crop.height:.0f} pixels square around the face")
    if crop.height < size:
        notes.append(f"enlarged from {crop.height:.0f} to {size} pixels")
    frame = crop.resampler(size)(picture)
    source = {"file": path.name, "picture": f"{width}x{height}"}
    return Clip(path.stem, frame[None], np.zeros(0, np.float32), path.stem, source=source, notes=tuple(notes))


def _read(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB, upright; transparent pixels on grey."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    if path.stat().st_size > MAX_BYTES:
        raise UserError(f"{path} is larger than {MAX_BYTES // 2**20} MiB: check that it is the right file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise UserError(f"{path} has {opened.width}x{opened.height} pixels: scale it down")
                upright = ImageOps.exif_transpose(opened).convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path} cannot be read as a picture ({reason}): save it again as PNG") from None
    except Image.DecompressionBombWarning:
        raise UserError(f"{path} has too many pixels: scale it down") from None
    ground = Image.new("RGBA", upright.size, (128, 128, 128, 255))
    return np.asarray(Image.alpha_composite(ground, upright).convert("RGB"))
