"""Metrics that judges want shown beside those of the summary, in small tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdf_bench.core.place import ATTACK, TREATMENT
from vdf_bench.report.tables import arm_name, attack_name, further, further_column, records

if TYPE_CHECKING:
    import pandas as pd

    from vdf_bench.core.metrics import Definition
    from vdf_bench.report.record import Run

#: Title, headings and rows.
Titled = tuple[str, list[str], list[list[str]]]


def further_tables(run: Run, beside: int) -> list[Titled]:
    """What :func:`vdf_bench.report.tables.further` names: of the protection once, of the rest attack by attack.

    Args:
        run: the run.
        beside: metrics in a table at most; further ones make further tables.
    """
    if not len(run.summary):
        return []
    of_protection = [one for one in further(run) if one.stage == "protect"]
    of_attacks = [one for one in further(run) if one.stage != "protect"]
    found = _tables(f"of the protected {run.terms.clips}s", run.summary, of_protection, beside)
    if of_attacks:
        for _, rows in run.summary.groupby(["access", *ATTACK], sort=False):
            found += _tables(attack_name(records(rows)[0]), rows, of_attacks, beside)
    return found


def _tables(title: str, rows: pd.DataFrame, metrics: list[Definition], beside: int) -> list[Titled]:
    found = []
    kept = records(rows.drop_duplicates(TREATMENT))
    for place in range(0, len(metrics), beside):
        layout = [("defense", arm_name), *map(further_column, metrics[place : place + beside])]
        found.append((title, [head for head, _ in layout], [[show(row) for _, show in layout] for row in kept]))
    return found
