"""Rows of the result table, read from what judges said of every cell."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from vdf_bench.core.place import ATTACK, TWIN
from vdf_bench.results.gather import fetch_meta

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vdf_bench.plan import Cell
    from vdf_bench.plan.run import Run

#: Records of judges that are kept in memory: cells beside each other share captures and protected clips.
_KEPT = 4096


class Collector:
    """Reads what judges said, a cell at a time.

    A cell whose clean twin was not trained or fails a gate is void: what a defense does to a clone that never worked
    proves nothing. So a cell can be read when its own steps and its twin's are in the store.

    Args:
        run: whose cells are read.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._judged: Callable[[str], dict[str, Any]] = lru_cache(_KEPT)(partial(fetch_meta, run))
        self._twins = {cell.attacker: cell for cell in run.plan.cells if cell.arm == "clean" and _last(cell)}
        self._void: dict[tuple[Any, ...], str] = {}

    def twin(self, cell: Cell) -> Cell | None:
        """The clean cell that ``cell`` is compared with; None where no victim was trained."""
        return self._twins.get(cell.attacker)

    def gates(self) -> list[dict[str, Any]]:
        """The gates that clean clones were held to, with the verdicts.

        Raises:
            DamagedError: an artifact was damaged and has been set aside.
        """
        return [gate for cell in self._twins.values() for gate in self._hold(cell)[0]]

    def ended(self, cell: Cell) -> tuple[str, str]:
        """Outcome and code of a cell's last step.

        Raises:
            DamagedError: an artifact was damaged and has been set aside.
        """
        judged = self._judged(cell.steps[_last(cell)])
        why = self._why_void(cell)
        return ("void", why) if why else (judged["outcome"], judged["code"])

    def rows(self, cell: Cell) -> Iterator[dict[str, Any]]:
        """Rows of :mod:`vdf_bench.results.table`; those of what cells share come with each of them.

        Raises:
            DamagedError: an artifact was damaged and has been set aside.
        """
        for stage in ("protect", "capture", "clone", "edit"):
            key = cell.steps.get(f"judge.{stage}")
            if key is None:
                continue
            place = cell.only(*ATTACK)
            if stage == "protect":
                place = dict.fromkeys(place, "")
            elif stage == "capture":
                place |= {"target": "", "victim": ""}
            judged = self._judged(key)
            ended = self.ended(cell) if stage in ("clone", "edit") else (judged["outcome"], judged["code"])
            for row in judged["rows"]:
                yield {
                    **cell.only(),
                    **place,
                    "arm": cell.arm,
                    "outcome": ended[0],
                    "code": ended[1],
                    **row,
                }

    def _why_void(self, cell: Cell) -> str:
        twin = self.twin(cell)
        if twin is None:
            return ""
        if cell.attacker not in self._void:
            self._void[cell.attacker] = self._hold(twin)[1] or ""
        return self._void[cell.attacker]

    def _hold(self, twin: Cell) -> tuple[list[dict[str, Any]], str | None]:
        """Hold a clean cell to its gates: records of the verdicts, and why its attacker's cells are void, if so."""
        from vdf_bench.judges.gates import EDIT_GATES, GATES, judge_gates, why_void

        last = _last(twin)
        judged = self._judged(twin.steps[last])
        verdicts = judge_gates(judged["rows"], EDIT_GATES if last == "judge.edit" else GATES)
        where = twin.only(*TWIN)
        return [{**where, **v.record()} for v in verdicts], why_void(judged["outcome"], judged["code"], verdicts)


def _last(cell: Cell) -> str:
    """The role of the judge of a cell's clone or edits; empty where there is neither."""
    return next((role for role in ("judge.edit", "judge.clone") if role in cell.steps), "")


def collect(run: Run) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of all cells of a run, those that cells share repeated, and the gates that clean clones were held to.

    Raises:
        DamagedError: an artifact was damaged and has been set aside.
    """
    collector = Collector(run)
    return [row for cell in run.plan.cells for row in collector.rows(cell)], collector.gates()
