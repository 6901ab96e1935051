"""What is left of a run in which steps failed: whole cells with their clean twins, and a reason for every other."""

from __future__ import annotations

import time

import pytest
from typer.testing import CliRunner

from vdf_bench.commands.cli import app
from vdf_bench.core import registry
from vdf_bench.core.budget import Budget
from vdf_bench.core.errors import IncompleteError, UserError
from vdf_bench.execute.executor import Failure
from vdf_bench.execute.incomplete import NO_TWIN, TIME_UP, whole_cells
from vdf_bench.execute.local import LocalExecutor
from vdf_bench.execute.placement import Need
from vdf_bench.execute.schedule import StepFailedError, Tally
from vdf_bench.plan import Request, Step
from vdf_bench.plan.presets import preset
from vdf_bench.results.gather import PICTURES, pictured
from vdf_bench.runs.run import prepare
from vdf_bench.store import Store


@pytest.fixture
def run(tmp_path):
    request = Request(preset("quick"), ("vdf", "pgd"), ("gaussian", "triplane"), clips=("synth-a", "synth-b"))
    return prepare(request, tmp_path / "run")


def failed(step, cause="memory"):
    return Failure(step.key, step.name, step.label, cause, "it wanted too much", "job 1", 1)


def only(run, name, label):
    return next(step for step in run.plan.steps.values() if step.name == name and step.label.startswith(label))


def test_a_defense_that_could_not_be_computed_takes_its_cells_along(run):
    step = only(run, "protect", "protect synth-a with vdf")
    left = whole_cells(run, Tally(failures=[failed(step)]))
    gone = [cell for cell in run.plan.cells if cell not in left.plan.cells]
    assert {(cell.clip, cell.defense) for cell in gone} == {("synth-a", "vdf")}
    assert len(gone) == 2
    told = [entry for entry in left.plan.left_out if entry["kind"] == "cell"]
    assert len(told) == 2
    assert all(entry["why"] == f"{step.label}: it wanted too much" for entry in told)
    assert not run.plan.dependents([step.key]).keys() & left.plan.steps.keys()
    assert run.plan.left_out == [entry for entry in left.plan.left_out if entry["kind"] != "cell"]


def test_without_a_clean_twin_nothing_is_said_of_a_defense(run):
    clean = next(cell for cell in run.plan.cells if cell.arm == "clean" and cell.victim == "triplane")
    judge = run.plan.steps[clean.steps["judge.clone"]]  # the others do not rest on it
    left = whole_cells(run, Tally(failures=[failed(judge)]))
    kept = {(cell.clip, cell.victim) for cell in left.plan.cells}
    assert (clean.clip, "triplane") not in kept
    assert (clean.clip, "gaussian") in kept
    why = [entry["why"] for entry in left.plan.left_out if entry["kind"] == "cell"]
    assert why.count(NO_TWIN) == 3


def test_what_was_not_reached_is_told_apart_from_what_failed(run):
    failing = only(run, "protect", "protect synth-a with vdf")
    late = only(run, "protect", "protect synth-b with pgd")
    left = whole_cells(run, Tally(failures=[failed(failing)], unreached=[late.key]))
    why = {entry["name"]: entry["why"] for entry in left.plan.left_out if entry["kind"] == "cell"}
    assert {text == TIME_UP for name, text in why.items() if "synth-b, pgd" in name} == {True}
    assert {text == TIME_UP for name, text in why.items() if "synth-a, vdf" in name} == {False}


@pytest.mark.parametrize(("cause", "error"), [("memory", UserError), ("raised", StepFailedError)])
def test_a_run_without_a_whole_cell_ends_with_what_failed(run, cause, error):
    clips = [step for step in run.plan.steps.values() if step.name == "clip"]
    with pytest.raises(error, match="wanted too much"):
        whole_cells(run, Tally(failures=[failed(step, cause) for step in clips]))
    with pytest.raises(UserError, match="the time limit was reached"):
        whole_cells(run, Tally(unreached=list(run.plan.steps)))


def test_pictures_are_kept_of_so_many_cells_of_every_defense(tmp_path):
    request = Request(
        preset("quick"),
        ("vdf", "pgd"),
        ("gaussian", "triplane"),
        clips=("synth-a", "synth-b", "synth-c"),
        budgets=Budget.parse_all("linf=4,8"),
        seeds=(0, 1),
    )
    plan = prepare(request, tmp_path / "run").plan
    shown = [cell for cell in pictured(plan).cells if cell.arm != "clean"]
    assert len(shown) == PICTURES < sum(cell.arm != "clean" for cell in plan.cells)
    who = {(cell.defense, cell.linf, cell.victim) for cell in plan.cells if cell.arm != "clean"}
    assert {(cell.defense, cell.linf, cell.victim) for cell in shown} == who
    assert [cell for cell in pictured(plan).cells if cell.arm == "clean"] == [c for c in plan.cells if c.arm == "clean"]


def test_gpus_are_shared_out_one_step_each(tmp_path, monkeypatch):
    from vdf_bench.execute import local

    begun = []

    class Child:
        def __init__(self, step, store, need, gpu, preload):
            begun.append((step.label, gpu))

    monkeypatch.setattr(local, "Child", Child)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    executor = LocalExecutor(Store(tmp_path), 1)
    training, other = Need(gpus=0.5), Need()
    for k, need in enumerate((training, other, training)):
        assert executor.has_room(need)
        executor.submit(Step("fit", f"step {k}", {"n": k}, {}, ""), need)
    assert begun == [("step 0", "2"), ("step 1", None), ("step 2", "5")]
    assert not executor.has_room(training)
    assert not executor.has_room(other)


def test_no_gpu_waits_for_a_core(tmp_path, monkeypatch):
    from vdf_bench.execute import local

    monkeypatch.setattr(local, "Child", lambda *_: None)
    training, other = Need(gpus=1.0), Need()
    with_gpu, without = (LocalExecutor(Store(tmp_path), 1, gpus=gpus) for gpus in (["0"], []))
    for executor in (with_gpu, without):
        assert executor.submit(Step("judge", "a judge", {}, {}, ""), other) == "job 1"
        assert not executor.has_room(other)
    assert with_gpu.has_room(training)
    assert with_gpu.submit(Step("fit", "a fit", {}, {}, ""), training) == "gpu 0"
    assert not without.has_room(training)


def test_time_that_is_up_at_once_leaves_one_line_and_the_folder_untouched(tmp_path):
    words = ["run", "--victim", "triplane", "--size", "32", "--frames", "16", "--out", str(tmp_path / "run")]
    begun = time.monotonic()
    found = CliRunner().invoke(app, [*words, "--max-hours", "1e-9"])
    assert isinstance(found.exception, IncompleteError)
    assert found.exception.code == 3
    assert "the time limit was reached before any cell was finished" in str(found.exception)
    assert not (tmp_path / "run" / "results.parquet").exists()
    assert time.monotonic() - begun < 100


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--ray-address", "auto"], "needs --executor ray"),
        (["--executor", "slurm"], "--executor 'slurm'"),
        (["--max-hours", "0"], "--max-hours 0 is out of range"),
        (["--store", "memory://x"], "--executor inline"),
    ],
)
def test_means_that_make_no_sense_are_one_line(tmp_path, words, said):
    assert "triplane" in registry.names("victims")
    found = CliRunner().invoke(app, ["run", "--victim", "triplane", "--out", str(tmp_path / "run"), *words])
    assert isinstance(found.exception, UserError)
    assert said in str(found.exception)
