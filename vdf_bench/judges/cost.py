"""What protection and attack cost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from vdf_bench.core.cards import Card
from vdf_bench.core.metrics import Metric
from vdf_bench.judges.base import BaseJudge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdf_bench.core.interfaces import Evidence
    from vdf_bench.core.metrics import Measurement

#: Steps that the attacker pays for.
ATTACKER_STEPS = ("purify", "teach", "view", "capture", "fit", "drive", "edit")


METRICS: Final = (
    Metric("seconds_per_frame", "cost", "s", "down", 0, math.inf, "mean over frames",
           "CPU seconds of protecting a frame", shown=False),
    Metric("iterations_per_frame", "cost", "", "down", 0, math.inf, "mean over frames",
           "optimiser iterations that the defense spent on a frame", shown=False),
    Metric("peak_mib", "cost", "MiB", "down", 0, math.inf, "maximum over steps",
           "peak resident memory of the cell's hungriest step", shown=False),
    Metric("attacker_seconds", "cost", "s", "down", 0, math.inf, "sum over steps",
           "CPU seconds that the attacker spends: purify, capture, fit and drive", shown=False),
)  # fmt: skip


class Costs(BaseJudge):
    """Seconds, iterations and memory."""

    metrics = METRICS

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        count = len(evidence.protected)
        if "protect" in evidence.seconds:
            yield self.measurement("seconds_per_frame", evidence.seconds["protect"] / count, count)
        iterations = evidence.log.get("iterations", [])
        if len(iterations):
            yield self.measurement("iterations_per_frame", np.mean(iterations), len(iterations))
        if evidence.peak_mib:
            yield self.measurement("peak_mib", max(evidence.peak_mib.values()), len(evidence.peak_mib))
        spent = [evidence.seconds[step] for step in ATTACKER_STEPS if step in evidence.seconds]
        if spent:
            yield self.measurement("attacker_seconds", sum(spent), len(spent))


class Cost(Costs):
    """Of a cloned video."""

    card = Card(
        name="cost",
        title="Cost",
        summary="CPU seconds and optimiser iterations per protected frame, peak memory, and the attacker's seconds; "
        "what was not recorded is left out.",
    )
    stage = "clone"


class EditCost(Costs):
    """Of edited portraits."""

    card = Card(
        name="edit-cost",
        title="Cost, of single portraits",
        summary="CPU seconds and optimiser iterations per protected portrait, peak memory, and the attacker's seconds; "
        "what was not recorded is left out.",
    )
    stage = "edit"
