"""Numbers and terms in words: formats, definitions, thresholds."""

from __future__ import annotations

import math

DASH = "–"

#: Metrics of the printed tables -> short name; other metrics go by their own. Definitions are the judges'.
LABELS: dict[str, str] = {
    "dsr": "DSR",
    "edit_psnr": "edit PSNR",
    "edit_ssim": "edit SSIM",
    "edit_l2_masked": "masked L2",
    "edit_l1": "edit L1",
    "edit_identity": "identity of edits",
    "head_psnr": "head PSNR",
    "lip_correlation": "lip r",
    "identity": "identity",
    "identity_arcface": "identity (ArcFace)",
    "psnr": "PSNR",
    "ssim": "SSIM",
    "seconds_per_frame": "cost",
    "parse_iou": "parse IoU",
    "head_recall": "head recall",
    "landmark_nme": "landmark NME",
    "pose_error_deg": "pose error",
}

OUTCOMES: dict[str, str] = {
    "trained": "the field trained and moves",
    "frozen": "the field is empty or static: what is seen is a still face in the background plate",
    "refused": "the attacker's capture stopped (the code says where)",
    "diverged": "the optimisation broke down",
    "timed-out": "training did not end in its time",
    "edited": "the editor gave its pictures",
    "void": "the clean clone was not trained or missed a gate, so the cell proves nothing and no number counts it",
}


def label(metric: str) -> str:
    """Short name of a metric, as column heads show it."""
    return LABELS.get(metric, metric.replace("_", " "))


def number(value: float, digits: int = 2, sign: bool = False) -> str:
    """A number, or a dash where there is none; never ``-0.0``."""
    if not math.isfinite(value):
        return DASH
    text = f"{round(value, digits) + 0.0:{'+' if sign else ''}.{digits}f}"
    return text.replace("-", "−")


def figures(value: float) -> str:
    """A number of any size in three significant digits: ``0.0412``, ``27.1``, ``1.3e+04``."""
    return f"{value + 0.0:.3g}".replace("-", "−") if math.isfinite(value) else DASH


def ratio(value: float, digits: int = 2) -> str:
    """A number within [-1, 1] without its leading zero: ``.81``, ``1.0``."""
    text = number(value, digits)
    return text.replace("0.", ".", 1) if text.startswith(("0.", "−0.")) else text[: digits + 1 + text.startswith("−")]


def small(value: float) -> str:
    """A positive number in two significant digits, never as a power of ten."""
    if not math.isfinite(value):
        return DASH
    if 0 < value < 1e-4:
        return "<.0001"
    digits = max(0, 1 - math.floor(math.log10(value))) if value > 0 else 0
    return f"{value:.{digits}f}"


def percent(value: float, sign: bool = True) -> str:
    """A share as a whole percentage: ``+4 %``."""
    return f"{number(100 * value, 0, sign)}\N{NO-BREAK SPACE}%" if math.isfinite(value) else DASH


def interval(low: float, high: float, digits: int = 1, factor: float = 1.0) -> str:
    """``[−1.2, +0.3]``, or nothing where there is none."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"[{number(low * factor, digits, True)}, {number(high * factor, digits, True)}]"


def budget(linf: float, floor: float = 0.0) -> str:
    """``12.75/255``, ``12.75/255 ≥38 dB`` with a floor; nothing for a budget of 0."""
    return f"{linf:.4g}/255{f' ≥{floor:g} dB' if floor else ''}" if linf else ""


def count(amount: int, noun: str) -> str:
    """``1 clip``, ``3 clips``."""
    return f"{amount} {noun}{'' if amount == 1 else 's'}"
