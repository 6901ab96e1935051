"""The landmarker that ships."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdf_bench.core.cards import Card, Component

if TYPE_CHECKING:
    from vdf_bench.models.landmarker import Landmarker


class Builtin(Component):
    """Finds the face in the frame, then looks at its crop."""

    card = Card(
        name="builtin",
        title="68-point landmarks, trained on renders",
        summary="Two small networks: where the face is, then 68 iBUG points in its crop, under several views.",
        needs=("weights:landmarker",),
        trained_on="rendered heads of the package's own scenes, strongly randomised",
    )

    def load(self) -> Landmarker:
        """See :meth:`vdf_bench.core.interfaces.Landmarker.load`."""
        from vdf_bench.models.landmarker import load_landmarker

        return load_landmarker()
