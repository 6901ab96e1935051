"""The answer in words: can somebody still clone me from this video?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vdf_bench.report import words
from vdf_bench.report.tables import verdict
from vdf_bench.stats import UNPURIFIED, paired_differences, per_unit, worst_case

if TYPE_CHECKING:
    import pandas as pd

    from vdf_bench.report.record import Run

_ATTACK = ["victim", "target", "capture", "defense", "linf", "floor"]


@dataclass(frozen=True)
class Answer:
    """One sentence on one defense and one victim.

    Attributes:
        verdict: ``fails``, ``partly``, ``still``, ``void`` or ``unknown``.
        text: the sentence.
        victim, defense: what it speaks of.
    """

    verdict: str
    text: str
    victim: str
    defense: str


def answers(run: Run, controls: bool = False) -> list[Answer]:
    """A sentence per victim, target style, parser and defense, by victim.

    Where several purifiers ran, the one that serves the attacker best counts, clip by clip.

    Args:
        run: the run.
        controls: speak of control arms too; a run of nothing but controls always does.
    """
    summary = run.summary
    if not len(summary) or not (summary["victim"] != "").any():
        return []
    chosen = summary if controls or (summary["arm"] == "control").all() else summary[summary["arm"] != "control"]
    pairs = {metric: paired_differences(run.results, metric) for metric in ("dsr", "head_psnr")}
    found = []
    for key, rows in chosen.groupby(_ATTACK, sort=True):
        mine = {m: p[(p[_ATTACK] == list(key)).all(axis=1)] for m, p in pairs.items()}
        found.append(_answer(run, rows, mine["dsr"], mine["head_psnr"]))
    return found


def _answer(run: Run, rows: pd.DataFrame, dsr: pd.DataFrame, psnr: pd.DataFrame) -> Answer:
    first = rows.iloc[0]
    victim, defense = str(first["victim"]), str(first["defense"])
    style = f", {first['target']} frames" if first["target"] else ""
    who = f"{victim} ({first['access']}{style})"
    given = f"With {defense}" + (f" at {words.budget(first['linf'], first['floor'])}" if first["linf"] else "")
    if (rows["verdict"] == "void").all():
        cells = words.count(int(rows["cells"].sum()), "cell")
        return Answer(
            "void", f"{given}, {who} proves nothing: its clean clone missed a gate ({cells} void).", victim, defense
        )
    if dsr.empty:
        return Answer("unknown", f"{given}, {who} was run, but no DSR could be measured.", victim, defense)

    worst = worst_case(dsr)
    net = float(per_unit(worst, "delta", run.identities).mean())
    kind = verdict(net)
    clips = sorted(worst["clip"].unique())
    whom = clips[0] if len(clips) == 1 else words.count(len(clips), "clip")
    says = {
        "fails": f"no longer clones {whom}",
        "partly": f"clones {whom} only in part",
        "still": f"still clones {whom}",
    }
    several = dsr["purifier"].nunique() > 1
    helped = sorted(set(worst["purifier"]) - set(UNPURIFIED))
    after = f" after {' or '.join(helped)}" if helped else ""
    facts = []
    # Head PSNR of the same cells as the DSR: the purifier that counted.
    same = psnr.merge(worst[["clip", "seed", "purifier"]], on=["clip", "seed", "purifier"])
    if len(same):
        before, now = (per_unit(same, name, run.identities).mean() for name in ("clean", "value"))
        facts.append(f"head PSNR {words.number(before, 1)} → {words.number(now, 1)} dB")
    broken = sorted(set(worst["outcome"]) - {"trained"})
    if broken:
        facts.append(f"outcome {', '.join(broken)}")
    if several:
        plain = dsr[dsr["purifier"].isin(UNPURIFIED)]
        direct = float(per_unit(plain, "delta", run.identities).mean()) if len(plain) else math.nan
        known = f"; as published {words.percent(direct)}" if len(plain) else ""
        facts.append(f"worst of {dsr['purifier'].nunique()} purifiers{known}")
    detail = f" ({', '.join(facts)})" if facts else ""
    return Answer(kind, f"{given}, {who} {says[kind]}{after}: DSR {words.percent(net)}{detail}.", victim, defense)
