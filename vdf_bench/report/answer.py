"""The answer in words: can somebody still clone me from this video?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vdf_bench.report import words
from vdf_bench.report.attacks import scores
from vdf_bench.report.tables import defense_name, verdict
from vdf_bench.report.track import VIDEO
from vdf_bench.stats import UNPURIFIED, paired_differences, per_unit, worst_case

if TYPE_CHECKING:
    import pandas as pd

    from vdf_bench.report.attacks import Score
    from vdf_bench.report.record import Run

_ATTACK = ["victim", "target", "capture", "defense", "linf", "floor"]


@dataclass(frozen=True)
class Answer:
    """One sentence on one defense and one victim.

    Attributes:
        verdict: ``fails``, ``partly``, ``still``, ``void`` or ``unknown``.
        text: the sentence.
        victim, defense: what it speaks of.
        against: the attacker in words: victim, access, frames.
    """

    verdict: str
    text: str
    victim: str
    defense: str
    against: str = ""


def answers(run: Run, controls: bool = False) -> list[Answer]:
    """A sentence per victim, target style, parser and defense, by victim.

    Where several purifiers ran, the one that serves the attacker best counts, clip by clip; in a run of a fixed suite
    of attackers, parsers too are the attacker's choice.

    Args:
        run: the run.
        controls: speak of control arms too; a run of nothing but controls always does.
    """
    summary = run.summary
    if not len(summary) or not (summary["victim"] != "").any() or run.terms.success not in run.metrics:
        return []
    if run.record.get("suite"):
        judged = [score for score in scores(run) if controls or score.subject["arm"] != "control"]
        return [_suite_answer(run, score) for score in judged or scores(run)]
    chosen = summary if controls or (summary["arm"] == "control").all() else summary[summary["arm"] != "control"]
    pairs = {metric: paired_differences(run.results, metric) for metric in (run.terms.success, run.terms.quality)}
    found = []
    for key, rows in chosen.groupby(_ATTACK, sort=True):
        mine = {m: p[(p[_ATTACK] == list(key)).all(axis=1)] for m, p in pairs.items()}
        found.append(_answer(run, rows, mine[run.terms.success], mine[run.terms.quality]))
    return found


def no_answer(run: Run) -> str:
    """Why a run has no answers, in a sentence with the remedy."""
    if run.terms is VIDEO and not (len(run.summary) and (run.summary["victim"] != "").any()):
        return "No victim was run, so there is no answer to whether a clone is possible."
    judge = run.terms.judge
    return f"No answer: only the judge {judge} decides whether {run.terms.lost}; add {judge} to --judge and run again."


def _whom(run: Run, clips: tuple[str, ...]) -> str:
    return clips[0] if len(clips) == 1 else words.count(len(clips), run.terms.clips)


def _suite_answer(run: Run, score: Score) -> Answer:
    subject = score.subject
    suite = str(run.record["suite"].get("name", "the suite"))
    style = f" ({subject['target']} frames)" if subject["target"] else ""
    worst = " or ".join(score.by[:2]) + (" or others" if len(score.by) > 2 else "")
    says = run.terms.says[score.verdict].format(_whom(run, score.clips))
    text = f"With {defense_name(subject)}, {subject['victim']}{style} {says} under {suite}: "
    text += f"DSR {words.percent(score.worst)} at worst (by {worst}; {words.count(score.ran, 'attack')} ran)."
    return Answer(score.verdict, text, subject["victim"], subject["defense"], f"{subject['victim']}{style}")


def _answer(run: Run, rows: pd.DataFrame, dsr: pd.DataFrame, psnr: pd.DataFrame) -> Answer:
    first = rows.iloc[0]
    victim, defense = str(first["victim"]), str(first["defense"])
    style = f", {first['target']} frames" if first["target"] else ""
    who = f"{victim} ({first['access']}{style})"
    given = f"With {defense}" + (f" at {words.budget(first['linf'], first['floor'])}" if first["linf"] else "")
    if (rows["verdict"] == "void").all():
        cells = words.count(int(rows["cells"].sum()), "cell")
        return Answer(
            "void",
            f"{given}, {who} proves nothing: its clean {run.terms.made} missed a gate ({cells} void).",
            victim,
            defense,
            who,
        )
    if dsr.empty:
        return Answer("unknown", f"{given}, {who} was run, but no DSR could be measured.", victim, defense, who)

    worst = worst_case(dsr)
    net = float(per_unit(worst, "delta", run.identities).mean())
    kind = verdict(net)
    says = run.terms.says[kind].format(_whom(run, tuple(sorted(worst["clip"].unique()))))
    several = dsr["purifier"].nunique() > 1
    helped = sorted(set(worst["purifier"]) - set(UNPURIFIED))
    after = f" after {' or '.join(helped)}" if helped else ""
    facts = []
    # Head PSNR of the same cells as the DSR: the purifier that counted.
    same = psnr.merge(worst[["clip", "seed", "purifier"]], on=["clip", "seed", "purifier"])
    if len(same):
        before, now = (per_unit(same, name, run.identities).mean() for name in ("clean", "value"))
        change = f"{words.number(before, 1)} → {words.number(now, 1)}" if run.terms is VIDEO else words.number(now, 1)
        facts.append(f"{run.terms.quality_label} {change} dB")
    broken = sorted(set(worst["outcome"]) - {"trained", "edited"})
    if broken:
        facts.append(f"outcome {', '.join(broken)}")
    if several:
        plain = dsr[dsr["purifier"].isin(UNPURIFIED)]
        direct = float(per_unit(plain, "delta", run.identities).mean()) if len(plain) else math.nan
        known = f"; as published {words.percent(direct)}" if len(plain) else ""
        facts.append(f"worst of {dsr['purifier'].nunique()} purifiers{known}")
    detail = f" ({', '.join(facts)})" if facts else ""
    return Answer(kind, f"{given}, {who} {says}{after}: DSR {words.percent(net)}{detail}.", victim, defense, who)
