"""Small drawings as inline SVG: fidelity against effect, once a row and once for all, and bars of net DSR."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from vdf_bench.report import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdf_bench.leaderboard.ranking import Row

#: PSNR of the left and right edge, dB, and net DSR of the lower and upper edge. What lies beyond is drawn on the edge.
PSNR = (15.0, 50.0)
EFFECT = (-0.2, 1.0)


@dataclass(frozen=True)
class Spark:
    """A dot among the others of its group.

    Attributes:
        x, y: where, in a box of 72 x 26.
        zero: height of no effect.
        others: the other entries.
        text: the same in words.
    """

    x: float
    y: float
    zero: float
    others: tuple[tuple[float, float], ...]
    text: str


def _draw(template: str, *values: object) -> Markup:
    """SVG from a template of this module; values, which may be a stranger's, are escaped."""
    return Markup(template).format(*values)  # noqa: S704


def _across(psnr: float, width: float) -> float:
    share = (min(max(psnr, PSNR[0]), PSNR[1]) - PSNR[0]) / (PSNR[1] - PSNR[0])
    return round(3 + share * (width - 6), 1)


def _up(effect: float, height: float) -> float:
    share = (min(max(effect, EFFECT[0]), EFFECT[1]) - EFFECT[0]) / (EFFECT[1] - EFFECT[0])
    return round(height - 3 - share * (height - 6), 1)


def spark(row: Row, group: Sequence[Row]) -> Spark | None:
    """The place of a row between fidelity and effect; None where either is not known."""
    if not (math.isfinite(row.psnr) and math.isfinite(row.worst)):
        return None
    others = [r for r in group if r is not row and math.isfinite(r.psnr) and math.isfinite(r.worst)]
    return Spark(
        _across(row.psnr, 72),
        _up(row.worst, 26),
        _up(0.0, 26),
        tuple((_across(r.psnr, 72), _up(r.worst, 26)) for r in others),
        f"PSNR {words.number(row.psnr, 1)} dB, worst net DSR {words.percent(row.worst)}",
    )


def bar(net: float) -> Markup:
    """Net DSR as a bar from the middle of a box of 64 x 12."""
    if not math.isfinite(net):
        return Markup("")
    length = round(min(abs(net), 1.0) * 31, 1)
    start = 32.0 if net >= 0 else round(32 - length, 1)
    kind = "bar" if net >= 0 else "bar down"
    return _draw(
        '<svg width="64" height="12" aria-hidden="true"><rect class="{}" x="{}" y="1" width="{}" height="10"/></svg>',
        kind,
        start,
        max(length, 0.8),
    )


def plane(rows: Sequence[Row]) -> Markup:
    """Every row as a dot with its interval, fidelity across and effect up."""
    width, height, left, top = 640, 330, 58, 12
    inner, tall = width - left - 18, height - top - 48
    known = [row for row in rows if math.isfinite(row.psnr) and math.isfinite(row.worst)]

    def x(psnr: float) -> float:
        return round(left + _across(psnr, inner), 1)

    def y(effect: float) -> float:
        return round(top + _up(effect, tall), 1)

    parts: list[Markup] = []
    for level in (0.0, 0.5, 1.0):
        parts.append(_draw('<line x1="{}" x2="{}" y1="{}" y2="{}"/>', left, left + inner, y(level), y(level)))
        told = words.percent(level, sign=False)
        parts.append(_draw('<text x="{}" y="{}" text-anchor="end">{}</text>', left - 6, y(level) + 4, told))
    mark = '<text x="{}" y="{}" text-anchor="middle">{}</text>'
    parts += [_draw(mark, x(psnr), top + tall + 16, psnr) for psnr in (20, 30, 40, 50)]
    middle = left + inner / 2
    parts.append(_draw('<text x="{}" y="{}" text-anchor="middle">PSNR [dB]</text>', middle, height - 8))
    text = '<text transform="rotate(-90)" x="{}" y="14" text-anchor="middle">worst net DSR</text>'
    parts.append(_draw(text, -(top + tall / 2)))
    taken: list[tuple[float, float]] = []
    for row in known:
        kind = "control" if row.record.entry.role == "control" else "entry"
        at = (x(row.psnr), y(row.worst))
        ends = ""
        if math.isfinite(row.low):
            line = '<line class="range" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>'
            ends = _draw(line, at[0], y(row.low), y(row.high))
        # Names of dots that lie together are set below each other.
        label = at[1] - 7
        while any(abs(label - other[1]) < 13 and abs(at[0] - other[0]) < 80 for other in taken):
            label += 13
        taken.append((at[0], label))
        near = at[0] > left + 0.8 * inner
        dot = '<g class="{}">{}<circle cx="{}" cy="{}" r="5"/><text class="name" x="{}" y="{}"{}>{}</text></g>'
        anchor = Markup(' text-anchor="end"') if near else ""
        place = at[0] - 8 if near else at[0] + 8
        parts.append(_draw(dot, kind, ends, *at, place, label, anchor, row.record.entry.name))
    said = "; ".join(
        f"{row.record.entry.name}: PSNR {words.number(row.psnr, 1)} dB, worst net DSR {words.percent(row.worst)}"
        for row in known
    )
    head = '<svg class="plane" viewBox="0 0 {} {}" role="img" aria-label="{}">'
    return _draw(head, width, height, said or "no entry yet") + Markup("").join(parts) + Markup("</svg>")
