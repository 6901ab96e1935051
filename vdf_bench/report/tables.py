"""The summary: one row per attacked defense, and its CSV, Markdown and LaTeX forms."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

from vdf_bench.core.metrics import EFFECT_STAGES
from vdf_bench.core.place import ATTACK, TREATMENT
from vdf_bench.report import words
from vdf_bench.report.track import IMAGES, VIDEO
from vdf_bench.stats import FAILS, GROUP, STILL, UNPURIFIED, effect_sizes, per_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

    from vdf_bench.core.metrics import Definition
    from vdf_bench.report.record import Run

#: The summary always has these metrics of a cell, set against the clean twin; whatever else judges want shown joins
#: them, see :func:`further`.
EFFECTS = ("dsr", "head_psnr", "head_ssim", "depth_mae", "lip_correlation", "identity")
#: The same of edits.
EDIT_EFFECTS = ("dsr", "edit_psnr", "edit_ssim", "edit_l1", "edit_l2", "edit_l2_masked", "edit_identity", "edit_lpips")
#: The same of the defense or the capture, shared by cells.
SHARED = (
    "psnr",
    "ssim",
    "lpips_alex",
    "seconds_per_frame",
    "attacker_seconds",
    "parse_iou",
    "head_recall",
    "face_recall",
    "landmark_nme",
    "detection_rate",
    "pose_error_deg",
    "plate_face_share",
)


def dsr_parts(run: Run) -> list[str]:
    """The parts that DSR is reported with; ``dsr_l2`` is another measure, not a part."""
    return sorted(name for name in _family(run, "dsr") if name not in ("dsr", "dsr_l2"))


def identities(run: Run) -> list[str]:
    """Cosines to the owner that were measured, one a recogniser."""
    return _family(run, "identity")


def _family(run: Run, name: str) -> list[str]:
    """Metrics of the clone called ``name`` or ``name_…`` that the summary has columns for."""
    clone = [one.name for one in run.metrics.values() if one.stage == "clone" and not one.shown]
    return [metric for metric in clone if metric.partition("_")[0] == name]


def further(run: Run) -> list[Definition]:
    """Metrics of the table that their judges want shown beside those that the summary has anyway."""
    return [one for one in run.metrics.values() if one.shown]


def summarise(run: Run) -> pd.DataFrame:
    """One row per attacked defense: what came of it, its effect net of the clean twin, its fidelity and its cost.

    A run without victims has a row per capture, or where none was judged per protection, and no effects.

    Returns:
        The group, ``access, arm, outcome`` (in words), ``cells, void, clips, units, seeds``; for each effect metric M
        ``M_clean, M, M_delta, M_low, M_high, M_wide, M_sd``, where ``dsr`` is the track's measure of success (``dsr``,
        of edits ``dsr_l2``); for each shared metric its mean; and ``verdict``
        (``fails | partly | still | void | unknown``). Absent numbers are NaN.
    """
    import pandas as pd

    df = run.results
    last = next((stage for stage in ("capture", "protect") if (df["stage"] == stage).any()), "")
    attacked = df[(df["victim"] != "" if (df["victim"] != "").any() else df["stage"] == last)]
    attacked = attacked[attacked["arm"] != "clean"]
    chosen = [*EFFECTS, *identities(run), *(dsr_parts(run) if run.terms is VIDEO else EDIT_EFFECTS)]
    chosen += [one.name for one in further(run) if one.stage in EFFECT_STAGES]
    means = dict.fromkeys([*SHARED, *(one.name for one in further(run) if one.stage not in EFFECT_STAGES)])
    effects = {
        metric: {
            tuple(row[name] for name in GROUP): row
            for row in records(effect_sizes(df, name, run.identities, reach=run.reach(name)))
        }
        for metric in dict.fromkeys(chosen)
        for name in [run.terms.success if metric == "dsr" else metric]
    }
    treated = df[df["arm"] != "clean"]
    shared = _Shared(run, treated[treated["metric"].isin(means)])
    rows: list[dict[str, Any]] = []
    for key, group in attacked.groupby(GROUP, sort=True):
        row: dict[str, Any] = dict(zip(GROUP, key, strict=True))
        cells = group.drop_duplicates(["clip", "seed"])
        valid = cells[cells["outcome"] != "void"]
        row |= {
            "access": run.access(row) if row["victim"] or row["capture"] else "",
            "arm": group["arm"].iloc[0],
            "outcome": _outcomes(
                cells["outcome"]
                if row["victim"]
                else cells["outcome"].replace("trained", "captured" if row["capture"] else "protected")
            ),
            "cells": len(cells),
            "void": len(cells) - len(valid),
            "clips": valid["clip"].nunique(),
            "units": len({run.identities.get(clip, clip) for clip in valid["clip"].unique()}),
            "seeds": valid["seed"].nunique(),
        }
        for metric, table in effects.items():
            get = table.get(key, {}).get
            row |= {f"{metric}_clean": get("clean", math.nan), metric: get("value", math.nan)}
            row |= {f"{metric}_{part}": get(part, math.nan) for part in ("delta", "low", "high")}
            row |= {f"{metric}_wide": bool(get("wide", False)), f"{metric}_sd": get("seed_sd", math.nan)}
        row |= {metric: shared.mean(metric, row, frozenset(cells["clip"])) for metric in means}
        row["verdict"] = "void" if not len(valid) else verdict(row["dsr_delta"])
        rows.append(row)
    rows.sort(key=_reading_order)
    return pd.DataFrame(rows)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as mappings."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def sample(rows: pd.DataFrame) -> str:
    """``n = 5–6 clips`` behind the rows of a summary."""
    low, high = int(rows["clips"].min()), int(rows["clips"].max())
    noun = "portrait" if ((rows["victim"] != "") & (rows["capture"] == "")).any() else "clip"
    return f"n = {words.count(high, noun)}" if low == high else f"n = {low}–{high} {noun}s"


def _reading_order(row: dict[str, Any]) -> tuple[Any, ...]:
    """By attack, white-box and as published first; within it by defense, controls last: they are the yardstick."""
    attack = (row["victim"], row["target"], row["access"] != "white-box", row["capture"])
    transit = (row["purifier"] not in UNPURIFIED, row["purifier"])
    return (*attack, *transit, row["arm"] == "control", row["defense"], row["linf"], row["floor"])


def verdict(net_dsr: float) -> str:
    """``fails`` to clone from half of the frames on, ``still`` clones up to a tenth, ``partly`` between them."""
    if not math.isfinite(net_dsr):
        return "unknown"
    return "fails" if net_dsr >= FAILS else "still" if net_dsr <= STILL else "partly"


class _Shared:
    """Means of metrics whose rows leave empty what they do not depend on: many attacks share them, asked for once.

    Args:
        run: the run.
        rows: of the metrics, defended and control arms.
    """

    def __init__(self, run: Run, rows: pd.DataFrame) -> None:
        self._run = run
        self._rows = dict(iter(rows.groupby(["metric", *TREATMENT, *ATTACK], sort=False)))
        self._means: dict[tuple[Any, ...], float] = {}

    def mean(self, metric: str, row: dict[str, Any], clips: frozenset[str]) -> float:
        """The mean over ``clips`` for a row of the summary; NaN where it was not measured."""
        import pandas as pd

        treatment = tuple(row[name] for name in TREATMENT)
        places = product(*(dict.fromkeys(["", row[name]]) for name in ATTACK))
        keys = tuple(key for place in places if (key := (metric, *treatment, *place)) in self._rows)
        if (keys, clips) not in self._means:
            found = [rows[rows["clip"].isin(clips)] for rows in map(self._rows.__getitem__, keys)]
            mine = pd.concat(found) if found else pd.DataFrame()
            value = per_unit(mine, "value", self._run.identities).mean() if len(mine) else math.nan
            self._means[keys, clips] = float(value)
        return self._means[keys, clips]


def _outcomes(outcomes: pd.Series[Any]) -> str:
    counts = outcomes.value_counts()
    if len(counts) == 1:
        return str(counts.index[0])
    return ", ".join(f"{name} {counts[name]}" for name in words.OUTCOMES if name in counts.index)


#: A column of the printed tables: heading, and the text of a summary row.
Column = tuple[str, "Callable[[dict[str, Any]], str]"]


def change(metric: str, show: Callable[[float], str]) -> Callable[[dict[str, Any]], str]:
    """``clean → defended`` of a metric."""

    def text(row: dict[str, Any]) -> str:
        if not math.isfinite(row[metric]):
            return words.DASH
        return f"{show(row[f'{metric}_clean'])} → {show(row[metric])}"

    return text


def delta(metric: str, digits: int, factor: float = 1.0) -> Callable[[dict[str, Any]], str]:
    """The effect on a metric with its interval; ``*`` marks an interval from few clips."""

    def text(row: dict[str, Any]) -> str:
        value = words.number(row[f"{metric}_delta"] * factor, digits, sign=True)
        ends = words.interval(row[f"{metric}_low"], row[f"{metric}_high"], digits, factor)
        return f"{value} {ends}{'*' if row[f'{metric}_wide'] else ''}" if ends else value

    return text


def net(metric: str) -> Callable[[dict[str, Any]], str]:
    """The effect on a share, in percent, without its interval."""
    return lambda row: words.number(100 * row[f"{metric}_delta"], 0, sign=True)


def defense_name(row: dict[str, Any]) -> str:
    """``vdf 12.75/255``."""
    return f"{row['defense']} {words.budget(row['linf'], row['floor'])}".strip()


def arm_name(row: dict[str, Any]) -> str:
    """The same, and whether it is a control."""
    return f"{defense_name(row)} (control)" if row["arm"] == "control" else defense_name(row)


def purifier_name(row: dict[str, Any]) -> str:
    """The purifier, or ``as published``."""
    return "as published" if row["purifier"] in UNPURIFIED else str(row["purifier"])


def attack_name(row: dict[str, Any]) -> str:
    """``gaussian on composite frames · white-box, parser builtin/strict · as published``."""
    if not row["victim"] and not row["capture"]:
        return "no attacker"
    if not row["capture"]:
        return f"{row['victim']} · {row['access']} · {purifier_name(row)}"
    frames = f" on {row['target']} frames" if row["target"] else ""
    return f"{row['victim'] or 'no victim'}{frames} · {row['access']}, parser {row['capture']} · {purifier_name(row)}"


def columns(run: Run) -> list[Column]:
    """What is said of a defense under one attack."""
    return [*headline(run), *map(further_column, further(run))]


def further_column(metric: Definition) -> Column:
    """``name [unit] ↑``: clean → defended of what is compared with the clean twin, else the mean."""
    unit = f" [{metric.unit}]" if metric.unit else ""
    head = f"{words.label(metric.name)}{unit} {'↑' if metric.better == 'up' else '↓'}"
    if metric.stage in EFFECT_STAGES:
        return head, change(metric.name, words.figures)
    return head, lambda row: words.figures(row[metric.name])


def headline(run: Run) -> list[Column]:
    """The columns that every summary of the track has."""
    if run.terms is IMAGES:
        return _edit_columns(run)
    parts = [(f"by {part.removeprefix('dsr_')} [%]", net(part)) for part in dsr_parts(run)]
    who = [(words.label(metric), change(metric, words.number)) for metric in identities(run)]
    return [
        ("defense", arm_name),
        ("outcome", lambda row: row["outcome"]),
        ("head PSNR [dB]", change("head_psnr", lambda v: words.number(v, 1))),
        ("Δ head PSNR [dB]", delta("head_psnr", 1)),
        ("net DSR [%]", delta("dsr", 0, 100)),
        *parts,
        ("lip r", change("lip_correlation", words.number)),
        *who,
        ("PSNR [dB]", lambda row: words.number(row["psnr"], 1)),
        ("SSIM", lambda row: words.number(row["ssim"], 3)),
        ("cost [s/frame]", lambda row: words.small(row["seconds_per_frame"])),
        ("clips × seeds", lambda row: f"{row['clips']} × {row['seeds']}"),
    ]


def _edit_columns(run: Run) -> list[Column]:
    lpips = [("edit LPIPS", change("edit_lpips", words.number))] if "edit_lpips" in set(run.results["metric"]) else []
    return [
        ("defense", arm_name),
        (run.terms.success_label, delta("dsr", 0, 100)),
        ("masked L2", lambda row: words.number(row["edit_l2_masked"], 3)),
        ("edit L1", lambda row: words.number(row["edit_l1"], 3)),
        ("edit PSNR [dB]", lambda row: words.number(row["edit_psnr"], 1)),
        ("edit SSIM", lambda row: words.number(row["edit_ssim"], 3)),
        *lpips,
        ("identity", change("edit_identity", words.number)),
        ("PSNR [dB]", lambda row: words.number(row["psnr"], 1)),
        ("SSIM", lambda row: words.number(row["ssim"], 3)),
        ("cost [s]", lambda row: words.small(row["seconds_per_frame"])),
        ("portraits × seeds", lambda row: f"{row['clips']} × {row['seeds']}"),
    ]


_ATTACK: list[Column] = [
    ("victim", lambda row: f"{row['victim']} ({row['target']})" if row["target"] else row["victim"]),
    ("access", lambda row: f"{row['access']} ({row['capture']})" if row["capture"] else row["access"]),
    ("purifier", purifier_name),
]


def printed(run: Run) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of the readable table, which names the attack in every row."""
    layout = [*_ATTACK, *columns(run)]
    return [name for name, _ in layout], [[show(row) for _, show in layout] for row in records(run.summary)]


