"""What a large matrix says of its attacks, split into sheets that a browser opens at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vdf_bench.report.stages import Path

#: Names of all sheets but the first.
FURTHER = re.compile(r"report-\d+\.html")
#: Rows of the table on a sheet.
ROWS = 300

#: An attack's name, and of each defense under it the cells of the table and the verdict.
Block = tuple[str, list[tuple[list[str], str]]]


@dataclass(frozen=True)
class Sheet:
    """Part of the page.

    Attributes:
        file: its name in the run folder.
        first, last: which attacks, counted from 1.
        attacks: the table in blocks.
        paths: stage by stage, by attack.
        curves: defenses compared, by attack.
    """

    file: str
    first: int
    last: int
    attacks: list[Block]
    paths: list[tuple[str, list[Path]]]
    curves: list[dict[str, Any]]

    @property
    def name(self) -> str:
        """Such as ``attacks 3–7``."""
        return f"attack {self.first}" if self.first == self.last else f"attacks {self.first}–{self.last}"


def split(
    attacks: list[Block], paths: list[tuple[str, list[Path]]], curves: list[dict[str, Any]], rows: int = ROWS
) -> list[Sheet]:
    """Attacks in their order, at most so many rows a sheet; what belongs to none of them stands on the first."""
    groups: list[list[Block]] = [[]]
    count = 0
    for block in attacks:
        if groups[-1] and count + len(block[1]) > rows:
            groups.append([])
            count = 0
        groups[-1].append(block)
        count += len(block[1])
    place = {name: k for k, group in enumerate(groups) for name, _ in group}
    found: list[Sheet] = []
    for k, mine in enumerate(groups):
        before = found[-1].last if found else 0
        found.append(
            Sheet(
                f"report-{k + 1}.html" if k else "report.html",
                before + 1,
                before + len(mine),
                mine,
                [block for block in paths if place.get(block[0], 0) == k],
                [panel for panel in curves if place.get(panel["attack"], 0) == k],
            )
        )
    return found
