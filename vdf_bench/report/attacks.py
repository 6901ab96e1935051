"""Defenses against all attackers of a run: what the worst of them leaves, who that was, and what it cost the attacker.

An attacker is a purifier chain with a way of capturing. In runs of a fixed suite (:mod:`vdf_bench.attackers.suite`)
attackers have names and an order; elsewhere they are called by what they do, in order of appearance.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from vdf_bench.core.place import TREATMENT
from vdf_bench.report import words
from vdf_bench.report.places import OBSERVED, TESTED
from vdf_bench.report.tables import defense_name, records
from vdf_bench.stats import MIN_UNITS, STILL, UNPURIFIED, bootstrap_interval, paired_differences, per_unit, rank

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from vdf_bench.report.curves import Table
    from vdf_bench.report.record import Run
    from vdf_bench.stats import Ranking

#: A defense that is attacked: what has a worst case.
SUBJECT = [*TREATMENT, "arm", "target", "victim"]
#: How captures name the defense that an attack was made for, see :data:`vdf_bench.attackers.suite.DEFENSE`.
_DEFENSE = "{defense}"


@dataclass(frozen=True)
class AttackPattern:
    """A column of the heat map.

    Attributes:
        name: what it is called.
        chain, capture: patterns of the columns ``purifier`` and ``capture``.
        why: what it tries; empty where nobody said.
    """

    name: str
    chain: str
    capture: str
    why: str = ""

    def matches(self, rows: pd.DataFrame) -> pd.Series[bool]:
        """Which rows are of this attacker."""
        return rows["purifier"].str.fullmatch(self.chain) & rows["capture"].str.fullmatch(self.capture)


def attackers(run: Run) -> list[AttackPattern]:
    """Every attacker of the run, in the suite's order, or of appearance with the plainest first."""
    suite = run.record.get("suite")
    if isinstance(suite, dict):
        return [
            AttackPattern(
                str(listed["name"]),
                re.escape(str(listed["chain"])),
                re.escape(str(listed["capture"])).replace(re.escape(_DEFENSE), "[^/]+"),
                str(listed.get("why", "")),
            )
            for listed in suite.get("attacks") or []
        ]
    rows = run.results[(run.results["capture"] != "") | (run.results["victim"] != "")]
    pairs = list(dict.fromkeys(zip(rows["purifier"], rows["capture"], strict=True)))
    pairs.sort(key=lambda pair: (_is_transfer(run, pair[1]), pair[0] not in UNPURIFIED))
    parsers = len({capture for _, capture in pairs}) > 1

    def name(chain: str, capture: str) -> str:
        if chain in UNPURIFIED:
            return capture if parsers else "as published"
        return f"{chain}, {capture}" if parsers else chain

    return [AttackPattern(name(*pair), re.escape(pair[0]), re.escape(pair[1])) for pair in pairs]


def _is_transfer(run: Run, capture: str) -> bool:
    return run.access({"capture": capture, "victim": ""}) != "white-box"


def attacked(run: Run) -> pd.DataFrame:
    """Paired differences of DSR with the attacker of each: columns ``attack`` (name) and ``order`` are added."""
    pairs = paired_differences(run.results, run.terms.success).assign(attack="", order=-1)
    for order, attacker in enumerate(attackers(run)):
        mine = attacker.matches(pairs)
        pairs.loc[mine, "attack"] = attacker.name
        pairs.loc[mine, "order"] = order
    return pairs[pairs["order"] >= 0]


def worst(pairs: pd.DataFrame) -> pd.DataFrame:
    """The attacker that leaves least, for every subject, clip and seed; of equal ones the first."""
    cell = [*SUBJECT, "clip", "seed"]
    return pairs.sort_values([*cell, "delta", "order"]).drop_duplicates(cell).reset_index(drop=True)


