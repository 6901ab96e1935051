"""What protection and attack cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.core.cards import Card
from vdf_bench.judges.base import BaseJudge
from vdf_bench.judges.definitions import measurement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdf_bench.core.interfaces import Evidence, Measurement

#: Steps that the attacker pays for.
ATTACKER_STEPS = ("purify", "teach", "view", "capture", "fit", "drive", "edit")


class Costs(BaseJudge):
    """Seconds, iterations and memory."""

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        count = len(evidence.protected)
        if "protect" in evidence.seconds:
            yield measurement("seconds_per_frame", evidence.seconds["protect"] / count, count)
        iterations = evidence.log.get("iterations", [])
        if len(iterations):
            yield measurement("iterations_per_frame", np.mean(iterations), len(iterations))
        if evidence.peak_mib:
            yield measurement("peak_mib", max(evidence.peak_mib.values()), len(evidence.peak_mib))
        spent = [evidence.seconds[step] for step in ATTACKER_STEPS if step in evidence.seconds]
        if spent:
            yield measurement("attacker_seconds", sum(spent), len(spent))


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
