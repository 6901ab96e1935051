"""FID against pytorch-fid: its distance, and its network on random weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from pytorch_fid.fid_score import calculate_frechet_distance

from vdf_bench.core.errors import UserError
from vdf_bench.judges import distribution, judge_all
from vdf_bench.judges.distribution import Distribution, features, frechet_distance, load_inception


def theirs(x, y):
    return calculate_frechet_distance(x.mean(0), np.cov(x, rowvar=False), y.mean(0), np.cov(y, rowvar=False))


@pytest.mark.parametrize(("n", "m", "width"), [(80, 80, 6), (50, 90, 12), (200, 30, 3)])
def test_distance_is_that_of_pytorch_fid(n, m, width):
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(n, width)), rng.normal(0.5, 2, (m, width)) @ rng.normal(size=(width, width))
    assert frechet_distance(x, y) == pytest.approx(theirs(x, y), rel=1e-6)


def test_distance_where_covariances_are_singular():
    """Fewer frames than features: pytorch-fid's matrix root is only approximate there."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 40)), rng.normal(1, 1, (12, 40))
    assert frechet_distance(x, y) == pytest.approx(theirs(x, y), rel=1e-3)


def test_degenerate_features():
    rng = np.random.default_rng(0)
    x, constant = rng.normal(size=(9, 5)), np.ones((9, 5))
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(constant, constant) == 0
    assert frechet_distance(x[:1], x[:1] + 2) == pytest.approx(5 * 4)  # one frame has a place and no spread
    assert frechet_distance(x, constant) == pytest.approx(np.square(x.mean(0) - 1).sum() + x.var(0, ddof=1).sum())


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """pytorch-fid's own network with random weights, and these as a file."""
    from unittest.mock import patch

    from pytorch_fid import inception

    with (
        patch.object(inception, "load_state_dict_from_url", lambda *_, **__: None),
        patch("torch.nn.Module.load_state_dict", lambda *_, **__: None),
    ):
        torch.manual_seed(0)
        bare = inception.fid_inception_v3()
        network = inception.InceptionV3()
    state = {
        key: torch.randn_like(value) / value[0].numel() ** 0.5 if value.ndim == 4 else value
        for key, value in bare.state_dict().items()
    }
    path = tmp_path_factory.mktemp("inception") / "pt_inception-2015-12-05-6726825d.pth"
    torch.save(state, path)
    with patch.object(inception, "load_state_dict_from_url", lambda *_, **__: state):
        network = inception.InceptionV3()
    return path, network.eval()


def test_features_are_those_of_pytorch_fid(weights):
    path, reference = weights
    frames = np.random.default_rng(0).integers(0, 256, (1, 60, 90, 3)).astype(np.uint8)
    frames = np.concatenate([frames, np.full_like(frames, 77)])
    with torch.no_grad():
        x = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255
        expected = reference(x)[0].flatten(1).numpy()
    found = features(load_inception(path), frames)
    assert found.shape == (2, 2048)
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-4 * float(expected.max()))
    assert expected.std() > 0


def test_another_network_is_refused(tmp_path):
    path = tmp_path / "other.pth"
    torch.save({"weight": torch.zeros(3)}, path)
    with pytest.raises(UserError, match="not pytorch-fid's Inception"):
        load_inception(path)


def test_columns_come_and_go_with_the_weights(evidence, tmp_path, monkeypatch):
    monkeypatch.setenv("VDF_BENCH_WEIGHTS", str(tmp_path))
    assert judge_all(evidence, [Distribution()], "clone") == []
    assert "vdf-bench weights fetch inception" in Distribution().missing()
    (tmp_path / "pt_inception-2015-12-05-6726825d.pth").write_bytes(b"")
    monkeypatch.setattr(distribution, "load_inception", lambda path: None)
    monkeypatch.setattr(distribution, "features", lambda _, frames: frames.reshape(len(frames), -1)[:, :50] / 255.0)
    assert judge_all(evidence, [Distribution()], "clone") == []  # fewer frames than 48 say nothing
    monkeypatch.setattr(distribution, "MIN_FRAMES", 8)
    rows = {row.metric: row for row in judge_all(evidence, [Distribution()], "clone")}
    assert rows["fid"].value == rows["fid_to_clean"].value == 0
    assert rows["fid"].n == len(evidence.split.heldout)
    rng = np.random.default_rng(0)
    shown = rng.integers(0, 256, evidence.rendering.rgb.shape).astype(np.uint8)
    broken = replace(evidence, rendering=replace(evidence.rendering, rgb=shown))
    assert {row.metric: row.value for row in judge_all(broken, [Distribution()], "clone")}["fid"] > 1