@dataclass(frozen=True)
class Score:
    """What all attackers together leave of one defense, against one victim.

    Attributes:
        subject: the values of :data:`SUBJECT`.
        worst: net DSR that the strongest attacker leaves, clip by clip, averaged over people.
        low, high, wide: its 95 % interval; NaN where there is none.
        mean: net DSR averaged over the attackers that ran; beside the worst case, never instead of it.
        by: the attackers that were worst, most often first.
        broken: cells (clip, seed) on which an attacker left no more than :data:`vdf_bench.stats.STILL`.
        cells: cells.
        ran: attackers that ran, most of any cell.
        seconds: CPU seconds of the worst attackers, mean; NaN where not recorded.
        clips: clips behind it.
        people: person -> net DSR that the strongest attacker leaves.
    """

    subject: dict[str, Any]
    worst: float
    low: float
    high: float
    wide: bool
    mean: float
    by: tuple[str, ...]
    broken: int
    cells: int
    ran: int
    seconds: float
    clips: tuple[str, ...]
    people: dict[str, float] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """As :func:`vdf_bench.report.tables.verdict`, of the worst case."""
        from vdf_bench.report.tables import verdict

        return verdict(self.worst)


def scores(run: Run) -> list[Score]:
    """A score for every defense and victim; the largest worst case first, controls last."""
    pairs = attacked(run)
    spent = run.results[run.results["metric"] == "attacker_seconds"]
    found = []
    for key, rows in pairs.groupby(SUBJECT, sort=True):
        least = worst(rows)
        deltas = per_unit(least, "delta", run.identities)
        ends = bootstrap_interval(deltas, np.random.default_rng(0), bounds=(-1.0, 1.0))
        place = [*SUBJECT, "clip", "seed", "purifier", "capture"]
        paid = least.merge(spent[[*place, "value"]], on=place, suffixes=("", "_spent"))
        found.append(
            Score(
                subject=dict(zip(SUBJECT, key, strict=True)),
                worst=float(deltas.mean()),
                low=ends.low if ends else math.nan,
                high=ends.high if ends else math.nan,
                wide=bool(ends and ends.wide),
                mean=float(per_unit(rows, "delta", run.identities).mean()),
                by=tuple(least["attack"].value_counts().index),
                broken=int((least["delta"] <= STILL).sum()),
                cells=len(least),
                ran=int(rows.groupby(["clip", "seed"])["attack"].nunique().max()),
                seconds=float(paid["value_spent"].mean()) if len(paid) else math.nan,
                clips=tuple(sorted(rows["clip"].unique())),
                people={str(person): float(value) for person, value in deltas.items()},
            )
        )
    found.sort(key=lambda score: (score.subject["victim"], score.subject["arm"] == "control", -score.worst))
    return found


def ranking(score: Score, found: Sequence[Score]) -> Ranking:
    """The defenses against the victim of ``score`` at its budget, by what the strongest attackers leave."""
    import pandas as pd

    shared = ("linf", "floor", "target", "victim")
    equal = [
        other
        for other in found
        if other.subject["arm"] != "control" and all(other.subject[name] == score.subject[name] for name in shared)
    ]
    return rank(pd.DataFrame({other.subject["defense"]: pd.Series(other.people) for other in equal}, dtype=float))


def score_table(run: Run, found: Sequence[Score]) -> Table:
    """A row for every defense and victim."""
    heads = [
        "defense",
        "victim",
        "worst net DSR [%]",
        "broken",
        "worst attacker",
        "mean [%]",
        "attacks",
        "cost [CPU s]",
    ]
    several = _several_targets(run)
    rows = []
    for score in found:
        subject = score.subject
        interval = words.interval(score.low, score.high, 0, 100)
        text = words.number(100 * score.worst, 0, True) + (
            f" {interval}{'*' if score.wide else ''}" if interval else ""
        )
        places = ranking(score, found)
        if subject["arm"] != "control" and len(places.places) > 1:
            text += f" ({places.text(subject['defense'])})"
        rows.append(
            [
                defense_name(subject) + (" (c)" if subject["arm"] == "control" else ""),
                f"{subject['victim']} ({subject['target']})" if several else subject["victim"],
                text,
                words.DASH if subject["arm"] == "control" else f"{score.broken} of {score.cells}",
                ", ".join(score.by[:3]),
                words.number(100 * score.mean, 0, True),
                str(score.ran),
                words.number(score.seconds, 0),
            ]
        )
    return heads, rows


def _several_targets(run: Run) -> bool:
    return len(set(run.results["target"]) - {""}) > 1


