"""Each property as a pure function: figures in, a result with these figures out. Nothing here runs anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from vdf_bench.stats import STILL, agreement, bootstrap_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Net DSR from which a control that hides the face counts as total.
TOTAL = 0.9
#: Steps by which an effect may fall while its cause grows: share of frames, dB.
SLACK_DSR, SLACK_PSNR = 0.1, 1.0
#: By how much a cosine or a correlation may move against its meaning.
SLACK_COSINE = 0.03
#: Least rank agreement of seeds.
TAU = 0.8


@dataclass(frozen=True)
class PropertyResult:
    """Something that must be true of the benchmark.

    Attributes:
        name: short.
        claim: what must hold, in a sentence.
        ok: whether it does; what could not be measured does not hold.
        measured: the figures that decide, in words.
        figures: the same for machines.
    """

    name: str
    claim: str
    ok: bool
    measured: str
    figures: dict[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """As ``validate.json`` holds it."""
        return {
            "name": self.name,
            "claim": self.claim,
            "ok": self.ok,
            "measured": self.measured,
            "figures": self.figures,
        }


def _missing(name: str, claim: str, reason: str = "nothing could be measured: its cells are void") -> PropertyResult:
    return PropertyResult(name, claim, False, reason)


def _percent(share: float) -> str:
    return f"{100 * share:+.0f} %"


def no_effect(dsr: Sequence[float], psnr: Sequence[float]) -> PropertyResult:
    """Two clean clones of each person that differ in their seed only.

    Args:
        dsr: difference of their DSR for each person.
        psnr: of their head PSNR, dB.
    """
    name, claim = "nothing does nothing", "two clean clones of a person that differ in their seed have no effect"
    if not len(dsr) or not len(psnr):
        return _missing(name, claim)
    figures: dict[str, Any] = {}
    ok, measured = True, []
    for metric, values, slack, show in (
        ("DSR", dsr, SLACK_DSR, _percent),
        ("head PSNR", psnr, SLACK_PSNR, lambda value: f"{value:+.2f} dB"),
    ):
        mean = float(np.mean(values))
        ends = bootstrap_interval(values, np.random.default_rng(0))
        ok &= abs(mean) <= slack and (ends is None or ends.low <= 0 <= ends.high)
        within = f" [{show(ends.low)}, {show(ends.high)}]" if ends else ""
        measured.append(f"{metric} {show(mean)}{within}")
        figures[metric] = {"mean": mean, "by_person": list(values), "interval": [ends.low, ends.high] if ends else None}
    return PropertyResult(name, claim, ok, f"{', '.join(measured)}; n = {len(dsr)}", figures)


def noise_is_harmless(net_dsr: Sequence[float]) -> PropertyResult:
    """The noise control's net DSR for each person."""
    name, claim = "noise is harmless", f"random signs at the whole bound have a net DSR of at most {_percent(STILL)}"
    if not len(net_dsr):
        return _missing(name, claim)
    mean = float(np.mean(net_dsr))
    measured = f"net DSR {_percent(mean)}, worst {_percent(max(net_dsr))}; n = {len(net_dsr)}"
    return PropertyResult(name, claim, mean <= STILL, measured, {"net_dsr": list(net_dsr)})


def hiding_is_total(net_dsr: Sequence[float]) -> PropertyResult:
    """The occlusion control's net DSR for each person."""
    name, claim = "a hidden face is lost", f"a grey box over the face has a net DSR of at least {_percent(TOTAL)}"
    if not len(net_dsr):
        return _missing(name, claim)
    mean = float(np.mean(net_dsr))
    measured = f"net DSR {_percent(mean)}, least {_percent(min(net_dsr))}; n = {len(net_dsr)}"
    return PropertyResult(name, claim, mean >= TOTAL, measured, {"net_dsr": list(net_dsr)})


def effect_grows(levels: Sequence[float], net_dsr: Sequence[float], psnr_drop: Sequence[float]) -> PropertyResult:
    """A defense at growing bounds.

    Args:
        levels: bounds in 8-bit levels, growing.
        net_dsr: mean effect at each of them; NaN where it was not measured.
        psnr_drop: of head PSNR, dB, likewise.
    """
    name, claim = "more does more", "the effect of vdf grows with its bound, within tolerance"
    if len(levels) < 3 or not np.isfinite([*net_dsr, *psnr_drop]).all():
        return _missing(name, claim)
    falls = {
        "net DSR": (max(a - b for a, b in pairwise(net_dsr)), SLACK_DSR),
        "head PSNR drop": (max(a - b for a, b in pairwise(psnr_drop)), SLACK_PSNR),
    }
    # A defense that does the same at every bound is no evidence of a dose.
    rises = psnr_drop[-1] - psnr_drop[0] > SLACK_PSNR
    ok = rises and all(fall <= slack for fall, slack in falls.values())
    shown = ", ".join(
        f"{level:g}/255: {_percent(dsr)} {drop:+.1f} dB"
        for level, dsr, drop in zip(levels, net_dsr, psnr_drop, strict=True)
    )
    figures = {"levels": list(levels), "net_dsr": list(net_dsr), "head_psnr_drop": list(psnr_drop)}
    return PropertyResult(name, claim, ok, shown, figures)


def falls(
    name: str, claim: str, causes: Sequence[float], values: Sequence[float], slack: float, least: float
) -> PropertyResult:
    """A metric on evidence that was made worse step by step.

    Args:
        name: of the property.
        claim: what must hold.
        causes: how much worse, growing.
        values: of the metric.
        slack: by which a step may rise.
        least: by how much the whole must fall.
    """
    if len(values) < 2 or not np.isfinite(values).all():
        return _missing(name, claim)
    rise = max(b - a for a, b in pairwise(values))
    ok = rise <= slack and values[0] - values[-1] >= least
    measured = ", ".join(f"{cause:g}: {value:.2f}" for cause, value in zip(causes, values, strict=True))
    figures = {"causes": list(causes), "values": list(values), "slack": slack, "least_fall": least}
    return PropertyResult(name, claim, ok, measured, figures)


