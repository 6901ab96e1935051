"""What templates are given: records and rows in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from vdf_bench.leaderboard.rules.manifest import is_safe_link
from vdf_bench.leaderboard.site.charts import bar, spark
from vdf_bench.leaderboard.suite import TRACKS
from vdf_bench.leaderboard.suites import SUITES
from vdf_bench.report import words
from vdf_bench.stats import MIN_UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vdf_bench.leaderboard.ranking import Row
    from vdf_bench.leaderboard.records import CellRecord, Record
    from vdf_bench.leaderboard.suite import BoardSuite

#: Columns of the stage trace: metric -> digits.
STAGES: Final = {"face_recall": 2, "landmark_nme": 3, "head_psnr": 1, "identity": 2, "lip_correlation": 2}

READING: Final = (
    ("net DSR", "Defense success rate with the protection, less that without it, through the same attacker. 0 %: it "
     "changes nothing. 100 %: no frame of the clone passes as its owner."),
    ("worst", "On every clip the attacker who leaves least counts, then people are averaged. Attackers move last, so "
     "this is what a protection is worth; the mean flatters it."),
    ("place", "One more than the number of entries whose 95 % interval lies wholly above. = marks shared places: "
     "their intervals overlap, and nothing tells them apart. Under five people there is no interval, and all tie."),
    ("tiers", "Reported: well-formed only, never ranked. Verified: computed here from the submitted pixels. "
     "Reproduced: the method itself was run here, on held-out people, with seeds that nobody knew before."),
    ("missing", "Cells of the suite that an entry does not have. Each counts as no protection. Void cells, whose clean "
     "clone is no good, are void for everybody. Where the machine gave up there is no score."),
    ("tracks", "White-box: the attacker parses with the network that defenses may attack. Transfer: with another one. "
     "Images: attribute editors instead of clones; that track has no suite yet."),
    ("controls", "Shown, never ranked: nothing, noise, a grey box. A defense that is no better than these does not "
     "work."),
)  # fmt: skip


def row_view(row: Row, group: Sequence[Row], up: str = "") -> dict[str, Any]:
    """A row of the table."""
    record = row.record
    mark = row.why if row.why and row.why not in ("reported only",) else ""
    return {
        "name": record.entry.name,
        "title": record.entry.title,
        "page": f"{up}{page_of(record)}",
        "suite": record.suite.name,
        "linf": f"{row.linf:g}",
        "track": row.track,
        "medium": next((suite.track for suite in SUITES.values() if suite.name == record.suite.name), "video"),
        "tier": record.tier,
        "mark": mark,
        "mark_class": "failure" if mark.startswith("infra") else mark.split(" ")[0],
        "place": row.place,
        "place_text": words.DASH if row.place is None else f"{row.place}{'=' if row.tied else ''}",
        "worst": words.percent(row.worst),
        "worst_value": _value(row.worst),
        "interval": words.interval(row.low, row.high, 0, 100) or _alike(row),
        "mean": words.percent(row.mean),
        "mean_value": _value(row.mean),
        "by": row.by or words.DASH,
        "psnr": words.number(row.psnr, 1),
        "psnr_value": _value(row.psnr),
        "ssim": words.number(row.ssim, 3),
        "ssim_value": _value(row.ssim),
        "missing": row.missing,
        "void": row.void,
        "spark": spark(row, group),
    }


def _alike(row: Row) -> str:
    """Said where there is no interval because people do not differ."""
    values = list(row.people.values())
    alike = len(values) >= MIN_UNITS and max(values) - min(values) < 1e-9 and math.isfinite(row.worst)
    return f"(all {len(values)} alike)" if alike else ""


def page_of(record: Record) -> str:
    """The permalink of an entry, relative to the front page."""
    return f"entries/{record.suite.name}/{record.id}.html"


def entry_view(record: Record, rows: Sequence[Row], suite: BoardSuite | None) -> dict[str, Any]:
    """The page of an entry."""
    mine = [row for row in rows if row.record.id == record.id]
    scored = [cell for cell in record.cells if cell.status == "scored"]
    attacks = list(dict.fromkeys(cell.attack for cell in record.cells))
    if suite is not None:
        attacks = [attack.name for attack in suite.attacks if attack.name in attacks]
    paper = record.paper
    return {
        "name": record.entry.name,
        "number": record.entry.version,
        "title": record.entry.title,
        "summary": record.entry.summary,
        "authors": ", ".join(record.entry.authors),
        "tier": record.tier,
        "events": record.events,
        "failure": record.failure,
        "rows": [row_view(row, rows) for row in mine],
        "heads": [words.label(name) for name in STAGES],
        "traces": [_trace(attack, record.cells, suite) for attack in attacks] if scored else [],
        "attacks": attacks,
        "clips": _clips(record, attacks),
        "facts": list(_facts(record)),
        "paper": paper.title if paper else "",
        "paper_link": paper.url if paper and is_safe_link(paper.url) else "",
        "reported": [(f"net DSR at {name} levels", words.percent(value)) for name, value in record.reported.items()],
        "record": f"{record.suite.name}/{record.id}.json",
    }


def _trace(attack: str, cells: Sequence[CellRecord], suite: BoardSuite | None) -> dict[str, Any]:
    """What one attacker left, stage by stage: means over clips."""
    mine = [cell for cell in cells if cell.attack == attack]
    scored = [cell for cell in mine if cell.status == "scored"]
    net = _mean([cell.net for cell in scored])
    values = []
    for metric, digits in STAGES.items():
        before = _mean([cell.clean[metric] for cell in scored if metric in cell.clean])
        after = _mean([cell.value[metric] for cell in scored if metric in cell.value])
        values.append(f"{words.number(before, digits)} → {words.number(after, digits)}")
    told = {each.name: each.why for each in suite.attacks} if suite else {}
    return {
        "attack": attack,
        "why": told.get(attack, ""),
        "track": suite.track_of(attack) if suite and attack in told else "",
        "net": words.percent(net),
        "bar": bar(net),
        "stages": values,
        "cells": f"{len(scored)} of {len(mine)}",
    }


def _clips(record: Record, attacks: Sequence[str]) -> list[dict[str, Any]]:
    fidelity = {(each.clip, each.linf): each.fidelity for each in record.frames}
    places = dict.fromkeys((cell.clip, cell.linf) for cell in record.cells)
    found = []
    for clip, linf in places:
        cells = []
        for attack in attacks:
            own = [c for c in record.cells if (c.clip, c.linf, c.attack) == (clip, linf, attack)]
            scored = [cell.net for cell in own if cell.status == "scored"]
            cells.append(words.percent(_mean(scored)) if scored else "/".join(dict.fromkeys(c.status for c in own)))
        measured = fidelity.get((clip, linf), {})
        found.append(
            {
                "name": f"{clip} ({linf:g}/255)",
                "cells": cells,
                "psnr": words.number(measured.get("psnr", math.nan), 1),
                "linf": words.number(measured.get("linf", math.nan), 0),
            }
        )
    return found


def _facts(record: Record) -> Iterable[tuple[str, str]]:
    yield "kind", "protected frames" if record.kind == "frames" else "a method, run here"
    if record.component:
        c = record.component
        yield "made by", f"{c.defense} {c.defense_version} of {c.package} {c.package_version}"
        yield "parameters", ", ".join(f"{key}={value}" for key, value in sorted(c.config.items())) or "none"
    yield "suite", f"{record.suite.name}, {record.suite.sha256}"
    yield "manifest", record.manifest_sha256
    yield "signature", record.signed_by or "unsigned"
    yield "licence", record.licence
    yield "contact", record.contact
    yield (
        "computed",
        f"{record.date}, "
        + ", ".join(
            record.environment[name] for name in ("cpu", "cores", "platform", "torch") if name in record.environment
        ),
    )
    if record.seconds_per_frame is not None:
        yield "cost", f"{words.small(record.seconds_per_frame)} CPU s a frame"
    elif record.kind == "frames":
        yield "cost", "unknown: frames do not tell what they took; send the method for that"


def suite_facts(suite: BoardSuite) -> list[tuple[str, str]]:
    """What a suite's card says."""
    iterations = f", {suite.iterations} training steps" if suite.iterations else ""
    return [
        ("hash", suite.sha256),
        ("clips", f"{len(suite.clips)} of {suite.frames} frames, {suite.size} px, 25 frames a second"),
        ("budgets", ", ".join(f"{levels:g}/255" for levels in suite.budgets)),
        ("attackers", f"{len(suite.attacks)} of AutoPurify {suite.autopurify} {suite.tier}"),
        ("victims", ", ".join(suite.victims) + iterations),
        ("seeds", ", ".join(map(str, suite.seeds))),
        ("tracks", ", ".join(TRACKS)),
        ("licence", "CC0-1.0 (the frames)"),
    ]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def _value(number: float) -> str:
    return f"{number:.6f}" if math.isfinite(number) else ""
