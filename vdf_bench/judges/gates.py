"""What a clone of the clean clip must meet: a victim that does not clone a clean clip proves nothing of a defense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Gate(NamedTuple):
    """A condition on one metric of a clean cell.

    Attributes:
        metric: name in the result table.
        bound: of its value.
        side: whether the value must be at least or at most ``bound``.
        why: what a miss would mean.
    """

    metric: str
    bound: float
    side: Literal["at least", "at most"]
    why: str

    def __str__(self) -> str:
        return f"{self.metric} {'≥' if self.side == 'at least' else '≤'} {self.bound:g}"


#: An empty or foggy field, or one that stands still, is the victim's own fault on a clean clip, and must never be
#: counted as a success of a defense.
GATES: Final = (
    Gate("head_psnr", 25.0, "at least", "a copy of the nearest training frame reaches 16 to 23 dB"),
    Gate("lip_correlation", 0.6, "at least", "lips fail silently: pictures look right while they do not follow"),
    Gate("dsr_identity", 0.1, "at most", "the owner must be recognised"),
    Gate("alpha_head", 0.8, "at least", "an empty field shows the plate, whatever it was trained on"),
    Gate("alpha_outside", 0.2, "at most", "a foggy field paints the room and takes no shape"),
    Gate("frame_change_ratio", 0.3, "at least", "a still face is no talking head"),
)

#: Of edits of clean portraits: an editor that changes nothing, or gives somebody else, proves nothing of a defense.
EDIT_GATES: Final = (
    Gate("edit_area", 0.005, "at least", "edits that change nothing cannot be spoilt"),
    Gate("edit_identity", 0.3, "at least", "the edit must still show the person"),
)


@dataclass(frozen=True)
class GateResult:
    """A gate and what was measured.

    Attributes:
        gate: the condition.
        value: as measured; None where the metric was not, such as the opacity of a clone that is a video only.
    """

    gate: Gate
    value: float | None

    @property
    def ok(self) -> bool | None:
        """Whether the gate is met; None where nothing was measured, which does not count as failed."""
        if self.value is None:
            return None
        return self.value >= self.gate.bound if self.gate.side == "at least" else self.value <= self.gate.bound

    def record(self) -> dict[str, Any]:
        """As ``run.json`` holds it."""
        gate = self.gate
        return {"gate": gate.metric, "value": self.value, "threshold": gate.bound, "side": gate.side, "ok": self.ok}


def judge_gates(rows: Iterable[Mapping[str, Any]], gates: Iterable[Gate] = GATES) -> list[GateResult]:
    """Every gate, on the measurements of a clean cell (mappings with ``metric`` and ``value``)."""
    values = {row["metric"]: row["value"] for row in rows}
    return [GateResult(gate, values.get(gate.metric)) for gate in gates]


def why_void(outcome: str, code: str, results: Iterable[GateResult]) -> str | None:
    """Why a clean clone proves nothing, in words; None where it stands."""
    if outcome not in ("trained", "edited"):
        return f"clean twin {outcome}: {code}"
    for result in results:
        if result.ok is False:
            return f"clean twin fails {result.gate.metric}: {result.value:.3g}"
    return None