def markdown(run: Run) -> str:
    """A GitHub-flavoured table."""
    heads, rows = printed(run)
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(map(_markdown_text, line))} |\n" for line in lines)


def latex(run: Run) -> str:
    """A table for the LaTeX package booktabs."""
    heads, rows = printed(run)
    body = [" & ".join(map(_latex_text, line)) + r" \\" for line in rows]
    head = " & ".join(map(_latex_text, heads)) + r" \\"
    opening = rf"\begin{{tabular}}{{{'l' * len(heads)}}}"
    return "\n".join([opening, r"\toprule", head, r"\midrule", *body, r"\bottomrule", r"\end{tabular}", ""])


def write_tables(run: Run) -> None:
    """Write ``summary.csv`` (every number, unrounded), ``summary.md`` and ``summary.tex`` into the run folder."""
    _write(run.folder / "summary.csv", run.summary.to_csv(index=False, lineterminator="\n"))
    _write(run.folder / "summary.md", markdown(run))
    _write(run.folder / "summary.tex", latex(run))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _markdown_text(text: str) -> str:
    for mark in "\\`*_[]<>|#":
        text = text.replace(mark, "\\" + mark)
    return " ".join(text.split())


_LATEX: Sequence[tuple[str, str]] = (
    ("\\", "\0"),
    *((mark, "\\" + mark) for mark in "&%$#_{}"),
    ("~", r"\textasciitilde{}"),
    ("^", r"\textasciicircum{}"),
    ("\0", r"\textbackslash{}"),
    ("<", r"\textless{}"),
    (">", r"\textgreater{}"),
    ("→", r"$\to$"),
    ("−", "$-$"),
    ("×", r"$\times$"),
    ("↑", r"$\uparrow$"),
    ("↓", r"$\downarrow$"),
    ("Δ", r"$\Delta$"),
    ("–", "--"),
    ("°", r"\textdegree{}"),
)


def _latex_text(text: str) -> str:
    for mark, code in _LATEX:
        text = text.replace(mark, code)
    return " ".join(text.split())
