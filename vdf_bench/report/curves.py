"""Defenses at equal strength, wherever a run has two; and over two budgets or more, protection against fidelity."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from vdf_bench.report import words
from vdf_bench.report.panel import Effect, Panel
from vdf_bench.report.places import (
    ATTACK,
    OBSERVED,
    TESTED,
    personal_curves,
    personal_effects,
    place,
    seed_agreement,
    stability,
    victim_agreement,
)
from vdf_bench.report.tables import attack_name, records
from vdf_bench.stats import MIN_UNITS, UNPURIFIED
from vdf_bench.stats.curves import Curve, Point, common_budgets, common_psnr, without_common_psnr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vdf_bench.report.record import Run


#: The first of them that was measured is what defenses are ranked by.
EFFECTS = (
    Effect(
        "net DSR",
        "%",
        0,
        "dsr",
        100.0,
        lambda row: 100 * row["dsr_delta"],
        lambda row: (100 * row["dsr_low"], 100 * row["dsr_high"]),
    ),
    Effect(
        "head PSNR drop",
        "dB",
        1,
        "head_psnr",
        -1.0,
        lambda row: -row["head_psnr_delta"],
        lambda row: (-row["head_psnr_high"], -row["head_psnr_low"]),
    ),
    Effect(
        "face lost in capture",
        "%",
        0,
        "face_recall",
        -100.0,
        lambda row: 100 * (1 - row["face_recall"]),
        lambda row: (math.nan, math.nan),
    ),
)


#: Pairs of defenses without a common PSNR that are named.
PAIRS = 4
#: A printed table: headings and rows.
Table = tuple[list[str], list[list[str]]]


def make_panels(run: Run) -> list[Panel]:
    """A panel per attack; none where there is neither a second budget nor a second defense to compare with."""
    if not len(run.summary):
        return []
    # What ignores its budget has no curve.
    bound = run.summary[(run.summary["linf"] > 0) & run.summary["psnr"].notna()]
    found = []
    for _, group in bound.groupby([*ATTACK, "access"], sort=False):
        rows = records(group)
        effects = tuple(e for e in EFFECTS if any(math.isfinite(e.of(row)) for row in rows))
        swept = len(group[["linf", "floor"]].drop_duplicates()) > 1
        if not effects or not (swept or group.loc[group["arm"] != "control", "defense"].nunique() > 1):
            continue
        curves = tuple(
            Curve(str(defense), bool((own["arm"] == "control").all()), points)
            for defense, own in group.groupby("defense", sort=False)
            if (points := _points(records(own), effects[0]))
        )
        metric = run.terms.success if effects[0].metric == "dsr" else effects[0].metric
        own = personal_effects(run, {name: rows[0][name] for name in ATTACK}, metric)
        own = own[own["defense"].isin(set(group["defense"]))]
        own = own.assign(effect=own["effect"] * effects[0].factor)
        controls = [curve.defense for curve in curves if curve.control]
        people = personal_curves(own, [curve for curve in curves if not curve.control])
        seeds = seed_agreement(own, controls)
        plain = rows[0]["purifier"] in UNPURIFIED
        found.append(Panel(attack_name(rows[0]), plain, rows, effects, curves, swept, people, seeds))
    return [
        replace(panel, victims=victim_agreement([other.curves for other in _beside(panel, found)])) for panel in found
    ]


def _beside(panel: Panel, panels: list[Panel]) -> list[Panel]:
    """Panels of the same attack by any victim, effects measured alike."""
    shared = ["access", *(name for name in ATTACK if name != "victim")]
    return [
        other
        for other in panels
        if other.effects[0] == panel.effects[0] and all(other.rows[0][name] == panel.rows[0][name] for name in shared)
    ]


def _points(rows: list[dict[str, Any]], effect: Effect) -> tuple[Point, ...]:
    return tuple(
        Point(row["linf"], row["floor"], row["psnr"], effect.of(row)) for row in rows if math.isfinite(effect.of(row))
    )


def curve_table(panel: Panel) -> Table:
    """Effect against fidelity: a row for every defense and budget."""
    shown: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
        ("defense", lambda row: row["defense"] + (" (c)" if row["arm"] == "control" else "")),
        ("budget", lambda row: words.budget(row["linf"], row["floor"])),
    ]
    for effect in panel.effects:
        sign = effect.name == "net DSR"
        shown.append((effect.label, lambda row, e=effect, s=sign: words.number(e.of(row), e.digits, s)))  # type: ignore[misc]
    fidelity = (("PSNR [dB]", "psnr", 1), ("SSIM", "ssim", 3), ("LPIPS", "lpips_alex", 3))
    for name, metric, digits in fidelity:
        if any(math.isfinite(row[metric]) for row in panel.rows):
            shown.append((name, lambda row, m=metric, d=digits: words.number(row[m], d)))  # type: ignore[misc]
    return [name for name, _ in shown], [[show(row) for _, show in shown] for row in panel.rows]


def equal_budget(panel: Panel) -> Table | None:
    """The effect at equal bounds, with places; None where no budget is shared."""
    budgets = common_budgets(panel.curves)
    columns = {words.budget(*budget): partial(Curve.at_budget, linf=budget[0], floor=budget[1]) for budget in budgets}
    return _matched(panel, "at equal L∞", columns)


def equal_psnr(panel: Panel) -> Table | None:
    """The effect at equal PSNR, with places; None where no curves overlap."""
    columns = {f"{at:.4g} dB": partial(Curve.at_psnr, psnr=at) for at in common_psnr(panel.curves)}
    return _matched(panel, "at equal PSNR", columns)


def _matched(panel: Panel, title: str, columns: Mapping[str, Callable[[Curve], float | None]]) -> Table | None:
    if not columns:
        return None
    rows = [[curve.defense + (" (c)" if curve.control else "")] for curve in panel.curves]
    found = {name: [read(curve) for curve in panel.curves] for name, read in columns.items()}
    known = [[effect for effects in found.values() if (effect := effects[i]) is not None] for i in range(len(rows))]
    means = [sum(own) / len(own) if own else -math.inf for own in known]
    order = sorted(range(len(rows)), key=lambda i: (panel.curves[i].control, -means[i]))
    for name, effects in found.items():
        ranking = place(panel.people, columns[name])
        for row, curve, effect in zip(rows, panel.curves, effects, strict=True):
            text = words.DASH if effect is None else words.number(effect, panel.effects[0].digits)
            row.append(f"{text} ({ranking.text(curve.defense)})" if curve.defense in ranking.places else text)
    return [title, *columns], [rows[i] for i in order]


def not_compared(panel: Panel) -> list[str]:
    """A sentence for every two defenses whose curves do not overlap, as far as they can be read; none of points."""
    if not panel.swept:
        return []

    def name(curve: Curve) -> str:
        low, high = curve.span
        return f"{curve.defense} ({low:.1f} to {high:.1f} dB)"

    pairs = without_common_psnr(panel.curves)
    lines = [f"{name(a)} and {name(b)} share no PSNR, so they are not compared there." for a, b in pairs[:PAIRS]]
    return lines + [f"Nor do {len(pairs) - PAIRS} other pairs."] * (len(pairs) > PAIRS)


def reading(panel: Panel) -> str:
    """What the two comparisons are made of; nothing where there is none."""
    if len(panel.curves) < 2:
        return ""
    text = f"Equal strength, by {panel.effects[0].label}: places in brackets, controls (c) take none."
    if panel.swept:
        text += (
            " At equal PSNR the effect is interpolated linearly between budgets that were run, never beyond them (–)."
        )
    if len(panel.people) > 1:
        units = max(len(own) for own in panel.people.values())
        text += f" {TESTED if units >= MIN_UNITS else OBSERVED}"
    return text + stability(panel.seeds, "seeds") + stability(panel.victims, "victims")
