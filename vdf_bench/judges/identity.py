"""Does the clone look like its owner?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdf_bench.core.cards import Card
from vdf_bench.core.metrics import Metric
from vdf_bench.judges.base import HELD, SHARE, BaseJudge
from vdf_bench.judges.observe import observe
from vdf_bench.recognisers.recognise import RecogniserParameters, recogniser_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdf_bench.core.interfaces import Evidence
    from vdf_bench.core.metrics import Measurement


METRICS: Final = (
    Metric("identity", "clone", "", "up", -1, 1, HELD,
           "cosine by id-synth to the owner's enrolment (mean embedding of clean training frames); faceless frames "
           "count 0", shown=False),
    Metric("identity_arcface", "clone", "", "up", -1, 1, HELD,
           "the same by an ArcFace-like recogniser of real people, on the 112 px crop of five points; the run's notes "
           "name its file and threshold", "buffalo_l", shown=False),
    Metric("face_rate", "clone", "", "up", 0, 1, SHARE, "share of frames in which a face is found", shown=False),
)  # fmt: skip


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
    metrics = METRICS

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        seen = observe(evidence)
        recogniser = recogniser_of(self.parameters, seen)
        cosines = seen.cosines(recogniser)
        yield self.measurement(recogniser.metric, cosines.mean(), len(cosines))
        yield self.measurement("face_rate", seen.clone_faces.seen.mean(), len(cosines))
