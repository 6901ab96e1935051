"""Whatever weights are there decide which columns there are, and nothing else. Weights here are random stand-ins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from vdf_bench.assets.third_party import path_of
from vdf_bench.core import registry
from vdf_bench.judges import judge_all
from vdf_bench.models.perceptual import load_lpips, lpips_distances
from vdf_bench.models.syncnet import SyncNet
from vdf_bench.plan import Request, build_plan
from vdf_bench.plan.presets import preset
from vdf_bench.results import read_results


def backbone(net):
    """Random weights of a backbone in torchvision's format, and LPIPS over them as the package makes it."""
    import lpips

    torch.manual_seed(0)
    model = lpips.LPIPS(net=net, pnet_rand=True, verbose=False).eval()
    return {"features." + key.split(".", 1)[1]: value for key, value in model.net.state_dict().items()}, model


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("VDF_BENCH_WEIGHTS", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("net", ["alex", "squeeze"])
def test_lpips_is_that_of_the_package(net, tmp_path):
    """Not square, one frame, and constants; the heads are the package's own, the backbone comes from the file."""
    state, reference = backbone(net)
    path = tmp_path / "backbone.pth"
    torch.save({**state, "classifier.1.weight": torch.zeros(2)}, path)  # torchvision's file holds the whole network
    rng = np.random.default_rng(0)
    noisy = rng.integers(0, 256, (1, 48, 80, 3)).astype(np.uint8)
    flat = np.full_like(noisy, 90)
    for one, two in ((noisy, flat), (noisy, noisy), (flat, flat + 100)):
        x, y = (torch.from_numpy(picture).permute(0, 3, 1, 2).float() / 127.5 - 1 for picture in (one, two))
        with torch.no_grad():
            expected = reference(x, y).item()
        (found,) = lpips_distances(net, one, two, path)
        assert np.isfinite(found)
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-7)
    assert not load_lpips(net, path).training


def test_removing_weights_removes_columns_and_changes_no_value(evidence, landmarker, folder, monkeypatch):
    torch.manual_seed(0)
    torch.save(backbone("squeeze")[0], path_of("squeezenet"))
    torch.save(SyncNet().state_dict(), path_of("syncnet"))
    monkeypatch.setattr("vdf_bench.judges.distribution.MIN_FRAMES", 8)
    monkeypatch.setattr("vdf_bench.judges.distribution.load_inception", lambda path: None)
    monkeypatch.setattr(
        "vdf_bench.judges.distribution.features", lambda _, frames: frames.reshape(len(frames), -1)[:, :9] / 255.0
    )
    path_of("inception").write_bytes(b"")
    sound = np.random.default_rng(0).normal(0, 0.1, 16_000 * len(evidence.clip) // 25).astype(np.float32)
    short = replace(evidence, clip=replace(evidence.clip, audio=sound))
    judges = [registry.create("judges", name) for name in registry.names("judges")]

    def measured(stage):
        return {row.metric: (row.value, row.n) for row in judge_all(short, judges, stage)}

    every = {**measured("protect"), **measured("clone")}
    gone = {"squeezenet": {"lpips_squeeze"}, "syncnet": {"sync_c", "sync_d"}, "inception": {"fid", "fid_to_clean"}}
    assert set().union(*gone.values()) <= set(every)
    for name, columns in gone.items():
        path_of(name).unlink()
        every = {metric: value for metric, value in every.items() if metric not in columns}
        stage = "protect" if name == "squeezenet" else "clone"
        left = measured(stage)
        assert left == {metric: every[metric] for metric in left}
        assert not columns & set(left)


def test_the_plan_says_what_is_left_out_and_how_to_get_it(folder):
    request = Request(preset=preset("quick").resized(32, 16), victims=(), defenses=("none",), controls=())
    left = {item["name"]: item["why"] for item in build_plan(request).left_out if item["kind"] == "judge"}
    assert "`vdf-bench weights fetch alexnet`" in left["fidelity"]
    assert "`vdf-bench weights fetch syncnet`" in left["sync"]
    assert "`vdf-bench weights fetch inception`" in left["distribution"]


def test_a_run_ends_well_with_and_without(folder, tmp_path):
    """One weights file more: one column more, told when it is away; no other value differs, and nothing is stale."""
    command = ["run", "--defense", "noise", "--victim", "triplane", "--iterations", "2"]
    command += ["--clip", "synth-a", "--size", "32", "--frames", "16"]

    def table(out):
        words = [
            sys.executable,
            "-m",
            "vdf_bench.commands.cli",
            *command,
            "--out",
            str(out),
            "--store",
            str(tmp_path / "store"),
        ]
        done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "COLUMNS": "100"})
        assert done.returncode == 0, done.stderr
        rows = read_results(out)
        rows = rows[rows["stage"] != "cost"].set_index(["stage", "metric", "defense", "linf"])["value"]
        record = json.loads((out / "run.json").read_text())
        return rows, " ".join(item["why"] for item in record["left_out"]), record

    torch.save(backbone("squeeze")[0], path_of("squeezenet"))
    with_it, left, record = table(tmp_path / "with")
    assert "lpips_squeeze" not in left
    assert record["recognisers"]["synth-a"]["name"] == "id-synth"
    path_of("squeezenet").unlink()
    without, left, _ = table(tmp_path / "without")
    assert "lpips_squeeze" in left and "weights fetch squeezenet" in left
    extra = with_it.index.difference(without.index)
    assert set(extra.get_level_values("metric")) == {"lpips_squeeze"}
    assert with_it.loc[without.index].equals(without)
