"""Fidelity, cost, and the definitions that all rows must agree with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vdf_bench.core.clip import split_frames
from vdf_bench.core.interfaces import Evidence
from vdf_bench.judges import judge_all
from vdf_bench.judges.cost import Cost
from vdf_bench.judges.declared import declared_metrics
from vdf_bench.judges.fidelity import Fidelity, flicker


@pytest.fixture(autouse=True)
def no_user_weights(monkeypatch, tmp_path):
    monkeypatch.setenv("VDF_BENCH_WEIGHTS", str(tmp_path))


def fidelity(clip, protected):
    evidence = Evidence(clip, split_frames(len(clip)), protected)
    return {row.metric: row for row in judge_all(evidence, [Fidelity()], "protect")}


def test_known_perturbation(kit):
    clip, _ = kit["scene"](8)
    protected = np.clip(clip.frames.astype(int) + 4, 0, 255).astype(np.uint8)
    rows = fidelity(clip, protected)
    assert rows["psnr"].value == pytest.approx(20 * np.log10(255 / 4), abs=1e-4)
    assert rows["linf"].value == 4
    assert rows["flicker"].value == 0
    assert rows["psnr"].n == 8
    assert rows["ssim"].value > 0.98


def test_identical_frames(kit):
    clip, _ = kit["scene"](6)
    values = {name: row.value for name, row in fidelity(clip, clip.frames).items()}
    assert values == pytest.approx(
        {"psnr": 100, "ssim": 1, "ms_ssim": 1, "flicker": 0, "linf": 0, "bitrate_ratio": 1}, abs=1e-5
    )


def test_noise_costs_bits_and_flickers(kit):
    clip, _ = kit["scene"](6)
    noise = np.random.default_rng(0).choice([-8, 8], clip.frames.shape)
    protected = np.clip(clip.frames + noise, 0, 255).astype(np.uint8)
    values = {name: row.value for name, row in fidelity(clip, protected).items()}
    assert values["flicker"] == pytest.approx(8 * np.sqrt(2), rel=0.05)
    loud = np.clip(clip.frames + 5 * noise, 0, 255).astype(np.uint8)
    assert fidelity(clip, loud)["bitrate_ratio"].value > 1.5


def test_one_frame(kit):
    clip, _ = kit["scene"](64)
    clip = clip.with_frames(clip.frames[:1])
    rows = fidelity(clip, 255 - clip.frames)
    assert rows["flicker"].value == 0
    assert rows["flicker"].n == 0
    assert all(np.isfinite(row.value) for row in rows.values())


def test_flicker_by_brute_force():
    rng = np.random.default_rng(0)
    clean, protected = rng.integers(0, 256, (2, 5, 4, 6, 3)).astype(np.uint8)
    change = np.diff(protected.astype(float) - clean, axis=0)
    assert flicker(protected, clean) == pytest.approx(np.sqrt((change**2).mean()), rel=1e-6)


def test_missing_backbones_are_named():
    assert "lpips_squeeze" in Fidelity().missing()
    assert "vdf-bench weights fetch squeezenet" in Fidelity().missing()


def test_cost(evidence):
    seconds = {"protect": 36.0, "purify": 1, "capture": 2, "fit": 3, "drive": 4, "judge": 99}
    cell = replace(evidence, seconds=seconds, peak_mib={"fit": 700, "protect": 900}, log={"iterations": [4, 2]})
    values = {row.metric: row.value for row in judge_all(cell, [Cost()], "clone")}
    assert values == {
        "seconds_per_frame": 0.5, "iterations_per_frame": 3, "peak_mib": 900, "attacker_seconds": 10
    }  # fmt: skip
    assert judge_all(evidence, [Cost()], "clone") == []


def test_rows_agree_with_the_definitions():
    row = Fidelity().measurement("psnr", 31.5, 9)
    assert (row.stage, row.unit, row.better, row.value, row.n) == ("protect", "dB", "up", 31.5, 9)
    capped = Fidelity().measurement("ssim", 1 + 1e-7, 1).value
    assert capped == 1
    assert isinstance(capped, float)
    for sick in (float("nan"), float("inf"), -3.0, 101.0):
        with pytest.raises(ValueError, match="psnr"):
            Fidelity().measurement("psnr", sick, 1)
    for name, metric in declared_metrics().items():
        assert metric.name == name
        assert metric.stage in ("protect", "capture", "field", "clone", "edit", "cost")
        assert metric.better in ("up", "down")
        assert metric.aggregation
        assert metric.definition
        assert "\n" not in metric.definition
        assert metric.lower < metric.upper
