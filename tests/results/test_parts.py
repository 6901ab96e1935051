"""Rows that are appended while a run goes on: joined, they are the table that is written at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vdf_bench.core.artifact import Artifact
from vdf_bench.judges import gates
from vdf_bench.plan import Request
from vdf_bench.plan.presets import preset
from vdf_bench.results import parts as parts_module
from vdf_bench.results import write_results
from vdf_bench.results.collect import collect
from vdf_bench.results.gather import DamagedError
from vdf_bench.results.parts import FOLDER, Appending, Parts
from vdf_bench.runs.run import prepare
from vdf_bench.store import Store
from vdf_bench.store.care import export


class Silent:
    """Shows nothing."""

    def __getattr__(self, name):
        return lambda *_, **__: None


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Eighteen cells, as if every judge had spoken."""
    monkeypatch.setattr(gates, "GATES", ())
    monkeypatch.setattr(parts_module, "CELLS", 4)
    request = Request(preset("quick"), ("vdf", "pgd"), ("gaussian", "triplane"), clips=("synth-a", "synth-b"))
    run = prepare(request, tmp_path / "run")
    for place, (key, step) in enumerate(run.plan.steps.items()):
        if step.name == "judge":
            row = {"metric": f"measured {place % 3}", "unit": "", "better": "up", "value": place / 7, "n": 1}
            rows = [{"stage": step.params["stage"], **row}]
            run.store.put(key, Artifact(meta={"rows": rows, "outcome": "trained", "code": ""}))
    return run


@pytest.fixture
def at_once(run, tmp_path):
    """The bytes of the table without parts."""
    write_results(collect(run)[0], tmp_path / "at-once.parquet")
    return (tmp_path / "at-once.parquet").read_bytes()


def held(run):
    return sorted((run.out / FOLDER).glob("*.parquet"))


def joined(run):
    path = run.out / "results.parquet"
    Parts(run).join(path)
    return path.read_bytes()


def walk(run, steps, parts=None):
    """Tell of steps in this order, as an execution does."""
    parts = parts or Parts(run)
    watcher = Appending(Silent(), parts, run.plan.cells)
    for step in steps:
        watcher.started(step, "job 1")
        watcher.finished(step, cached=False)


def test_the_joined_table_is_the_one_written_at_once(run, at_once):
    walk(run, run.plan.steps.values())
    assert len(held(run)) >= 2
    assert joined(run) == at_once
    Parts(run).clear()
    assert joined(run) == at_once, "and so it is without parts"


def test_rows_wait_for_the_clean_twin(run):
    clean = {key for cell in run.plan.cells if cell.arm == "clean" for key in cell.steps.values()}
    walk(run, [step for key, step in run.plan.steps.items() if key not in clean])
    assert not held(run)


def test_what_stands_in_a_part_is_not_read_again(run, at_once, monkeypatch):
    walk(run, run.plan.steps.values())
    read, table = [], Parts._table
    with monkeypatch.context() as patch:
        patch.setattr(Parts, "_table", lambda self, cells: read.extend(cells) or table(self, cells))
        assert joined(run) == at_once
    assert len(read) < len(run.plan.cells) / 2
    for part in held(run):
        part.write_bytes(part.read_bytes()[:100])  # cut short
    assert joined(run) == at_once


def test_parts_of_another_matrix_or_of_other_code_are_not_used(run, at_once, monkeypatch, tmp_path):
    fewer = replace(run, plan=replace(run.plan, cells=[c for c in run.plan.cells if c.victim == "gaussian"]))
    Parts(run).append(run.plan.cells)
    write_results(collect(fewer)[0], tmp_path / "fewer.parquet")
    assert joined(fewer) == (tmp_path / "fewer.parquet").read_bytes()
    Parts(run).clear()
    monkeypatch.setattr(parts_module, "_CODE", ("vdf_bench.results",))
    Parts(run).append(run.plan.cells)
    [old] = held(run)
    monkeypatch.undo()
    monkeypatch.setattr(gates, "GATES", ())
    read, table = [], Parts._table
    monkeypatch.setattr(Parts, "_table", lambda self, cells: read.extend(cells) or table(self, cells))
    Parts(run).join(tmp_path / "new.parquet")
    assert old in held(run)
    assert len(read) == len(run.plan.cells)
    assert (tmp_path / "new.parquet").read_bytes() == at_once


def test_two_drivers_that_append_the_same_cells_agree(run, at_once):
    for _ in range(2):
        walk(run, run.plan.steps.values())
    assert joined(run) == at_once


def test_a_damaged_artifact_is_left_to_the_end(run):
    cell = run.plan.cells[-1]
    path = run.store.path(cell.steps["judge.clone"])
    path.write_bytes(path.read_bytes()[:-3] + b"???")
    data = bytearray(path.read_bytes())
    data[30] ^= 1
    path.write_bytes(bytes(data))
    walk(run, run.plan.steps.values())
    with pytest.raises(DamagedError):
        joined(run)


def speak_again(run):
    """As if every artifact had been swept away and made again, and other times measured."""
    for key, step in run.plan.steps.items():
        if step.name == "judge":
            meta = run.store.meta(key)
            run.store.path(key).unlink()
            rows = [{**row, "value": row["value"] + 1} for row in meta["rows"]]
            run.store.put(key, Artifact(meta={**meta, "rows": rows}))


def test_what_was_made_anew_takes_its_parts_along(run, tmp_path):
    walk(run, run.plan.steps.values())
    speak_again(run)
    write_results(collect(run)[0], tmp_path / "again.parquet")
    walk(run, run.plan.steps.values())
    assert joined(run) == (tmp_path / "again.parquet").read_bytes()


def test_parts_that_contradict_artifacts_are_not_believed(run, tmp_path):
    first, *others = run.plan.cells
    Parts(run).append([cell for cell in others if cell.clip == first.clip][:2])
    speak_again(run)
    write_results(collect(run)[0], tmp_path / "again.parquet")
    assert joined(run) == (tmp_path / "again.parquet").read_bytes()


def test_parts_of_another_store_are_not_used(run, at_once, tmp_path):
    walk(run, run.plan.steps.values())
    elsewhere = replace(run, store=Store(tmp_path / "elsewhere"))
    export(run.store, elsewhere.store)
    speak_again(elsewhere)
    write_results(collect(elsewhere)[0], tmp_path / "again.parquet")
    assert joined(elsewhere) == (tmp_path / "again.parquet").read_bytes() != at_once
