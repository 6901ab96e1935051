"""The command that measures a device, on this CPU at small sizes: what it finds, and what it leaves out."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from typer.testing import CliRunner

from vdf_bench.bench import device, gate, mixed, same_bytes
from vdf_bench.bench.clock import Clock
from vdf_bench.bench.device_plot import plot_roofline
from vdf_bench.bench.device_tables import print_device
from vdf_bench.bench.frames import measure_frames
from vdf_bench.bench.kernels import trainers
from vdf_bench.bench.roofline import Peaks, Point
from vdf_bench.commands.cli import app
from vdf_bench.core.errors import UserError
from vdf_bench.core.interfaces import FitSetting
from vdf_bench.core.kernel import Kernel
from vdf_bench.stages.load import load_clip

CPU = Clock("cpu")
RATES = {"float32": 1e11, "bfloat16": 4e11}


@pytest.mark.parametrize("victim", trainers())
def test_bfloat16_keeps_to_float32_within_the_tolerance(victim, capture):
    """From the same weights on the same rays the loss, and from the same seed the clone."""
    gap = mixed.measure_gap(victim, capture, "cpu", steps=40)
    assert gap.holds
    # The Gaussians' products are never halved while they train; those of the radiance fields are, and show it.
    assert (gap.loss == 0 and gap.exact == gap.half) == (victim == "gaussian")
    assert not replace(gap, loss=1.1 * mixed.LOSS_TOLERANCE).holds
    assert not replace(gap, half=gap.exact - 1.1 * mixed.CLONE_TOLERANCE).holds
    assert not replace(gap, rendering=mixed.RENDERING_TOLERANCE - 1).holds


def test_precision_is_chosen_by_device_where_nobody_chooses(capture):
    from vdf_bench.bench.kernels import Training

    chosen = {None: False, "float32": False, "bfloat16": True}
    assert {name: Training("triplane", capture, "cpu", name).trainer.mixed for name in chosen} == chosen
    assert not Training("gaussian", capture, "cpu", "bfloat16").trainer.mixed  # whose roof is float32's everywhere


@pytest.mark.parametrize("victim", trainers())
def test_two_short_fits_under_the_settings_end_in_the_same_bytes(victim, capture):
    repeat = same_bytes.compare_fits(victim, capture, "cpu", steps=4)
    assert repeat.settled


def test_fits_that_differ_are_told_apart(capture, monkeypatch):
    class Restless:
        def fit(self, capture, setting):
            del capture, setting
            return self

        def state(self):
            return {"drawn": np.random.default_rng().random(3)}

    monkeypatch.setattr("vdf_bench.core.registry.create", lambda kind, name: Restless())
    repeat = same_bytes.compare_fits("restless", capture, "cpu", steps=1)
    assert not repeat.free and not repeat.settled


def test_the_cost_of_settings_names_what_they_do_not_settle():
    values = torch.zeros(4)
    settled = []

    def run():
        settled.append(torch.are_deterministic_algorithms_enabled())
        values.put_(torch.tensor([1]), torch.tensor([2.0]))

    cost = same_bytes.measure_cost(Kernel("put", run, 1.0), CPU, n=2)
    assert cost.unsettled == ("put_",)
    assert settled == [False, True, False, True, False, True]  # warm, looked at, then by turns
    assert cost.ratio == cost.settled / cost.free


def test_the_climb_ends_at_the_first_budget_that_passes(capture, monkeypatch):
    quality = {3: gate.GATE - 1, 4: gate.GATE, 5: gate.GATE + 1}
    monkeypatch.setattr(gate, "fit", lambda victim, capture, setting, clock: (setting.iterations, 0.5))
    monkeypatch.setattr(gate, "render_heldout", lambda head, capture, device: head)
    monkeypatch.setattr(gate, "head_psnr", lambda rendering, capture: quality[rendering])
    climbed = gate.climb("any", capture, CPU, budgets=(3, 4, 5))
    assert climbed.reached and [each.steps for each in climbed.tried] == [3, 4]
    assert not gate.climb("any", capture, CPU, budgets=(3,)).reached


def test_head_psnr_of_a_perfect_and_of_a_shifted_rendering(capture):
    head, seconds = gate.fit("triplane", capture, FitSetting(iterations=2), CPU)
    rendering = gate.render_heldout(head, capture)
    held = capture.frames[capture.split.heldout]
    assert seconds > 0 and rendering.rgb.shape == held.shape
    off = np.where(held < 128, held + 10, held - 10).astype(np.uint8)
    assert gate.head_psnr(replace(rendering, rgb=off), capture) == pytest.approx(20 * np.log10(255 / 10))


def test_frames_a_second_leave_the_first_frame_out():
    rate = measure_frames(load_clip("synth-a", 64, 3).frames, CPU)
    assert (rate.n, rate.size) == (2, 64)
    assert rate.first > rate.later > 0 and rate.fps == 1 / rate.later


@pytest.fixture
def small(monkeypatch, capture):
    """Few runs of everything, on a capture that is there already."""
    for name, value in {"LOOKS": 1, "STEPS": 1, "SPLATTINGS": 1, "COUNTED": 1, "WARM": 1, "SPLATS": 200}.items():
        monkeypatch.setattr(device, name, value)
    monkeypatch.setattr(device, "measure_peaks", lambda clock: Peaks(RATES, RATES, 4e10))
    monkeypatch.setattr(device._Work, "capture", capture)


def test_without_cuda_a_line_says_so(small):
    order = device.Order("cpu", size=64, skip=frozenset({"frames", "gate", "determinism", "precision"}))
    told = []
    figures = device.measure_device(order, told.append)
    assert told == ["roofline", "rasteriser"]
    assert figures.left_out["gsplat"] == "no CUDA device" and figures.left_out["gate"] == "not asked for"
    assert figures.splattings.keys() == {"cpu"} and figures.threads == 1
    names = [point.name for point in figures.points]
    assert len(names) == 8 and all(point.flops > 0 and point.share > 0 for point in figures.points)
    console = Console(width=160, file=StringIO())
    print_device(figures, console)
    text = console.file.getvalue()
    assert "left out: gsplat: no CUDA device" in text and all(name in text for name in names)
    assert json.loads(json.dumps(figures.to_json()))["points"][0]["share"] == figures.points[0].share


def test_what_cannot_run_is_left_out_and_the_rest_stands(small, monkeypatch):
    def refuse(victim, *_):
        raise UserError("needs gsplat") if victim == "gaussian" else RuntimeError("no memory\nat all")

    monkeypatch.setattr(device, "training_step", refuse)
    skip = frozenset(device.SECTIONS) - {"roofline"}
    figures = device.measure_device(device.Order("cpu", size=64, skip=skip))
    assert figures.left_out["roofline of gaussian"] == "needs gsplat"
    assert figures.left_out["roofline of triplane"] == "RuntimeError: no memory"
    assert len(figures.points) == 5


def test_the_command(monkeypatch, tmp_path):
    made = device.Figures("a machine", "CPU time", {"torch": "2"}, 1, device.Order("cpu"))
    made.peaks = Peaks(RATES, RATES, 4e10)
    made.points = [Point("look", "float32", 1e9, 1e7, 0.1, 1e11, 3)]
    orders = []
    monkeypatch.setattr(device, "measure_device", lambda order, tell: orders.append(order) or made)
    files = [tmp_path / "new" / name for name in ("figures.json", "roofline.svg")]
    words = [
        "--device",
        "cpu",
        "--size",
        "96",
        "--skip",
        "gate,frames",
        "--out",
        str(files[0]),
        "--plot",
        str(files[1]),
    ]
    result = CliRunner().invoke(app, ["bench", "device", *words])
    assert result.exit_code == 0 and "a machine" in result.output and "10%" in result.output
    assert orders[0] == device.Order("cpu", 96, skip=frozenset({"gate", "frames"}))
    assert json.loads(files[0].read_text())["points"][0]["achieved"] == 1e10
    assert "<svg" in files[1].read_text()


def test_the_plot_is_made_without_any_kernel(tmp_path):
    plot_roofline(Peaks(RATES, RATES, 4e10), [], "a machine", tmp_path / "roofline.png")
    assert (tmp_path / "roofline.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--out", "kept"], "--out kept is a folder"),
        (["--out", "taken/figures.json"], "taken is a file"),
        pytest.param(
            ["--out", "/proc/figures.json"],
            "is not writable",
            marks=pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at /proc"),
        ),
        (["--out", "taken", "--plot", "kept/below.gif"], "ends in .png or .svg"),
        (["--plot", "kept.png"], "--plot kept.png is a folder"),
        (["--plot", "roofline.svg", "--skip", "roofline"], "--plot needs the roofline"),
        (["--out", "a.png", "--plot", "a.png"], "is also the file of --out"),
    ],
)
def test_files_are_looked_at_before_minutes_are_spent(monkeypatch, tmp_path, words, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept.png").mkdir()
    (tmp_path / "taken").write_text("precious")
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(device, "measure_device", lambda order, tell: pytest.fail("measured"))
    result = CliRunner().invoke(app, ["bench", "device", "--device", "cpu", *words])
    assert isinstance(result.exception, UserError) and said in str(result.exception)
    assert sorted(tmp_path.rglob("*")) == before and (tmp_path / "taken").read_text() == "precious"


def test_a_roofline_that_could_not_be_measured_is_told(monkeypatch, tmp_path):
    made = device.Figures("a machine", "CPU time", {"torch": "2"}, 1, device.Order("cpu"))
    made.left_out["roofline"] = "RuntimeError: no memory"
    monkeypatch.setattr(device, "measure_device", lambda order, tell: made)
    result = CliRunner().invoke(app, ["bench", "device", "--device", "cpu", "--plot", str(tmp_path / "a.svg")])
    assert result.exit_code == 0 and "no plot: RuntimeError: no memory" in result.output


def test_names_of_kernels_are_whole_in_a_narrow_terminal():
    made = device.Figures("a machine", "CPU time", {"torch": "2"}, 1, device.Order("cpu"))
    made.peaks = Peaks(RATES, RATES, 4e10)
    names = ["parser, both ways, 512 px", "triplane, step, 128 px"]
    made.points = [Point(name, "bfloat16", 8.577e9, 27.26e6, 0.05046, 1.7e11, 25) for name in names]
    told = {}
    for width in (80, 120):
        console = Console(width=width, file=StringIO())
        print_device(made, console)
        told[width] = " ".join(console.file.getvalue().split())
        assert all(name in told[width] for name in names) and "100%" in told[width]
    assert "columns left out for lack of width: GFLOP, MB (minimum); use --out to write all of them" in told[80]
    assert "lack of width" not in told[120] and "27.26" in told[120]
