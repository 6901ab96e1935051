"""Pictures of a run: strips of still frames and short previews, kept in ``media/`` with an index."""

from __future__ import annotations

import json
import shutil
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from vdf_bench.report.track import GAIN

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from vdf_bench.results.picture import Picture

MEDIA_SCHEMA = 1
#: Held-out moments in a strip.
MOMENTS = 4
#: Largest edge of a tile in pixels; more does not show on a page.
TILE = 192
#: Longest preview, frames.
PREVIEW_FRAMES = 150


def difference(original: NDArray[np.uint8], protected: NDArray[np.uint8], gain: int = GAIN) -> NDArray[np.uint8]:
    """The perturbation times ``gain`` around mid grey: (..., 3) uint8."""
    change = protected.astype(np.int16) - original.astype(np.int16)
    return np.clip(128 + gain * change, 0, 255).astype(np.uint8)


def strip(frames: NDArray[np.uint8], moments: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The chosen frames side by side, a pixel apart: (S, M * S + M - 1, 3) uint8."""
    from PIL import Image

    tiles = []
    for frame in frames[moments]:
        edge = min(TILE, frame.shape[0])
        tile = Image.fromarray(frame).resize((edge, edge), Image.Resampling.LANCZOS) if edge < len(frame) else frame
        tiles += [np.asarray(tile, dtype=np.uint8), np.full((edge, 1, 3), 255, np.uint8)]
    return np.concatenate(tiles[:-1], axis=1)


def mosaic(picture: Picture) -> NDArray[np.uint8]:
    """A 2 x 2 video, (B, 2S, 2S, 3) uint8: original and protected above their clones; grey where there is no clone."""
    blank = np.full_like(picture.original, 128)
    clones = [blank if clone is None else clone for clone in (picture.clean_clone, picture.defended_clone)]
    rows = [np.concatenate(pair, axis=2) for pair in ([picture.original, picture.protected], clones)]
    return np.concatenate(rows, axis=1)[:PREVIEW_FRAMES]


def _video_views(picture: Picture) -> dict[str, NDArray[np.uint8] | None]:
    return {
        "original": picture.original,
        "protected": picture.protected,
        "difference": difference(picture.original, picture.protected),
        "clean": picture.clean_clone,
        "defended": picture.defended_clone,
    }


def _edit_views(picture: Picture) -> dict[str, NDArray[np.uint8] | None]:
    """A grid: the portrait and what the editor makes of it in a row, original above protected."""
    original, protected = picture.original[:1], picture.protected[:1]
    clean, defended = picture.clean_clone, picture.defended_clone
    assert clean is not None
    assert defended is not None
    changes = [difference(original, protected), difference(clean, defended, gain=1)]
    return {
        "original": original,
        "protected": protected,
        "clean": np.concatenate([original, clean]),
        "defended": np.concatenate([protected, defended]),
        "difference": np.concatenate(changes),
    }


def save_media(folder: Path, pictures: Iterable[Picture]) -> None:
    """Write ``media/<cell>/*.png``, ``media/<cell>/preview.mp4`` and ``media/index.json``, replacing what is there."""
    from PIL import Image

    from vdf_bench.video.encode import encode_preview

    media = folder / "media"
    shutil.rmtree(media, ignore_errors=True)
    media.mkdir(parents=True)
    index = []
    for picture in pictures:
        count = len(picture.original)
        moments = np.unique(((np.arange(MOMENTS) + 0.5) * count / MOMENTS).astype(np.int64))
        views = _edit_views(picture) if picture.edits else _video_views(picture)
        home = media / picture.cell_id()
        home.mkdir(exist_ok=True)
        strips = {}
        for name, frames in views.items():
            if frames is not None:
                buffer = BytesIO()
                shown = np.arange(len(frames)) if picture.edits else moments
                Image.fromarray(strip(frames, shown)).save(buffer, "PNG", optimize=True)
                (home / f"{name}.png").write_bytes(buffer.getvalue())
                strips[name] = f"{home.name}/{name}.png"
        if not picture.edits:
            (home / "preview.mp4").write_bytes(encode_preview(mosaic(picture), picture.fps))
        seconds = [round(float(picture.frames[m] / picture.fps), 2) for m in moments]
        index.append(
            {
                **picture.labels(),
                "moments": [] if picture.edits else seconds,
                "edits": list(picture.edits),
                "strips": strips,
                "video": "" if picture.edits else f"{home.name}/preview.mp4",
                "frames": count,
            }
        )
    text = json.dumps({"schema": MEDIA_SCHEMA, "pictures": index}, indent=1, ensure_ascii=False)
    (media / "index.json").write_text(text + "\n", encoding="utf-8")


def read_index(folder: Path) -> list[dict[str, Any]]:
    """The pictures that a run folder holds; empty where it has none.

    Raises:
        UserError: the index is damaged, or points out of ``media/``.
    """
    from vdf_bench.core.errors import UserError

    path = folder / "media" / "index.json"
    if not path.is_file():
        return []
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        pictures: list[dict[str, Any]] = [{"edits": [], **picture} for picture in found["pictures"]]  # older ones
        files = [file for picture in pictures for file in [*picture["strips"].values(), picture["video"]] if file]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{path} is damaged: delete media/ to report without pictures, or run again") from None
    root = path.parent.resolve()
    for file in files:
        if not (root / file).resolve().is_relative_to(root) or not (root / file).is_file():
            raise UserError(f"{path} names {file!r}, which is not in media/: delete media/ or run again")
    return pictures
