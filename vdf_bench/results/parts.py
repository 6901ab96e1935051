"""The table while a run goes on: rows are appended as cells become whole, and joined to one table at its end.

So a run that is cut off after days has its rows in files that pandas reads, the next call reads no cell again, and the
driver never holds the rows of more than a few cells.
"""

from __future__ import annotations

import shutil
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from vdf_bench.core.artifact import digest
from vdf_bench.core.errors import UserError
from vdf_bench.results.collect import Collector
from vdf_bench.results.table import arrow_schema, read_table, table_of, write_joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from vdf_bench.execute.executor import Failure
    from vdf_bench.execute.schedule import Watcher
    from vdf_bench.plan import Cell, Step
    from vdf_bench.plan.run import Run

#: Where they lie in a run folder.
FOLDER = "results.parts"
#: A part is written when so many cells are whole, or so many seconds after the last one.
CELLS, SECONDS = 64, 30.0
#: What rows depend on besides the artifacts that they are read from.
_CODE = ("vdf_bench.results.collect",)
_MARK = b"vdf_bench.cells"


class Parts:
    """The parts of a run's table. Each says whose rows it holds; one that holds others than asked for is not used.

    Args:
        run: whose rows they are.

    Attributes:
        collector: reads the cells.
    """

    def __init__(self, run: Run) -> None:
        from vdf_bench.plan.keys import code_digest

        self._run = run
        self._folder = run.out / FOLDER
        self.collector = Collector(run)
        self._code = code_digest(*_CODE)

    def append(self, cells: Iterable[Cell]) -> None:
        """Write the rows of ``cells``, of which every step and their twins' are in the store, as a part.

        Raises:
            DamagedError: an artifact was damaged and has been set aside.
            UserError: the folder cannot be written.
        """
        chosen = list(cells)
        marks = {_MARK: " ".join(map(self.name, chosen)).encode()}
        write_joined([self._table(chosen)], self._folder / f"{uuid.uuid4().hex}.parquet", marks)

    def join(self, path: Path) -> None:
        """Write the whole table of the run: its parts, and the missing cells.

        Raises:
            DamagedError: an artifact was damaged and has been set aside.
            UserError: the folder cannot be written.
        """
        missing = {self.name(cell): cell for cell in self._run.plan.cells}
        names = set(missing)
        tables = []
        for _, table, held in self._sound():
            if names >= set(held):
                tables.append(table.replace_schema_metadata(arrow_schema().metadata))
                missing = {name: cell for name, cell in missing.items() if name not in held}
        tables += [self._table(some) for some in batches(list(missing.values()))]
        try:
            write_joined(tables, path)
        except ValueError:  # artifacts were swept away and made again since, and times measured anew
            if not self._folder.exists():
                raise
            self.clear()
            self.join(path)

    def held(self) -> dict[str, list[Path]]:
        """Names of the cells that parts hold, and in which."""
        found: dict[str, list[Path]] = {}
        for part, _, names in self._sound():
            for name in names:
                found.setdefault(name, []).append(part)
        return found

    def clear(self) -> None:
        """Take them away: the whole table stands."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def name(self, cell: Cell) -> str:
        """What a part calls a cell: a digest of all that its rows are read from."""
        twin = self.collector.twin(cell)
        return digest([self._code, str(self._run.store.root), vars(cell), twin.steps if twin else {}])[:32]

    def _table(self, cells: Iterable[Cell]) -> pa.Table:
        # Cells share what judges said of clip and capture: once a part is enough.
        return table_of({tuple(row.values()): row for cell in cells for row in self.collector.rows(cell)}.values())

    def _sound(self) -> Iterator[tuple[Path, pa.Table, list[str]]]:
        """Parts that can be read, and the names of the cells in each."""
        for part in sorted(self._folder.glob("*.parquet")):
            try:
                table = read_table(part)
            except UserError:  # cut short with the machine: its cells are read again
                continue
            yield part, table, (table.schema.metadata or {}).get(_MARK, b"").decode().split()


def batches(cells: list[Cell]) -> Iterator[list[Cell]]:
    """``cells`` in order, at most :data:`CELLS` at a time."""
    for place in range(0, len(cells), CELLS):
        yield cells[place : place + CELLS]


class Appending:
    """Appends rows as steps end, and passes everything on to another watcher.

    Args:
        watcher: called for every step.
        parts: where rows go.
        cells: of the run.
    """

    def __init__(self, watcher: Watcher, parts: Parts, cells: list[Cell]) -> None:
        self._watcher = watcher
        self._parts = parts
        self._cells = cells
        self._of: dict[str, list[int]] = {}
        self._lacks: list[int] = []
        self._whole: list[Cell] = []
        self._appended = time.monotonic()
        self._before = parts.held()
        for place, cell in enumerate(cells):
            twin = parts.collector.twin(cell)
            keys = {*cell.steps.values(), *(twin.steps.values() if twin else ())}
            self._lacks.append(len(keys))
            for key in keys:
                self._of.setdefault(key, []).append(place)

    def started(self, step: Step, worker: str) -> None:
        """Pass it on."""
        self._watcher.started(step, worker)

    def progressed(self, step: Step, share: float) -> None:
        """Pass it on."""
        self._watcher.progressed(step, share)

    def finished(self, step: Step, cached: bool) -> None:
        """Pass it on, and append the rows of cells that are whole now, if they are enough or have waited long."""
        self._watcher.finished(step, cached)
        for place in self._of.pop(step.key, ()):
            if not cached and self._before:  # made anew since: what was measured before is void
                for part in self._before.pop(self._parts.name(self._cells[place]), ()):
                    part.unlink(missing_ok=True)
            self._lacks[place] -= 1
            if not self._lacks[place]:
                self._whole.append(self._cells[place])
        if len(self._whole) >= CELLS or (self._whole and time.monotonic() - self._appended > SECONDS):
            self._append()

    def failed(self, step: Step, failure: Failure) -> None:
        """Pass it on."""
        self._watcher.failed(step, failure)

    def _append(self) -> None:
        # What is not appended is read when the whole table is written: there a damaged artifact is made anew, and a
        # folder that cannot be written is reported. Another driver that has finished may have taken the folder away.
        with suppress(UserError):
            for some in batches(self._whole):
                self._parts.append(some)
        self._whole.clear()
        self._appended = time.monotonic()
