"""Where along the pipeline a defense acts: what each stage of the attack lost, from the frames to the clone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vdf_bench.report import words
from vdf_bench.report.tables import attack_name, defense_name, records
from vdf_bench.report.track import VIDEO
from vdf_bench.stats import FAILS

if TYPE_CHECKING:
    from vdf_bench.report.record import Run

#: Head PSNR below which DSR counts a frame as failed, dB: a field that falls to it has lost all.
_FAILED_PSNR: Final = 20.0
_NO_FIELD: Final = ("frozen", "diverged", "timed-out")


@dataclass(frozen=True)
class Stage:
    """One stage of one defense under one attack.

    Attributes:
        text: what was measured.
        loss: how much the attacker lost there, 0 to 1; NaN where it is not a loss or was not measured.
        broken: the attacker lost most of it.
    """

    text: str
    loss: float = math.nan
    broken: bool = False


@dataclass(frozen=True)
class Path:
    """A defense under one attack, stage by stage.

    Attributes:
        name, attack: for headings.
        stages: protect, capture, field, clone.
        first: the first stage that broke; empty where none did.
    """

    name: str
    attack: str
    stages: tuple[Stage, ...]
    first: str


#: Stage -> what its column shows.
HEADS: Final = {
    "protect": "the price: PSNR [dB], SSIM",
    "capture": "head lost by the parser [%]",
    "field": "head PSNR [dB], clean → defended",
    "clone": "net DSR [%]; lip r",
}
READING: Final = (
    "Left to right is the way of the attack; the bluer a cell, the more the attacker lost there. A stage breaks "
    "(bold) where the parser loses half of the head or refuses the video, where the field is frozen or most of its "
    "frames fall below the quality that DSR asks for, and where the clone fails on half of the frames more than the "
    "clean one. What breaks early is seen again further on."
)


def paths(run: Run) -> list[Path]:
    """Every row of the summary that was attacked and is not void, by attack."""
    if not len(run.summary) or run.terms is not VIDEO:
        return []
    return [_path(row) for row in records(run.summary) if row["victim"] and row["verdict"] != "void"]


def _path(row: dict[str, Any]) -> Path:
    recall, outcome = row["head_recall"], str(row["outcome"])
    refused = outcome == "refused"
    lost = 1.0 if refused else 1 - recall
    capture = "refused" if refused else words.number(100 * lost, 0)
    clean, head = row["head_psnr_clean"], row["head_psnr"]
    room = clean - _FAILED_PSNR
    fall = min(1.0, max(0.0, (clean - head) / room)) if math.isfinite(head) and room > 0 else math.nan
    bad = row.get("dsr_quality_delta", math.nan) >= FAILS or (outcome in _NO_FIELD and row["dsr_delta"] >= FAILS)
    psnr = f"{words.number(clean, 1)} → {words.number(head, 1)}" if math.isfinite(head) else words.DASH
    net = row["dsr_delta"]
    clone = words.number(100 * net, 0, True)
    if math.isfinite(row["lip_correlation"]):
        clone += f"; {words.ratio(row['lip_correlation'])}"
    stages = {
        "protect": Stage(f"{words.number(row['psnr'], 1)}, {words.ratio(row['ssim'], 3)}"),
        "capture": Stage(capture, lost, lost >= FAILS),
        "field": Stage(psnr, fall, bool(bad)),
        "clone": Stage(clone, min(1.0, max(0.0, net)), net >= FAILS),
    }
    control = " (control)" if row["arm"] == "control" else ""
    first = next((name for name, stage in stages.items() if stage.broken), "")
    return Path(defense_name(row) + control, attack_name(row), tuple(stages.values()), first)
