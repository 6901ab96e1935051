import io

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from vdf_bench.defenses.common.jpeg import CHROMINANCE, LUMINANCE, jpeg, quantisation_table, soft_round

FACE = np.ascontiguousarray(data.astronaut()[:128, 150:278])


def tensor(picture):
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255


def through_libjpeg(picture, quality):
    store = io.BytesIO()
    Image.fromarray(picture).save(store, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(store))


def psnr(first, second):
    return float(-10 * torch.log10((first - second).square().mean()))


@pytest.mark.parametrize("quality", [50, 60, 75, 90, 95])
def test_as_libjpeg_does_it(quality):
    theirs = tensor(through_libjpeg(FACE, quality))
    ours = jpeg(tensor(FACE), quality)
    assert psnr(ours, theirs) > 40
    # Nearer to what libjpeg makes of the picture than to the picture.
    assert psnr(ours, theirs) > psnr(tensor(FACE), theirs) + 5


def test_edges_that_are_no_multiple_of_a_coded_unit():
    odd = np.ascontiguousarray(FACE[:51, :70])
    ours = jpeg(tensor(odd), 60)
    assert ours.shape == (3, 51, 70)
    assert psnr(ours, tensor(through_libjpeg(odd, 60))) > 40


@pytest.mark.parametrize("quality", [1, 30, 50, 75, 100])
def test_tables_are_those_that_libjpeg_writes(quality):
    store = io.BytesIO()
    Image.fromarray(FACE).save(store, "JPEG", quality=quality, subsampling="4:2:0")
    written = Image.open(store).quantization
    for index, base in enumerate((LUMINANCE, CHROMINANCE)):
        assert quantisation_table(base, quality).flatten().tolist() == written[index]


def test_gradient_is_that_of_the_function():
    picture = tensor(FACE[40:72, 40:72]).double()
    direction = torch.randn(picture.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weight = torch.randn(picture.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    leaf = picture.clone().requires_grad_()
    (weight * jpeg(leaf, 75)).sum().backward()
    # So small a step that hardly a coefficient changes its nearest integer.
    step = 1e-7
    ahead, behind = ((weight * jpeg(picture + s * direction, 75)).sum() for s in (step, -step))
    assert float((leaf.grad * direction).sum()) == pytest.approx(float(ahead - behind) / (2 * step), rel=1e-3)


def test_gradient_is_finite_everywhere():
    for picture in (torch.zeros(3, 32, 32), torch.ones(3, 32, 32), torch.rand(3, 32, 32)):
        leaf = picture.requires_grad_()
        jpeg(leaf, 50).square().sum().backward()
        assert leaf.grad.isfinite().all()


def test_soft_rounding_is_near_rounding_and_exact_at_integers():
    x = torch.linspace(-3.45, 3.45, 101, dtype=torch.float64, requires_grad=True)
    rounded = soft_round(x)
    assert (rounded - x.round()).abs().max() <= 1 / 8
    assert torch.equal(soft_round(torch.arange(-2.0, 3.0)), torch.arange(-2.0, 3.0))
    rounded.sum().backward()
    assert torch.allclose(x.grad, 3 * (x - x.round()).detach() ** 2)
