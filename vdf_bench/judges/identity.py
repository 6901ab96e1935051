"""Does the clone look like its owner?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdf_bench.core import registry
from vdf_bench.core.cards import Card
from vdf_bench.core.metrics import Metric
from vdf_bench.judges.base import HELD, SHARE, BaseJudge
from vdf_bench.judges.observe import observe

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
        "which fills identity_arcface; --recogniser NAME takes one for all clips.",
        source="ArcFace, Deng et al., CVPR 2019 (the kind of network)",
        url="https://arxiv.org/abs/1801.07698",
        year=2019,
    )
    stage = "clone"
    metrics = METRICS

    @classmethod
    def declared(cls) -> tuple[Metric, ...]:
        """Of every other recogniser that is installed, a column of its own too."""
        known = {metric.name for metric in cls.metrics}
        others = {registry.load("recognisers", name).metric: name for name in registry.names("recognisers")}
        return cls.metrics + tuple(
            Metric(metric, "clone", "", "up", -1, 1, HELD, f"cosine to the owner's enrolment by the recogniser {name}")
            for metric, name in others.items()
            if metric not in known
        )

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        seen = observe(evidence)
        yield self.measurement(seen.recogniser.metric, seen.cosines.mean(), len(seen.cosines))
        yield self.measurement("face_rate", seen.clone_faces.seen.mean(), len(seen.cosines))
