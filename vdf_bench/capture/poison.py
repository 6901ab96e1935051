"""Poisoned captures: the damage that a defense hopes for, done by hand, to see what each victim makes of it.

A probe of victims, not a defense: it reaches into the attacker's capture, which no publisher can. It shows how much
of a victim's failure follows from broken masks alone, and whether noise alone harms it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.ndimage import gaussian_filter

from vdf_bench.core import labels as classes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.core.interfaces import ParserModel

#: Width of the blobs in which masks break, as a share of the frame's edge: broken parsings have holes, not dust.
BLOB: Final = 0.05


@dataclass(frozen=True)
class Poison:
    """What is done to a capture.

    Attributes:
        title: what a person reads.
        frames: share of the frames whose mask is broken.
        dropped: share of the head's pixels that become background there.
        levels: every value of every frame goes up or down by so many of 255.
    """

    title: str
    frames: float = 0.0
    dropped: float = 0.0
    levels: int = 0


POISONS: Final[dict[str, Poison]] = {
    "mask-90": Poison("80 % of the head's mask dropped on 90 % of the frames", frames=0.9, dropped=0.8),
    "mask-50": Poison("80 % of the head's mask dropped on 50 % of the frames", frames=0.5, dropped=0.8),
    "noise": Poison("random ±8/255 on every frame", levels=8),
}


class PoisonedParser:
    """A parser whose masks are broken before plate and composites are made from them.

    Args:
        parser: parses.
        poison: how much is dropped.
        seed: of the choice of frames and blobs.
    """

    def __init__(self, parser: ParserModel, poison: Poison, seed: int) -> None:
        self._parser = parser
        self._poison = poison
        self._seed = seed

    def parse(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See :meth:`vdf_bench.core.interfaces.ParserModel.parse`."""
        return drop_heads(self._parser.parse(frames), self._poison, np.random.default_rng([self._seed, 0]))


def drop_heads(labels: NDArray[np.uint8], poison: Poison, random: np.random.Generator) -> NDArray[np.uint8]:
    """Relabel blobs of the head as background.

    Args:
        labels: (T, S, S) classes; not changed.
        poison: ``frames`` and ``dropped`` are met to the pixel.
        random: chooses frames and blobs.
    """
    broken = labels.copy()
    chosen = random.permutation(len(labels))[: round(poison.frames * len(labels))]
    for t in np.sort(chosen):
        rows, columns = np.nonzero(classes.mask_of(labels[t], classes.HEAD))
        field = gaussian_filter(random.standard_normal(labels[t].shape), BLOB * labels.shape[1], mode="wrap")
        first = np.argsort(field[rows, columns], kind="stable")[: round(poison.dropped * len(rows))]
        broken[t, rows[first], columns[first]] = classes.BACKGROUND[0]
    return broken


def add_noise(frames: NDArray[np.uint8], poison: Poison, seed: int) -> NDArray[np.uint8]:
    """Frames (T, S, S, 3) with ``poison.levels`` added to or taken from every value, at random."""
    if not poison.levels:
        return frames
    random = np.random.default_rng([seed, 1])
    noisy = np.empty_like(frames)
    for t, frame in enumerate(frames):  # a frame at a time, for the sake of memory
        sign = random.integers(0, 2, frame.shape, np.int8).astype(np.int16) * 2 - 1
        noisy[t] = np.clip(frame + poison.levels * sign, 0, 255)
    return noisy
