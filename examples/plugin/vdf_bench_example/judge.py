"""How much a protection disturbs edges, which the eye sees first."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from vdf_bench.core.cards import Card
from vdf_bench.core.metrics import Metric
from vdf_bench.judges.base import BaseJudge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vdf_bench.core.interfaces import Evidence
    from vdf_bench.core.metrics import Measurement


class Edges(BaseJudge):
    """``edge_error``: mean absolute change of the brightness gradient."""

    card: ClassVar[Card] = Card(
        name="edges",
        title="Edges",
        summary="How much the protection changes the gradient of brightness, mean over pixels and frames.",
    )
    stage = "protect"
    #: Reports give it a column, with this definition under the table.
    metrics = (
        Metric(
            name="edge_error",
            stage="protect",
            unit="/255",
            better="down",
            lower=0,
            upper=361,  # of a step from black to white along both axes
            aggregation="mean over pixels and frames",
            definition="mean absolute change of the length of the brightness gradient, 8-bit levels a pixel",
        ),
    )

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        """See :meth:`vdf_bench.core.interfaces.Judge.measure`."""
        pairs = zip(evidence.protected, evidence.clip.frames, strict=True)
        errors = [np.abs(gradient(protected) - gradient(clean)).mean() for protected, clean in pairs]
        yield self.measurement("edge_error", np.mean(errors), len(errors))


def gradient(frame: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(H, W) length of the brightness gradient of a frame (H, W, 3), in 8-bit levels a pixel."""
    down, across = np.gradient(frame.mean(-1))
    return np.asarray(np.hypot(down, across))
