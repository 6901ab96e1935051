"""What is shown and expected of steps that run."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from vdf_bench import progress, registry
from vdf_bench.plan import Step
from vdf_bench.progress import ProgressWatcher

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
