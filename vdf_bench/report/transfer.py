"""Transfer between networks: what a perturbation made against one does to another, as a matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vdf_bench.report import words
from vdf_bench.report.tables import purifier_name, records
from vdf_bench.stats import UNPURIFIED

if TYPE_CHECKING:
    from vdf_bench.report.record import Run

#: Said of cells that were not run.
NOT_RUN = words.DASH
READING = (
    "Rows: the network that a defense differentiated; columns: the one that attacked. Net DSR in percent. Where both "
    "are the same the case is white-box, marked by brackets; what stands beside it in the row is what carries over."
)


@dataclass(frozen=True)
class Matrix:
    """Net DSR of every defense and surrogate against every victim, within one budget, after one purifier.

    Attributes:
        title: budget and purifier.
        heads: ``protected against``, then the victims.
        rows: a defense with its surrogate, then its cells.
    """

    title: str
    heads: list[str]
    rows: list[list[str]]


def matrices(run: Run) -> list[Matrix]:
    """A matrix for each budget and purifier; none where nothing was carried from one network to another."""
    summary = run.summary
    if not len(summary):
        return []
    named = summary[summary["defense"].str.contains("@") & (summary["victim"] != "")]
    if not (named["access"] == "transfer").any():
        return []
    found = []
    for (_, _, purifier), rows in named.groupby(["linf", "floor", "purifier"], sort=False):
        first = records(rows)[0]
        title = words.budget(first["linf"], first["floor"])
        if purifier not in UNPURIFIED:
            title += f", after {purifier_name(first)}"
        victims = sorted(rows["victim"].unique())
        cells = {(row["defense"], row["victim"]): row for row in records(rows)}
        table = [
            [defense, *(_cell(cells.get((defense, victim))) for victim in victims)]
            for defense in sorted(rows["defense"].unique(), key=lambda name: tuple(name.split("@")))
        ]
        found.append(Matrix(title, ["protected against", *victims], table))
    return found


def _cell(row: dict[str, Any] | None) -> str:
    if row is None or not math.isfinite(row["dsr_delta"]):
        return NOT_RUN
    text = words.number(100 * row["dsr_delta"], 0, True)
    return f"[{text}]" if row["access"] == "white-box" else text
