"""What checks and probes say, and with which exit code."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from rich.console import Console

from vdf_bench.commands import cli
from vdf_bench.core.capture import Capture
from vdf_bench.core.clip import Pose, split_frames
from vdf_bench.execute.schedule import Tally
from vdf_bench.judges.gates import GATES, judge_gates
from vdf_bench.plan import Cell
from vdf_bench.report.load import FolderRun
from vdf_bench.report.terminal import gate_sentence, gates_sentence
from vdf_bench.runs import check as checking
from vdf_bench.runs import check_report as checks_report
from vdf_bench.runs.check import Checked
from vdf_bench.runs.check_report import print_checks
from vdf_bench.runs.probe import Probed
from vdf_bench.runs.probe_report import print_probes
from vdf_bench.runs.sheets import TILE, clone_sheet, moments, sheet_name

CELL = Cell("synth-a", "none", 0.0, "identity", "builtin/repair", "composite", "gaussian", 0, "clean", {})
GOOD = {gate.metric: gate.bound for gate in GATES} | {"lip_correlation_low": 0.4, "lip_correlation_high": 0.8}


def checked(values, outcome="trained", code=""):
    results = judge_gates({"metric": name, "value": value} for name, value in values.items())
    driven = {"landmarks": values, "audio": values}
    return Checked({"landmarks": CELL}, outcome, code, results, driven, 12.0, 700.0, 0.9, ("a note [of the fit]",))


def printed(show, what):
    console = Console(file=io.StringIO(), width=100)
    show(what, console)
    return console.file.getvalue()


def test_a_check_prints_gates_figures_and_notes():
    bare = {name: value for name, value in GOOD.items() if not name.startswith("alpha")}
    said = printed(print_checks, [checked({**GOOD, "head_psnr": 24.0}), checked(bare, "frozen", "change=0.1")])
    assert said.count("FAIL") == 2
    assert said.count("not measured") == 2
    assert ".60 [.40, .80]" in said
    assert "fit [s]" in said
    assert "a note [of the fit]" in said
    assert "0 of 2 clones of a clean clip pass" in said
    assert max(map(len, said.splitlines())) <= 100


def test_a_check_says_how_sure_the_voice_is():
    heard = {"audio_r": 0.5, "audio_r_low": 0.36, "audio_r_high": 0.62, "audio_r_shipped": 0.19}
    check = replace(checked(GOOD), heard=heard)
    said = " ".join(printed(print_checks, [check]).split())
    assert "synth-a: voice r .50 [.36, .62] with a map" in said and ".19 with the shipped one" in said
    assert check.record()["audio_r_low"] == 0.36


@pytest.mark.parametrize(("values", "ended"), [(GOOD, 0), ({**GOOD, "alpha_head": 0.1}, 1)])
def test_the_exit_code_tells_whether_all_gates_pass(monkeypatch, tmp_path, capsys, values, ended):
    monkeypatch.setattr(checking, "complete_check", lambda *_: ([checked(values)], Tally()))
    monkeypatch.setattr(checks_report, "_sheet", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["vdf-bench", "victims", "check", "gaussian", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == ended
    record = json.loads((tmp_path / "gates.json").read_text())
    assert record["ok"] is (ended == 0)
    assert [gate["gate"] for gate in record["clones"][0]["gates"]] == [gate.metric for gate in GATES]
    assert "gates.json" in capsys.readouterr().out


def test_a_probe_prints_differences_to_its_twin():
    hurt = Probed(CELL, "frozen", "", {**GOOD, "head_psnr": 16.6, "alpha_head": 0.02}, GOOD)
    said = printed(print_probes, [Probed(CELL, "trained", "", GOOD, None), hurt])
    assert "16.6 (−8.4)" in said
    assert "0.02 (−0.78)" in said
    assert "frozen" in said
    assert "as it is" in said


def test_moments_find_what_tells_most():
    count = 110
    split = split_frames(count)
    held = split.heldout
    mouth, eyes = np.zeros((count, 2), np.float32), np.full(count, 0.3, np.float32)
    mouth[held[[3, 4, 20]], 0] = [0.9, 0.8, 0.7]
    mouth[0, 0] = 5  # a training frame
    eyes[held[7]] = 0.05
    angle = np.zeros(count)
    angle[held[15]] = 0.4
    cosine, sine, zero, one = np.cos(angle), np.sin(angle), 0 * angle, 0 * angle + 1
    turn = np.stack([cosine, zero, sine, zero, one, zero, -sine, zero, cosine], -1).reshape(-1, 3, 3)
    frames = np.zeros((count, 1, 1, 3), np.uint8)
    capture = Capture(
        frames, frames[..., 0], frames[0], frames[0, ..., 0], frames, frames, zero, zero > 0,
        Pose(turn, np.zeros((count, 3)), 1.0), mouth, eyes, zero, mouth, split,
    )  # fmt: skip
    found = moments(capture)
    assert [moment.position for moment in found[6:]] == [3, 20, 7, 15]
    assert len({moment.position for moment in found}) == 10
    assert len({split.blocks[moment.position] for moment in found[:6]}) == 2


def test_a_sheet_is_a_picture_of_that_many_tiles():
    frames = np.full((3, 64, 64, 3), (200, 30, 30), np.uint8)
    columns = [("frame 1", "0.0 s")] * 3
    rows = [("truth", "", frames), ("by landmarks", "frozen", None)]
    image = Image.open(io.BytesIO(clone_sheet("a title", ("so " * 400, False), columns, 2, rows)))
    red = np.all(np.abs(np.asarray(image.convert("RGB")).astype(int) - (200, 30, 30)) < 4, axis=-1)
    assert red.sum() == 3 * TILE * TILE
    assert sheet_name("a/b", "..", "clip é") == "a-b-..-clip.png"


def test_a_run_says_what_its_clean_clones_were_held_to():
    gates = [result.record() for result in checked({"head_psnr": 30.0}).results]
    run = FolderRun(Path(), pd.DataFrame(), {"gates": [{"victim": "video-only", **gate} for gate in gates]})
    said = gates_sentence(run)
    assert all(str(gate) in said for gate in GATES)
    assert "alpha_head of video-only" in said
    assert "head_psnr of video-only" not in said
    assert not run.failed_gates()
    assert all(gate.why in gates_sentence(run, why=True) for gate in GATES)
    assert gate_sentence(run.record["gates"][1]).endswith("lip_correlation not measured")
