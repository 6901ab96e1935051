"""GRASP-style projection: its algebra, its visual losses, and what it does to frames."""

import numpy as np
import pytest
import scipy.fft
import torch
from skimage.metrics import structural_similarity

from vdf_bench.defenses.common.visual import gaussian_blur, low_band, ssim, ssim_map
from vdf_bench.defenses.grasp import Grasp, GraspParameters
from vdf_bench.defenses.grasp.direction import project


def run(frames, setting, **parameters):
    defense = Grasp(GraspParameters(**parameters))
    return list(defense.protect(iter(frames), setting)), defense.log()


def test_cross_projection_leaves_no_pair_opposed():
    defense, visual = torch.tensor([1.0, 0.2]), torch.tensor([-1.0, 0.5])
    (one, two), conflicts = project([defense, visual], "cross")
    assert conflicts == 1
    assert float(one @ visual) == pytest.approx(0, abs=1e-6)
    assert float(two @ defense) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("rule", "whole", "bent"), [("defense-first", 0, 1), ("visual-first", 1, 0)])
def test_one_way_projection_keeps_one_gradient_whole(rule, whole, bent):
    gradients = [torch.tensor([1.0, 0.2]), torch.tensor([-1.0, 0.5])]
    projected, _ = project(gradients, rule)
    assert torch.equal(projected[whole], gradients[whole])
    assert float(projected[bent] @ gradients[whole]) == pytest.approx(0, abs=1e-6)


def test_gradients_that_agree_or_shall_not_be_projected_stay():
    agreeing = [torch.tensor([1.0, 0.0]), torch.tensor([1.0, 1.0])]
    projected, conflicts = project(agreeing, "cross")
    assert conflicts == 0
    assert all(map(torch.equal, projected, agreeing))
    opposed = [torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 1.0])]
    projected, conflicts = project(opposed, "none")
    assert conflicts == 1
    assert all(map(torch.equal, projected, opposed))


def test_ssim_is_scikit_images_away_from_the_border(frames):
    noisy = (frames[0] + 0.05 * torch.randn(3, 32, 32, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    expected = structural_similarity(
        frames[0].numpy(), noisy.numpy(), channel_axis=0, data_range=1,
        gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    )  # fmt: skip
    assert float(ssim_map(frames[0], noisy)[:, 5:-5, 5:-5].mean()) == pytest.approx(expected, abs=1e-4)
    assert float(ssim(frames[0], frames[0])) == pytest.approx(1)


def test_low_bands_against_their_definitions(frames):
    picture = frames[0].double()
    blocks = picture.numpy().reshape(3, 4, 8, 4, 8).transpose(0, 1, 3, 2, 4)
    expected = scipy.fft.dctn(blocks, axes=(3, 4), norm="ortho")[..., :2, :2]
    np.testing.assert_allclose(low_band(picture, "dct").numpy(), expected, atol=1e-9)
    haar = low_band(picture, "haar")
    detail = sum(float((picture[:, i::2, j::2] - haar / 2).square().sum()) for i in (0, 1) for j in (0, 1))
    assert float(haar.square().sum()) + detail == pytest.approx(float(picture.square().sum()))
    assert torch.allclose(low_band(torch.full_like(picture, 0.3), "blur"), torch.full_like(picture, 0.3))


def test_blur_keeps_the_mean_and_zero_changes_nothing(frames):
    assert gaussian_blur(frames[0], 0) is frames[0]
    blurred = gaussian_blur(frames[0], 1.0)
    assert blurred.var() < frames[0].var()
    assert float(blurred.mean()) == pytest.approx(float(frames[0].mean()), abs=2e-3)


@pytest.mark.parametrize("rule", ["cross", "defense-first", "visual-first", "none"])
def test_hides_the_face_and_traces_conflicts(frames, setting, rule):
    _, log = run(frames[:3], setting, projection=rule)
    # A defense that always gives way to what is seen stops short of its aim.
    assert log["success"] == [0.0 if rule == "visual-first" else 1.0] * 3
    assert all(0 <= rate <= 1 for rate in log["conflict_rate"])
    assert max(log["conflict_rate"]) > 0


def test_visual_losses_buy_fidelity(frames, setting):
    def error(**parameters):
        out, log = run(frames[:3], setting, **parameters)
        assert log["success"] == [1.0] * 3
        return sum(float((a - b).square().mean()) for a, b in zip(out, frames[:3], strict=True))

    assert error(smoothing=0) < error(ssim_weight=0, low_frequency_weight=0, smoothing=0)
