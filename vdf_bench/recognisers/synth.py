"""``id-synth``: the recogniser that ships."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from vdf_bench.core.cards import Card, Parameters
from vdf_bench.recognisers.base import BaseRecogniser

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vdf_bench.models.embedder import Embedder


class IdSynthParameters(Parameters):
    """How strict it is."""

    threshold: float | None = Field(None, ge=-1, le=1, description="cosine of acceptance; None: FAR 1e-3 on renders")


class IdSynth(BaseRecogniser):
    """Trained and validated on rendered heads; on real faces its verdict is not validated."""

    card = Card(
        name="id-synth",
        title="identity embedder, trained on renders",
        summary="A small network on 64 px crops, validated on rendered heads only. Judges rendered clips by default.",
        needs=("weights:id-synth",),
        trained_on="rendered heads of the package's own scenes, strongly randomised",
    )
    parameters_model: ClassVar[type[Parameters]] = IdSynthParameters
    metric = "identity"

    def threshold(self) -> tuple[float, str]:
        from vdf_bench.assets.shipped import card

        if self.parameters.threshold is not None:
            return self.parameters.threshold, "as set"
        return float(card("id-synth")["tau"]), "FAR 1e-3 on rendered heads that it never saw"

    def note(self, real: bool) -> str | None:
        if not real:
            return None
        return (
            "identity is judged by id-synth, which was validated on rendered heads only; for a recogniser of real "
            "faces run `vdf-bench weights fetch buffalo_l`, or say --recogniser arcface --set arcface.file=FILE"
        )

    def load(self) -> SynthModel:
        """See :meth:`vdf_bench.core.interfaces.Recogniser.load`."""
        from vdf_bench.models.embedder import load_embedder

        return SynthModel(load_embedder(), self.threshold()[0])


class SynthModel:
    """The shipped embedder as a recogniser."""

    name = "id-synth"
    metric = "identity"

    def __init__(self, embedder: Embedder, threshold: float) -> None:
        self._embedder = embedder
        self.threshold = threshold

    def embed(self, frames: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]:
        """See :meth:`vdf_bench.core.interfaces.RecogniserModel.embed`."""
        return self._embedder.embed(frames, points)
