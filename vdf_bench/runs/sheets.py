"""Contact sheets of clones: the truth above what landmarks and sound drive, at the moments that tell most."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL import Image, ImageDraw, ImageFont

    from vdf_bench.core.capture import Capture

#: Frames spread over the held-out blocks.
SPREAD: Final = 6
#: The two widest mouths are at least this far apart, frames.
APART: Final = 5
#: Layout, pixels.
TILE, GAP, MARGIN, LABEL, CAPTION, TITLE = 168, 4, 20, 128, 46, 72
_INK, _FAINT, _PAPER, _BLANK = (24, 28, 36), (110, 116, 128), (255, 255, 255), (232, 234, 238)
_GOOD, _BAD = (30, 120, 60), (176, 32, 32)


class Moment(NamedTuple):
    """A column: position among the held-out frames, and what is to be seen there."""

    position: int
    caption: str


def moments(capture: Capture) -> list[Moment]:
    """Six frames spread over the held-out blocks, the two widest mouths, the most closed eyes and the largest turn."""
    held = capture.split.heldout
    count = len(held)
    mouth = capture.mouth[held, 0]
    widest = int(mouth.argmax())
    telling = [Moment(widest, "widest mouth")]
    far = np.abs(held - held[widest]) >= APART
    if far.any():
        telling.append(Moment(int(np.where(far, mouth, -np.inf).argmax()), "next widest"))
    telling.append(Moment(int(capture.eyes[held].argmin()), "most closed eyes"))
    rotation = capture.pose.rotation[held].astype(np.float64)
    turn = np.einsum("bij,ij->b", rotation, rotation.mean(0))  # falls with the angle to the mean pose
    telling.append(Moment(int(turn.argmin()), "largest turn"))
    # The spread ones keep clear of those, so that no picture is shown twice where there are enough.
    free = np.setdiff1d(np.arange(count), [moment.position for moment in telling])
    free = free if len(free) >= SPREAD else np.arange(count)
    spread = np.unique(free[((np.arange(SPREAD) + 0.5) * len(free) / SPREAD).astype(np.int64)])
    return [*(Moment(int(position), "") for position in spread), *telling]


def clone_sheet(
    title: str,
    verdict: tuple[str, bool],
    columns: Sequence[tuple[str, str]],
    spread: int,
    rows: Sequence[tuple[str, str, NDArray[np.uint8] | None]],
) -> bytes:
    """A PNG: one picture a column and row, with captions.

    Args:
        title: headline.
        verdict: line under it, and whether it is good news.
        columns: caption of each column, two lines.
        spread: so many columns stand before a wider gap, apart from the telling moments.
        rows: name, remark, and (C, S, S, 3) uint8 RGB frames; None where there are none.
    """
    from PIL import Image, ImageDraw, ImageFont

    large, small = (ImageFont.load_default(size) for size in (22, 14))
    assert isinstance(large, ImageFont.FreeTypeFont)
    assert isinstance(small, ImageFont.FreeTypeFont)
    step = TILE + GAP
    lefts = [MARGIN + LABEL + c * step + (3 * GAP if c >= spread else 0) for c in range(len(columns))]
    width = lefts[-1] + TILE + MARGIN
    sheet = Image.new("RGB", (width, TITLE + CAPTION + len(rows) * step - GAP + MARGIN), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, 14), title, _INK, large)
    draw.text((MARGIN, 44), _fitted(draw, verdict[0], small, width - 2 * MARGIN), _GOOD if verdict[1] else _BAD, small)
    for left, lines in zip(lefts, columns, strict=True):
        middle = left + TILE // 2
        for line, (text, ink) in enumerate(zip(lines, (_INK, _FAINT), strict=True)):
            draw.text((middle, TITLE + 4 + 18 * line), text, ink, small, anchor="ma")
    for r, (name, remark, frames) in enumerate(rows):
        top = TITLE + CAPTION + r * step
        draw.text((MARGIN, top + TILE // 2 - 4), name, _INK, small, anchor="ls")
        draw.multiline_text((MARGIN, top + TILE // 2 + 4), remark, _FAINT, small, spacing=3)
        for c, left in enumerate(lefts):
            sheet.paste(_tile(None if frames is None else frames[c]), (left, top))
    buffer = BytesIO()
    sheet.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def sheet_name(*parts: str) -> str:
    """A file name that any file system takes."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", " ".join(filter(None, parts))).strip("-.") + ".png"


def _tile(frame: NDArray[np.uint8] | None) -> Image.Image:
    from PIL import Image

    if frame is None:
        return Image.new("RGB", (TILE, TILE), _BLANK)
    return Image.fromarray(frame).resize((TILE, TILE), Image.Resampling.LANCZOS)


def _fitted(draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """``text``, cut to ``width`` pixels."""
    if draw.textlength(text, font) <= width:
        return text
    while text and draw.textlength(text + "…", font) > width:
        text = text[:-1]
    return text + "…"
