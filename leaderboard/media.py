"""What decoding gave, as rules see it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass
class Media:
    """One decoded file.

    Attributes:
        refused: why not: ``container, codec, dimensions, rate, length, stream`` or ``limits``; empty where it is good.
        problem: the same in words.
        walls: what kept the decoder in, in words.
        raw: decoded frames as raw bytes on our disk; None of pictures and of what was refused.
        shape: (T, S, S, 3) of them.
    """

    refused: str
    problem: str
    walls: tuple[str, ...] = ()
    raw: Path | None = None
    shape: tuple[int, int, int, int] = (0, 0, 0, 3)

    @cached_property
    def frames(self) -> NDArray[np.uint8]:
        """(T, S, S, 3) uint8 RGB."""
        assert self.raw is not None
        return np.fromfile(self.raw, np.uint8).reshape(self.shape)

    @cached_property
    def sha256(self) -> str:
        """Digest of the frames."""
        from vdf_bench.core.frames import frames_digest

        return frames_digest(self.frames)
