"""What the driver makes of a step whose process does not come back."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
from dataclasses import replace

import pytest
from rich.console import Console

from vdf_bench import progress, registry
from vdf_bench.errors import UserError
from vdf_bench.execute import local, worker
from vdf_bench.plan import Plan, Step
from vdf_bench.progress import ProgressWatcher
from vdf_bench.store import Store

STEP = Step("clip", "clip huge", {}, {}, "")


def killed(step, root, report):
    os.kill(os.getpid(), signal.SIGKILL)


def short_of_memory(step, root, report):
    def full(*_):
        raise MemoryError

    worker.compute = full  # in this process only
    worker.run_step(step, root, report)


@pytest.mark.skipif(os.name != "posix", reason="forks")
@pytest.mark.parametrize(("end", "said"), [(killed, "was killed"), (short_of_memory, "ran out of memory")])
def test_a_step_without_memory_is_one_line_with_the_remedy(tmp_path, monkeypatch, end, said):
    forking = multiprocessing.get_context("fork")
    monkeypatch.setattr(multiprocessing, "get_context", lambda method: forking)
    monkeypatch.setattr(local, "run_step", end)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        monkeypatch.setenv(name, "1")  # which execute sets
    plan = Plan()
    key = plan.add(STEP)
    with pytest.raises(UserError, match=f"clip huge.*{said}.*--size"):
        local.execute(plan, Store(tmp_path), 1, {key: 1.0}, _Silent())


class _Silent(ProgressWatcher):
    def __init__(self) -> None:
        """Shows nothing."""

    def started(self, step):
        """Nothing."""

    def finished(self, step, cached):
        """Nothing."""


def test_progress_of_a_step_corrects_what_is_left():
    console = Console(file=io.StringIO(), width=100)
    step = replace(STEP, name="fit", label="train somebody")
    watcher = ProgressWatcher(console, {step.key: 10.0}, jobs=1)
    clock = iter([0.0, 100.0, 100.0, 200.0, 200.0, 200.0]).__next__
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress.time, "perf_counter", clock)
        watcher.started(step)
        watcher.progressed(step, 0.30)  # it goes on from a checkpoint
        watcher.progressed(step, 0.40)
    assert watcher.seconds[step.key] == pytest.approx(200 + 600)
    assert "train somebody: 40%, about 10 min left" in console.file.getvalue()


@pytest.mark.parametrize("name", ["gaussian", "triplane", "hashgrid"])
def test_what_a_fit_will_take_grows_with_its_scale(name):
    """A plan says seconds for a CPU's sizes and hours for the published ones, before anything is recorded."""
    victim = registry.create("victims", name)
    compact, long, paper = (
        victim.effort(128, 86, "compact", None),
        victim.effort(128, 450, "compact", None),
        victim.effort(512, 1000, "paper", None),
    )
    assert 3 < compact < 60
    assert compact < long < 200
    assert paper > 3600
    assert victim.effort(128, 86, "compact", 10) < compact / 20