def clip_table(run: Run) -> Table:
    """The worst case on every clip: who it was, and what clone it gave."""
    least = worst(attacked(run))
    least = least[least["arm"] != "control"]
    place = [*SUBJECT, "clip", "seed", "purifier", "capture"]
    quality = run.results[run.results["metric"] == run.terms.quality]
    clone = quality[[*place, "value"]].rename(columns={"value": "head_psnr"})
    several = _several_targets(run)
    heads = [
        "clip",
        "defense",
        "victim",
        "seed",
        "worst net DSR [%]",
        "worst attacker",
        f"{run.terms.made}'s {run.terms.quality_label} [dB]",
    ]
    rows = [
        [
            row["clip"],
            defense_name(row),
            f"{row['victim']} ({row['target']})" if several else row["victim"],
            str(row["seed"]),
            words.number(100 * row["delta"], 0, True),
            row["attack"],
            words.number(row["head_psnr"], 1),
        ]
        for row in records(least.merge(clone, on=place, how="left").sort_values(["clip", "defense", "linf", "victim"]))
    ]
    return heads, rows


def cost_table(run: Run) -> Table:
    """What every attack costs the attacker: CPU seconds, and fidelity of the clone of an unprotected clip."""
    somebody = (run.results["capture"] != "") | (run.results["victim"] != "")
    rows = run.results[somebody & (run.results["outcome"] != "void")]
    clean = rows[rows["arm"] == "clean"]
    found = attackers(run)
    table: list[tuple[AttackPattern, float, float]] = []
    for attacker in found:
        mine = rows[attacker.matches(rows)]
        spent = mine[mine["metric"] == "attacker_seconds"]["value"].mean()
        own = clean[attacker.matches(clean) & (clean["metric"] == "head_psnr")]["value"].mean()
        if len(mine):
            table.append((attacker, float(spent), float(own)))
    heads = ["attack", "what it tries", "attacker [CPU s]", "clean clone [dB]", "its cost [dB]"]
    base = table[0][2] if table else math.nan
    return heads, [
        [
            attacker.name,
            attacker.why or words.DASH,
            words.number(spent, 0),
            words.number(own, 1),
            words.number(own - base, 1, True),
        ]
        for attacker, spent, own in table
    ]


def suite_reading(run: Run) -> str:
    """How the tables of a suite are to be read."""
    suite = run.record.get("suite") or {}
    early = (
        "" if suite.get("exhaustive") else " What is broken is not attacked further, so means are over fewer attacks."
    )
    people = {run.identities.get(str(clip), str(clip)) for clip in run.results["clip"].unique()}
    tested = len(people) >= MIN_UNITS
    return (
        f"Worst: on every clip the attacker who leaves least counts, averaged over people; broken: at most "
        f"{words.percent(STILL, False)} left. Costs are of the worst attackers, and of the clone of an "
        f"unprotected clip.{early} Scores compare within {suite.get('name', 'one suite')} only. (c) marks controls; "
        f"places in brackets are among defenses at one budget. {TESTED if tested else OBSERVED}"
    )


def heat(run: Run) -> list[tuple[str, list[str], list[str], np.ndarray[Any, np.dtype[np.float64]]]]:
    """Net DSR of every defense (rows) under every attacker (columns), one map a victim and target.

    Returns:
        Title, defenses, attackers and (defenses, attackers) shares; NaN where an attack was not run or is void. Maps
        with one attacker are left out.
    """
    pairs = attacked(run)
    found = attackers(run)
    listed = scores(run)
    maps: list[tuple[str, list[str], list[str], np.ndarray[Any, np.dtype[np.float64]]]] = []
    for (victim, target), rows in pairs.groupby(["victim", "target"], sort=True):
        # A void column stays, empty: it was tried.
        tried = run.results[(run.results["victim"] == victim) & (run.results["target"] == target)]
        ran = [attacker.name for attacker in found if attacker.matches(tried).any()]
        subjects = [score for score in listed if (score.subject["victim"], score.subject["target"]) == (victim, target)]
        if len(ran) < 2 or not subjects:
            continue
        cells = np.full((len(subjects), len(ran)), math.nan)
        for i, score in enumerate(subjects):
            own = rows[(rows[SUBJECT] == [score.subject[name] for name in SUBJECT]).all(axis=1)]
            for j, name in enumerate(ran):
                here = own[own["attack"] == name]
                if len(here):
                    cells[i, j] = per_unit(here, "delta", run.identities).mean()
        labels = [defense_name(s.subject) + (" (control)" if s.subject["arm"] == "control" else "") for s in subjects]
        maps.append((f"{victim}, {target} frames" if target else str(victim), labels, ran, cells))
    return maps
