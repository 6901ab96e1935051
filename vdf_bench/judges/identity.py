"""Does the clone look like its owner?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdf_bench.core.cards import Card
from vdf_bench.judges.base import BaseJudge
from vdf_bench.judges.definitions import measurement
from vdf_bench.judges.observe import observe
from vdf_bench.recognisers.recognise import RecogniserParameters, recogniser_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdf_bench.core.interfaces import Evidence, Measurement


class Identity(BaseJudge):
    """Cosine to the owner's enrolment, and face-presence rate."""

    card = Card(
        name="identity",
        title="Identity",
        summary="Cosine of the clone to its owner's clean training frames, and how often a face is found at all. The "
        "shipped recogniser, id-synth, is validated on rendered heads only and fills the column identity. Clips of "
        "real people take the recogniser in your weight folder where there is one (vdf-bench weights fetch buffalo_l), "
        "which fills identity_arcface; --set identity.onnx=PATH gives one for all clips.",
        source="ArcFace, Deng et al., CVPR 2019 (the kind of network)",
        url="https://arxiv.org/abs/1801.07698",
        year=2019,
    )
    parameters_model = RecogniserParameters
    stage = "clone"

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        seen = observe(evidence)
        recogniser = recogniser_of(self.parameters, seen)
        cosines = seen.cosines(recogniser)
        yield measurement(recogniser.metric, cosines.mean(), len(cosines))
        yield measurement("face_rate", seen.clone_faces.seen.mean(), len(cosines))
