"""Face parsing as the pipelines use it: 19 classes in, four colours out (task 4 of RAD-NeRF's ``process.py``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vdf_bench.core import labels as classes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.core.interfaces import ParserModel

#: The official colours, RGB (the files are written by OpenCV, so its (255, 0, 0) is this blue).
COLOURS: Final[dict[str, tuple[int, int, int]]] = {
    "background": (255, 255, 255),
    "head": (0, 0, 255),
    "neck": (0, 255, 0),
    "torso": (255, 0, 0),
}
_GROUPS: Final = {
    "background": classes.BACKGROUND,
    "head": classes.HEAD,
    "neck": classes.NECK,
    "torso": classes.TORSO,
}


@dataclass(frozen=True)
class Parsing:
    """Parsed frames.

    Attributes:
        labels: (T, S, S) uint8, classes 0..18.
        trace: share of the pixels that each group takes, and the share of frames without any head.
    """

    labels: NDArray[np.uint8]
    trace: dict[str, float]


def parse_frames(frames: NDArray[np.uint8], parser: ParserModel) -> Parsing:
    """Parse (T, S, S, 3) uint8 RGB frames.

    Raises:
        ValueError: the parser returned something other than (T, S, S) classes 0..18.
    """
    labels = np.asarray(parser.parse(frames))
    if labels.shape != frames.shape[:3] or (labels.size and int(labels.max()) >= len(classes.CLASSES)):
        raise ValueError(f"a parser must return {frames.shape[:3]} classes 0..18, got {labels.shape}")
    labels = labels.astype(np.uint8)
    trace = {f"{name}_share": float(classes.mask_of(labels, group).mean()) for name, group in _GROUPS.items()}
    has_head = classes.mask_of(labels, classes.HEAD).any(axis=(1, 2))
    trace["headless_rate"] = float(1 - has_head.mean())
    return Parsing(labels, trace)


def colour_code(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(..., S, S) classes to (..., S, S, 3) uint8 RGB in the official four colours."""
    table = np.zeros((len(classes.CLASSES), 3), np.uint8)
    for name, group in _GROUPS.items():
        table[list(group)] = COLOURS[name]
    return table[labels]
