"""How much a protection disturbs edges, which the eye sees first."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from vdf_bench.core.cards import Card, Component
from vdf_bench.core.interfaces import Measurement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vdf_bench.core.interfaces import Evidence


class Edges(Component):
    """``edge_error``: mean absolute change of the brightness gradient."""

    card: ClassVar[Card] = Card(
        name="edges",
        title="Edges",
        summary="How much the protection changes the gradient of brightness, mean over pixels and frames.",
    )
    stage = "protect"

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        """See :meth:`vdf_bench.core.interfaces.Judge.measure`."""
        pairs = zip(evidence.protected, evidence.clip.frames, strict=True)
        errors = [np.abs(gradient(protected) - gradient(clean)).mean() for protected, clean in pairs]
        yield Measurement("protect", "edge_error", "/255", "down", float(np.mean(errors)), len(errors))


def gradient(frame: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(H, W) length of the brightness gradient of a frame (H, W, 3), in 8-bit levels a pixel."""
    down, across = np.gradient(frame.mean(-1))
    return np.asarray(np.hypot(down, across))
