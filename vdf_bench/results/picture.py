"""What a person sees of one cell: its frames, protected, cloned and edited."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from vdf_bench.core.place import Place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Picture(Place):
    """The held-out frames of one cell, seen from all sides.

    Attributes:
        outcome: as in the result table.
        original: (B, S, S, 3) uint8 RGB, what the clones should look like.
        protected: (B, S, S, 3) uint8 RGB, as published.
        clean_clone: (B, S, S, 3) uint8 RGB, clone of the undefended clip; None where there is none.
        defended_clone: (B, S, S, 3) uint8 RGB, clone of the protected clip; None where the fit failed.
        frames: (B,) positions of these frames in the clip.
        fps: frames per second.
        code: detail of the outcome.
        edits: names of the changes, where an editor made one of each portrait; the frames stand in their order then.
    """

    outcome: str
    original: NDArray[np.uint8]
    protected: NDArray[np.uint8]
    clean_clone: NDArray[np.uint8] | None
    defended_clone: NDArray[np.uint8] | None
    frames: NDArray[np.int64]
    fps: Fraction = Fraction(25)
    code: str = ""
    edits: tuple[str, ...] = ()

    def labels(self) -> dict[str, Any]:
        """What names the picture, as JSON values."""
        return {**self.only(), "outcome": self.outcome, "code": self.code}

    def cell_id(self) -> str:
        """Folder name: readable, safe on any file system, one per cell."""
        words = (
            re.sub(r"[^A-Za-z0-9]+", "-", f"{self.clip} {self.defense} {self.victim} {self.seed}").strip("-").lower()
        )
        return f"{words[:48]}-{hashlib.sha256(json.dumps(self.only(), sort_keys=True).encode()).hexdigest()[:8]}"
