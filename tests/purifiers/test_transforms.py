"""Transforms of single frames do what they are called."""

from __future__ import annotations

import pytest
import torch

from .conftest import psnr, purified


def test_jpeg_loses_what_jpeg_loses(frames):
    quality = {q: psnr(purified(f"jpeg:{q}", frames[:3]), frames[:3]) for q in (95, 75, 30)}
    assert quality[95] > quality[75] > quality[30]
    assert 26 < quality[75] < 42
    grey = psnr(purified("jpeg:75", frames[:3]).mean(1), frames[:3].mean(1))
    assert grey > quality[75], "4:2:0 costs colour more than brightness"


@pytest.mark.parametrize("kernel", ["lanczos", "bicubic", "bilinear", "area"])
def test_resize_is_a_low_pass(frames, kernel):
    out = purified(f"resize:0.5,kernel={kernel}", frames[:2])
    before, after = (torch.fft.rfft2(v).abs()[..., 20:33, 20:].mean() for v in (frames[:2], out))
    assert after < 0.7 * before
    flat = torch.full((1, 3, 64, 64), 100 / 255)
    assert torch.equal(purified(f"resize:kernel={kernel}", flat), flat)


def test_cropping_enlarges_the_middle():
    """The share goes at both sides in equal parts: a mark's distance from the middle grows by 1 / (1 - share)."""
    y, x = torch.meshgrid(torch.arange(100.0), torch.arange(100.0), indexing="ij")
    blob = torch.exp(-((x - 69.5) ** 2 + (y - 34.5) ** 2) / 30).expand(1, 3, 100, 100)
    out = purified("crop-resize:0.2", blob)[0, 0]
    middle = [float((axis * out).sum() / out.sum()) for axis in (x, y)]
    assert middle == pytest.approx([49.5 + 20 / 0.8, 49.5 - 15 / 0.8], abs=0.1)


def test_gamma_bends_the_curve_and_keeps_its_ends():
    ramp = torch.linspace(0, 1, 64).expand(1, 3, 64, 64)
    darker = purified("gamma:2", ramp)
    assert torch.allclose(darker, ramp**2)
    assert psnr(purified("gamma:2+gamma:0.5", ramp), ramp) > 80


def test_bit_depth_leaves_so_many_levels():
    ramp = (torch.arange(256) / 255).expand(1, 3, 64, 256)
    for bits in (1, 4, 5):
        out = purified(f"bit-depth:{bits}", ramp)
        assert len(out.unique()) == 2**bits
        assert (out - ramp).abs().max() <= 0.5 / (2**bits - 1) + 1e-6
    assert torch.equal(purified("bit-depth:4+bit-depth:4", ramp), purified("bit-depth:4", ramp))
