"""From records to rows: the worst case beside the mean, intervals over people, and places that admit ties.

The score of a clip is what the strongest attacker leaves of the protection: the least net DSR over attackers and
victims. It is averaged over people, and its interval is over people. A cell that is not there counts as no protection
at all, so nobody gains by leaving one out. A cell that is void (the clean clone fails its gates) is void for everybody
and left out for everybody. Where the machine gave up, an entry has no score and no place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.leaderboard.suite import TRACKS
from vdf_bench.stats import MIN_UNITS, bootstrap_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vdf_bench.leaderboard.records import CellRecord, Record
    from vdf_bench.leaderboard.suite import BoardSuite


@dataclass(frozen=True)
class Row:
    """One line of the board: an entry at a budget, against the attackers of a track.

    Attributes:
        record: the entry.
        linf: budget in levels of 255.
        track: of :data:`vdf_bench.leaderboard.suite.TRACKS`.
        worst: net DSR under the strongest attacker, mean over people; NaN where there is none.
        low, high: its 95 % interval over people; NaN where there is none.
        mean: net DSR over all attackers, mean over people.
        by: the attacker that was strongest most often.
        people: person -> net DSR under the strongest attacker.
        missing: cells of the suite that the entry does not have; each counted as 0.
        void: cells in which nobody can be scored.
        broken: cells that the machine gave up.
        psnr, ssim: fidelity, means over clips; NaN where nobody measured it.
        place: 1 is the best; shared where intervals overlap; None of what is not ranked.
        tied: others have the same place.
        why: what keeps it from a place, in words.
    """

    record: Record
    linf: float
    track: str
    worst: float
    low: float
    high: float
    mean: float
    by: str
    people: dict[str, float] = field(default_factory=dict)
    missing: int = 0
    void: int = 0
    broken: int = 0
    psnr: float = math.nan
    ssim: float = math.nan
    place: int | None = None
    tied: bool = False
    why: str = ""


def rows(records: Iterable[Record], suite: BoardSuite) -> list[Row]:
    """All rows of a suite, ranked, best first; those without a place come last.

    Args:
        records: of any suites.
        suite: whose records count.
    """
    from dataclasses import replace

    mine = [record for record in records if record.suite.sha256 == suite.sha256]
    found: list[Row] = []
    for track, linf in product(TRACKS, suite.budgets):
        group = [score(record, suite, linf, track) for record in mine if _is_at(record, linf)]
        places = rank([row for row in group if not row.why])
        for row in group:
            place = places.get(row.record.id)
            found.append(replace(row, place=place, tied=list(places.values()).count(place or 0) > 1))
    order = {track: k for k, track in enumerate(TRACKS)}
    found.sort(key=lambda r: (order[r.track], -r.linf, r.place or 10**6, -_number(r.worst), r.record.id))
    return found


def rank(group: Sequence[Row]) -> dict[str, int]:
    """Entry -> 1 + the number of entries whose interval lies wholly above its own.

    Without intervals (fewer than :data:`vdf_bench.stats.MIN_UNITS` people) everybody shares the first place: nothing
    tells them apart. Where all people gave one figure, that figure is the interval.
    """
    ends = {row.record.id: interval(row) for row in group}
    return {name: 1 + sum(other[0] > own[1] for other in ends.values()) for name, own in ends.items()}


def interval(row: Row) -> tuple[float, float]:
    """The interval that a place rests on: from -1 to 1 where there is none."""
    if math.isfinite(row.low):
        return row.low, row.high
    values = list(row.people.values())
    if len(values) >= MIN_UNITS and max(values) - min(values) < 1e-9:
        return values[0], values[0]
    return -1.0, 1.0


def score(record: Record, suite: BoardSuite, linf: float, track: str) -> Row:
    """One entry at one budget against the attackers of one track, without a place."""
    attacks = [a.name for a in suite.attacks if track in (TRACKS[0], suite.track_of(a.name))]
    clips, seeds = _ground(record, suite)
    cells = {_place(cell): cell for cell in record.cells if math.isclose(cell.linf, linf)}
    worst: dict[str, list[float]] = {}
    mean: dict[str, list[float]] = {}
    strongest: list[str] = []
    missing = void = broken = 0
    for clip, seed in product(clips, seeds):
        left: dict[str, float] = {}
        for attack, victim in product(attacks, suite.victims):
            cell = cells.get((clip, attack, victim, seed))
            if cell is None:
                missing += 1
                left[attack] = min(left.get(attack, 0.0), 0.0)
            elif cell.status == "void":
                void += 1
            elif cell.status == "infrastructure":
                broken += 1
            else:
                left[attack] = min(left.get(attack, cell.net), cell.net)
        if left:
            worst.setdefault(clip, []).append(min(left.values()))
            mean.setdefault(clip, []).append(float(np.mean(list(left.values()))))
            strongest.append(min(left, key=lambda name: left[name]))
    people = {clip: float(np.mean(values)) for clip, values in worst.items()}
    ends = bootstrap_interval(list(people.values()), np.random.default_rng(0), bounds=(-1.0, 1.0)) if people else None
    fidelity = [each.fidelity for each in record.frames if math.isclose(each.linf, linf)]
    return Row(
        record=record,
        linf=linf,
        track=track,
        worst=float(np.mean(list(people.values()))) if people and not broken else math.nan,
        low=ends.low if ends else math.nan,
        high=ends.high if ends else math.nan,
        mean=float(np.mean([np.mean(values) for values in mean.values()])) if mean and not broken else math.nan,
        by=max(sorted(set(strongest)), key=strongest.count) if strongest else "",
        people=people,
        missing=missing,
        void=void,
        broken=broken,
        psnr=_mean(fidelity, "psnr"),
        ssim=_mean(fidelity, "ssim"),
        why=_unranked(record, bool(people), broken),
    )


def _unranked(record: Record, scored: bool, broken: int) -> str:
    if record.status != "listed":
        return record.status
    if record.failure or broken:
        return "infrastructure failure"
    if record.tier == "reported":
        return "reported only"
    if record.entry.role == "control":
        return "control"
    return "" if scored else "no valid cell"


def _ground(record: Record, suite: BoardSuite) -> tuple[list[str], list[int]]:
    """Clips and seeds that a record should hold: the suite's of frames, those that were run of methods."""
    if record.kind == "frames":
        return list(suite.clips), list(suite.seeds)
    clips = sorted({cell.clip for cell in record.cells})
    return clips, sorted({cell.seed for cell in record.cells})


def _is_at(record: Record, linf: float) -> bool:
    there = [each.linf for each in record.frames] + [cell.linf for cell in record.cells]
    return not there or any(math.isclose(levels, linf) for levels in there)


def _place(cell: CellRecord) -> tuple[str, str, str, int]:
    return (cell.clip, cell.attack, cell.victim, cell.seed)


def _mean(fidelity: Sequence[dict[str, float]], name: str) -> float:
    values = [each[name] for each in fidelity if name in each]
    return float(np.mean(values)) if values else math.nan


def _number(value: float) -> float:
    return value if math.isfinite(value) else -2.0
