"""What is shown and expected of steps that run."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from vdf_bench.core import registry
from vdf_bench.execute import progress
from vdf_bench.execute.progress import ProgressWatcher
from vdf_bench.plan import Step

STEP = Step("clip", "clip huge", {}, {}, "")


def test_progress_of_a_step_corrects_what_is_left():
    console = Console(file=io.StringIO(), width=100)
    step = replace(STEP, name="fit", label="train somebody")
    watcher = ProgressWatcher(console, {step.key: 10.0}, jobs=1)
    clock = iter([0.0, 100.0, 100.0, 200.0, 200.0, 200.0]).__next__
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress.time, "perf_counter", clock)
        watcher.started(step, "job 1")
        watcher.progressed(step, 0.30)  # it goes on from a checkpoint
        watcher.progressed(step, 0.40)
    assert watcher.seconds[step.key] == pytest.approx(200 + 600)
    assert "train somebody: 40%, about 10 min left" in console.file.getvalue()


def shown(watcher):
    """The live view as text."""
    console = Console(file=io.StringIO(), width=120)
    console.print(watcher.view())
    return console.file.getvalue()


def test_the_view_says_what_each_node_does_and_what_waits():
    steps = [replace(STEP, label=f"fit {k}", params={"k": k}) for k in range(4)]
    now = 0.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress.time, "perf_counter", lambda: now)
        watcher = ProgressWatcher(Console(file=io.StringIO()), {step.key: 100.0 for step in steps}, jobs=1)
        for step in steps:
            watcher.started(step, "")
        assert "0 running · 4 waiting" in shown(watcher)
        now = 20.0
        for step, node in zip(steps, ("east", "east", "west"), strict=False):
            watcher.started(step, node)
        now = 40.0
        watcher.progressed(steps[0], 0.25)
        watcher.finished(steps[2], cached=False)
        told = shown(watcher)
        assert "2 running · 1 waiting" in told
        (row,) = [" ".join(line.split()) for line in told.splitlines() if "east" in line]
        assert row == "east, 2 steps 50% busy fit 0 25% 20 s"
        assert "west" not in told
        now = 80.0
        watcher.started(steps[3], "west")
        (row,) = [" ".join(line.split()) for line in shown(watcher).splitlines() if "west" in line]
        assert row == "west 25% busy fit 3 0 s"
        watcher.started(steps[1], "")  # its node died
        assert "2 running · 1 waiting" in shown(watcher)


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


def test_steps_on_cores_are_found_behind_many_that_wait_for_a_gpu():
    from vdf_bench.execute.schedule import Ready

    fits = [Step("fit", f"fit {k}", {"n": k, "device": "cuda"}, {}, "") for k in range(100)]
    judge = Step("judge", "judge", {}, {}, "")
    todo = {step.key: step for step in [*fits, judge]}
    urgency = {key: float(step is not judge) for key, step in todo.items()}
    ready = Ready(todo, urgency, lambda step: "device" in step.params)
    assert ready.take(lambda step: step is judge) is judge
    assert ready.take(lambda step: step is judge) is None
    assert ready.take(lambda step: True) in fits
    assert len(ready.todo) == 99