def identity_tells(own: Sequence[float], other: Sequence[float], threshold: float) -> PropertyResult:
    """Cosines of people's own true frames, and of another person's, to their enrolment."""
    name, claim = "identity tells people apart", "own frames are accepted, and another person's in their place are not"
    if not len(own) or not len(other):
        return _missing(name, claim, "there is one person only: give two clips")
    ok = min(own) >= threshold > max(other)
    measured = (
        f"own {min(own):.2f} at least, swapped {max(other):.2f} at most, threshold {threshold:.2f}; n = {len(own)}"
    )
    return PropertyResult(name, claim, ok, measured, {"own": list(own), "swapped": list(other), "threshold": threshold})


def lips_tell(shifts: Sequence[int], values: Sequence[float], frozen: float) -> PropertyResult:
    """Lip correlation of the true frames with themselves, late by ``shifts`` frames (0 first), and standing still."""
    name, claim = "lips that lag or stand still lose", "true lips follow themselves, late ones less, frozen ones never"
    if len(values) < 2:
        return _missing(name, claim)
    ok = values[0] >= 0.99 and max(values[1:]) <= values[0] - 0.1 and frozen == 0
    measured = ", ".join(f"{shift} late: {value:.2f}" for shift, value in zip(shifts, values, strict=True))
    figures = {"shifts": list(shifts), "values": list(values), "frozen": frozen}
    return PropertyResult(name, claim, ok, f"{measured}; frozen: {frozen:.2f}", figures)


def psnr_is_exact(spreads: Sequence[float], values: Sequence[float]) -> PropertyResult:
    """PSNR in dB of mid-grey frames under Gaussian noise of standard deviation ``spreads``, in 8-bit levels.

    Rounding to whole levels adds the variance of a level's width, 1/12.
    """
    name, claim = "PSNR is what noise makes it", "PSNR under noise of spread s is 10 log10(255² / (s² + 1/12)) ± 0.1 dB"
    if not len(values):
        return _missing(name, claim)
    error = max(abs(value - 10 * np.log10(255**2 / (s**2 + 1 / 12))) for s, value in zip(spreads, values, strict=True))
    measured = ", ".join(f"{s:g}: {value:.1f} dB" for s, value in zip(spreads, values, strict=True))
    return PropertyResult(
        name, claim, bool(error <= 0.1), f"{measured}; error {error:.2f} dB", {"values": list(values)}
    )


def white_box_is_stronger(white_box: Sequence[float], transfer: Sequence[float]) -> PropertyResult:
    """Net DSR of vdf for each person against the parser that it differentiates, and against another."""
    name, claim = "white-box beats transfer", "vdf does more against the parser it differentiates than against another"
    if not len(white_box) or len(white_box) != len(transfer):
        return _missing(name, claim)
    gap = np.subtract(white_box, transfer)
    ok = bool(gap.mean() > SLACK_DSR and gap.min() >= -SLACK_DSR)
    measured = (
        f"net DSR {_percent(float(np.mean(white_box)))} against {_percent(float(np.mean(transfer)))}; n = {len(gap)}"
    )
    return PropertyResult(name, claim, ok, measured, {"white_box": list(white_box), "transfer": list(transfer)})


def same_bytes(first: Mapping[str, str], second: Mapping[str, str]) -> PropertyResult:
    """Digests of the artifacts of one cell by the name of their step, made twice in separate stores."""
    name, claim = "same seed, same bytes", "a cell computed twice, in separate stores, gives the same bytes"
    if not first or set(first) != set(second):
        return _missing(name, claim, "the cell was not computed twice")
    unequal = sorted(step for step in first if first[step] != second[step])
    measured = f"{', '.join(unequal)} differ" if unequal else f"{len(first)} artifacts: {', '.join(sorted(first))}"
    return PropertyResult(name, claim, not unequal, measured, {"first": dict(first), "second": dict(second)})


def seeds_agree(rankings: Mapping[int, Mapping[str, float]]) -> PropertyResult:
    """Net DSR of each arm, by seed: seeds must rank alike, or at least never turn a clear difference round."""
    name, claim = "seeds agree on the order", f"Kendall's tau-b is at least {TAU:g}, or no clear difference turns round"
    shared = sorted(set.intersection(*(set(row) for row in rankings.values()))) if rankings else []
    if len(rankings) < 2 or len(shared) < 2:
        return _missing(name, claim, "fewer than two seeds or arms were measured")
    found = agreement(list(rankings.values()))
    gaps = [[row[a] - row[b] for row in rankings.values()] for a, b in combinations(shared, 2)]
    clear = [gap for gap in gaps if max(map(abs, gap)) > SLACK_DSR]
    kept = all(min(gap) >= 0 or max(gap) <= 0 for gap in clear)
    ok = bool(found and found.low >= TAU) or (bool(clear) and kept)
    rows = "; ".join(
        f"seed {seed}: {', '.join(f'{arm} {_percent(row[arm])}' for arm in shared)}" for seed, row in rankings.items()
    )
    tau = f"tau-b {found.low:.2f}" if found else "tau-b undefined"
    measured = f"{tau}, {len(clear)} clear pairs {'kept' if kept else 'turned round'}; {rows}"
    figures = {"seeds": {str(seed): dict(row) for seed, row in rankings.items()}, "tau": found.low if found else None}
    return PropertyResult(name, claim, ok, measured, figures)
