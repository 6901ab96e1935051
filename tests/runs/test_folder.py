"""Which run a folder holds: another one is never replaced without being asked, nor by whoever comes second."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from vdf_bench.core.artifact import Artifact
from vdf_bench.core.errors import UserError
from vdf_bench.execute.schedule import Tally
from vdf_bench.plan import Request
from vdf_bench.plan.presets import preset
from vdf_bench.runs import rounds
from vdf_bench.runs import run as run_module
from vdf_bench.runs.run import COMPLETE, _is_complete, complete, prepare

TINY = preset("quick").resized(32, 16)
REQUEST = Request(TINY, ("vdf",), ("triplane",), clips=("synth-a",))


class Silent:
    """Shows nothing."""

    def __getattr__(self, name):
        return lambda *_, **__: None


def hold(run):
    """As if ``run`` had been finished in its folder."""
    run.out.mkdir(parents=True, exist_ok=True)
    held = {"matrix": run.matrix, "run": run.identity}
    (run.out / COMPLETE).write_text(json.dumps(held))


@pytest.mark.parametrize(
    "change",
    [{"preset": TINY.resized(48, 16)}, {"preset": TINY.resized(32, 20)}, {"iterations": 5}, {"seeds": (1,)},
     {"device": "cuda"}, {"timeout": 1.0}, {"victims": ("gaussian",)}, {"protected_share": 0.5},
     {"recogniser": "id-synth"}],
)  # fmt: skip
def test_another_run_is_not_replaced_unasked(tmp_path, change):
    hold(prepare(REQUEST, tmp_path / "run"))
    prepare(REQUEST, tmp_path / "run")
    other = replace(REQUEST, **change)
    with pytest.raises(UserError, match="another run"):
        prepare(other, tmp_path / "run")
    prepare(other, tmp_path / "run", overwrite=True)


@pytest.mark.parametrize("content", ["x", "[]", "{}", "null", '{"matrix": "a"}'])
def test_a_damaged_mark_is_another_run_and_can_be_replaced(tmp_path, content):
    run = prepare(REQUEST, tmp_path / "run")
    hold(run)
    (run.out / COMPLETE).write_text(content)
    assert not _is_complete(run.out, run.identity)
    with pytest.raises(UserError, match="another run"):
        prepare(REQUEST, tmp_path / "run")
    prepare(REQUEST, tmp_path / "run", overwrite=True)


def test_who_comes_second_with_another_matrix_replaces_nothing(tmp_path, monkeypatch):
    first = prepare(replace(REQUEST, victims=("gaussian",)), tmp_path / "run")
    second = prepare(REQUEST, tmp_path / "run")

    def meanwhile(run, *_):
        hold(first)
        return run, Tally()

    monkeypatch.setattr(rounds, "attack_in_rounds", meanwhile)
    with pytest.raises(UserError, match="another run has written its results there in the meantime"):
        complete(second, 1, Silent(), lambda text: None)
    assert json.loads((tmp_path / "run" / COMPLETE).read_text())["matrix"] == first.matrix


def test_a_finished_run_is_asked_again_where_nothing_can_be_written(tmp_path, monkeypatch):
    run = prepare(REQUEST, tmp_path / "run")
    hold(run)
    for name in ("results.parquet", "traces.parquet", "run.json", "report.html"):
        (run.out / name).touch()
    for key in run.plan.steps:
        run.store.put(key, Artifact())
    monkeypatch.setattr(run_module, "check_writable", lambda run: pytest.fail("it wants to write"))
    tally = complete(run, 1, Silent(), lambda text: None)
    assert set(tally.cached) == set(run.plan.steps)
