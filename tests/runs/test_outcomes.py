"""How cells end: every outcome through the plan, the steps and the table of a run, in this process."""

from __future__ import annotations

import io
import json

import pytest
import torch
from rich.console import Console

from vdf_bench.attackers.attacker import Attacker
from vdf_bench.core.interfaces import CaptureRefused
from vdf_bench.execute.worker import compute
from vdf_bench.judges import gates, outcome
from vdf_bench.plan import Request
from vdf_bench.plan.presets import preset
from vdf_bench.results.collect import collect
from vdf_bench.runs.check import complete_check, prepare_check
from vdf_bench.runs.check_report import print_checks, write_checks
from vdf_bench.runs.run import prepare
from vdf_bench.stages import capture


class Silent:
    """Shows nothing."""

    def __getattr__(self, name):
        return lambda *_, **__: None


TINY = preset("quick").resized(32, 16)


def carried_out(tmp_path, **asked):
    """Cells by defense with outcome and code as judged, and the same from the table."""
    request = Request(**{"preset": TINY, "victims": ("triplane",), "controls": (), "iterations": 12, **asked})
    run = prepare(request, tmp_path / "run")
    for step in run.plan.steps.values():
        compute(step, run.store)
    cells = run.plan.cells
    artifacts = {key: run.store.get(key) for c in cells for role, key in c.steps.items() if role.startswith("judge.")}
    judged = {c.defense: artifacts[c.steps["judge.clone"]].meta for c in cells}
    rows, found = collect(run)
    table = {(row["defense"], row["outcome"], row["code"]) for row in rows if row["stage"] == "clone"}
    return {name: (meta["outcome"], meta["code"]) for name, meta in judged.items()}, table, found


@pytest.fixture
def no_gates(monkeypatch):
    """Fits of a second meet no gate; here only outcomes are looked at."""
    monkeypatch.setattr(gates, "GATES", ())


@pytest.mark.usefixtures("no_gates")
def test_a_capture_that_stops_is_refused_with_its_code(tmp_path, monkeypatch):
    monkeypatch.setattr(outcome, "FROZEN_CHANGE", 0.0)  # a fit of a second hardly moves
    strict = (Attacker(capture="builtin/strict"),)
    asked = {"defenses": ("occlude",), "attackers": strict, "preset": preset("quick").resized(64, 16)}
    judged, table, _ = carried_out(tmp_path, **asked)
    assert judged["none"] == ("trained", "")
    ended, code = judged["occlude"]
    assert ended == "refused"
    assert "@frame" in code
    assert table == {("none", "trained", ""), ("occlude", "refused", code)}


def test_a_fit_without_time_is_timed_out_and_voids_its_cells(tmp_path):
    judged, table, found = carried_out(tmp_path, defenses=("noise",), timeout=1e-3)
    assert {ended for ended, _ in judged.values()} == {"timed-out"}
    assert all(code.startswith("timeout@iteration") for _, code in judged.values())
    assert {ended for _, ended, _ in table} == {"void"}
    assert all(code.startswith("clean twin timed-out: timeout@iteration") for _, _, code in table)
    assert {gate["gate"]: gate["ok"] for gate in found}["head_psnr"] is False


@pytest.mark.usefixtures("no_gates")
def test_a_loss_that_is_no_number_diverges(tmp_path, monkeypatch):
    from vdf_bench.victims.triplane.train import TriplaneTrainer

    whole = TriplaneTrainer.loss

    def loss(self, iteration):
        value = whole(self, iteration)
        return value * float("nan") if iteration == 7 else value

    monkeypatch.setattr(TriplaneTrainer, "loss", loss)
    judged, table, _ = carried_out(tmp_path, defenses=("none",))
    assert judged == {"none": ("diverged", "nan@iteration 7")}
    assert table == {("none", "void", "clean twin diverged: nan@iteration 7")}


@pytest.mark.usefixtures("no_gates")
def test_masks_without_heads_end_frozen(tmp_path):
    torch.set_num_threads(1)
    asked = {"preset": preset("quick").resized(64, 48), "victims": ("gaussian",), "iterations": 250}
    judged, table, _ = carried_out(tmp_path, defenses=("none",), poisons=("mask-90",), **asked)
    assert judged["none"] == ("trained", "")
    ended, code = judged["mask-90"]
    assert ended == "frozen"
    assert code.startswith(("alpha_head=", "frame_change_ratio="))
    assert table == {("none", "trained", ""), ("mask-90", "frozen", code)}


def test_a_clean_clone_that_misses_a_gate_voids_its_cells_by_name(tmp_path):
    judged, table, found = carried_out(tmp_path, defenses=("noise",))
    assert {ended for ended, _ in judged.values()} <= {"trained", "frozen"}
    assert {ended for _, ended, _ in table} == {"void"}
    missed = {gate["gate"] for gate in found if gate["ok"] is False}
    assert missed
    assert all(code.startswith("clean twin ") for _, _, code in table)


def test_a_check_of_a_refused_clip_fails_in_words(tmp_path, monkeypatch):
    def refuse(*_):
        raise CaptureRefused("no_face@frame 3")

    monkeypatch.setattr(capture, "capture_frames", refuse)
    request = Request(preset=TINY, victims=("triplane",), iterations=12)
    run = prepare_check(request, tmp_path / "check")
    for step in run.plan.steps.values():
        compute(step, run.store)
    (found,), tally = complete_check(run, 1, Silent())
    assert not tally.computed
    assert found.fault == "clean twin refused: no_face@frame 3"
    assert found.audio_r is None
    console = Console(file=io.StringIO(), width=100)
    print_checks([found], console)
    assert "no_face@frame 3" in console.file.getvalue()
    write_checks(run, [found])
    assert not json.loads((run.out / "gates.json").read_text())["ok"]
    assert not list(run.out.glob("*.png"))
