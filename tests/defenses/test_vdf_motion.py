import pytest
import torch

from vdf_bench.defenses.vdf.motion import estimate_flow, warp
from vdf_bench.defenses.vdf.perturbation import Variables


def textured(size, seed=0):
    coarse = torch.rand(1, 3, size // 4, size // 4, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, (size, size), mode="bilinear", align_corners=False)[0]


@pytest.mark.parametrize(("size", "shift"), [(64, (1, -2)), (64, (0, 0)), (128, (3, 2)), (256, (-6, 9))])
def test_finds_a_translation(size, shift):
    before = textured(size)
    after = torch.roll(before, shift, (1, 2))
    flow = estimate_flow(before, after)
    inner = flow[:, 16:-16, 16:-16]
    assert torch.allclose(inner.median(1).values.median(1).values, torch.tensor(shift, dtype=torch.float32), atol=0.1)


def test_a_moving_part_on_a_still_ground():
    before = textured(96)
    after = before.clone()
    after[:, 26:74, 24:72] = before[:, 24:72, 24:72]
    flow = estimate_flow(before, after)
    assert flow[0, 40:60, 40:60].mean() == pytest.approx(2, abs=0.3)
    assert flow[:, :12].abs().max() < 0.5


def test_still_and_flat_pictures_do_not_move():
    picture = textured(64)
    assert estimate_flow(picture, picture).abs().max() == 0
    assert estimate_flow(torch.zeros(3, 40, 40), torch.ones(3, 40, 40)).abs().max() == 0


def test_warp_moves_down_and_right():
    maps = torch.zeros(1, 16, 16)
    maps[0, 5, 7] = 1
    moved = warp(maps, torch.stack([torch.full((16, 16), 2.0), torch.full((16, 16), -3.0)]))
    assert moved[0, 7, 4] == pytest.approx(1, abs=1e-4)
    assert moved.sum() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("channels", [2, 3, 5])
def test_pixels_and_mask_move_and_the_spectrum_stays(channels):
    noise = torch.rand(channels, 16, 16)
    mask = torch.rand(16, 16)
    down = torch.stack([torch.ones(16, 16), torch.zeros(16, 16)])
    moved = Variables(noise, mask).moved(down)
    spectral = {2: 2, 3: 0, 5: 2}[channels]
    assert torch.equal(moved.noise[:spectral], noise[:spectral])
    assert torch.allclose(moved.noise[spectral:, 1:], noise[spectral:, :-1], atol=1e-5)
    assert torch.allclose(moved.mask[1:], mask[:-1], atol=1e-5)
