"""The compiled rasteriser against a dense reference in double precision, the CUDA back end against the compiled one."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from vdf_bench.core import registry
from vdf_bench.core.errors import UserError
from vdf_bench.core.interfaces import FitSetting
from vdf_bench.victims.gaussian import rasterise_gsplat
from vdf_bench.victims.gaussian.rasterise import composite

#: Not a multiple of a tile's edge.
SIZE = 24
ALPHA_MIN, ALPHA_MAX, TRANSMITTANCE_MIN = 1 / 255, 0.99, 1e-4


def composite_dense(mean, conic, opacity, feature, depth, size):
    """``composite`` as dense torch operations on N x S x S weights, in the precision of its inputs."""
    order = depth.detach().argsort(stable=True)
    mean, conic, opacity, feature = mean[order], conic[order], opacity[order], feature[order]
    centre = torch.arange(size, dtype=mean.dtype) + 0.5
    dx = (centre[None, :] - mean[:, :1])[:, None, :]
    dy = (centre[None, :] - mean[:, 1:])[:, :, None]
    a, b, c = (conic[:, k, None, None] for k in range(3))
    alpha = opacity[:, None, None] * torch.exp(-(0.5 * (a * dx**2 + c * dy**2) + b * dx * dy))
    alpha = torch.where(alpha >= ALPHA_MIN, alpha.clamp(max=ALPHA_MAX), torch.zeros_like(alpha))
    through = torch.cumprod(torch.cat([torch.ones_like(alpha[:1]), 1 - alpha]), 0)[:-1]
    alpha = alpha * (through >= TRANSMITTANCE_MIN)
    through = torch.cumprod(torch.cat([torch.ones_like(alpha[:1]), 1 - alpha]), 0)
    image = torch.einsum("nvu,nk->vuk", alpha * through[:-1], feature)
    return image, through[-1]


def splats(seed=0, count=60, strongest=0.9):
    """Centre, conic, opacity, feature and depth of random Gaussians; some centres lie outside the frame."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(*shape):
        return torch.rand(shape, generator=generator)

    factor = uniform(count, 2, 2) * 4 - 2
    inverse = torch.linalg.inv(factor @ factor.transpose(1, 2) + 0.3 * torch.eye(2))
    conic = torch.stack([inverse[:, 0, 0], inverse[:, 0, 1], inverse[:, 1, 1]], 1)
    mean = uniform(count, 2) * (SIZE + 8) - 4
    return mean, conic, uniform(count) * strongest, uniform(count, 4), uniform(count)


def alike(*means, conic=(0.02, 0.0, 0.02), opacity=0.9):
    """Gaussians of one shape, one behind the other."""
    count = len(means)
    features = torch.arange(4.0 * count).view(count, 4)
    conics, opacities = torch.tensor([conic]).repeat(count, 1), torch.full((count,), opacity)
    return torch.tensor(means), conics, opacities, features, torch.arange(float(count))


EDGE_CASES = {
    "none visible": alike((12.0, 12.0), (5.0, 3.0), opacity=0.003),
    "off screen": alike((-40.0, 12.0), (12.0, 70.0), (1e9, -1e9), (60.0, 60.0)),
    "half off screen": alike((0.0, 12.0), (25.0, 25.5), (12.0, -3.0)),
    "one huge": alike((7.0, 9.0), conic=(1e-5, 2e-6, 2e-5), opacity=0.7),
    "needles": alike((7.0, 9.0), (12.5, 12.5), conic=(6.0, 5.9, 6.0)),
    "opaque stack": alike(*[(12.0, 12.0)] * 20, opacity=0.97),
    "clamped": alike((12.0, 12.0), (7.0, 20.0), opacity=0.999),
    "within one pixel": alike((3.4, 3.6), (3.5, 3.5), conic=(12.0, 0.0, 12.0)),
}


def check_gradients(splats, size):
    """Pictures agree with the reference's, and so does every column of every gradient (relative error 1e-3)."""
    *inputs, depth = splats
    weights = torch.randn(size, size, 5, generator=torch.Generator().manual_seed(9))
    pictures, gradients = [], []
    for function, kind in ((composite, torch.float32), (composite_dense, torch.float64)):
        leaves = [tensor.to(kind, copy=True).requires_grad_() for tensor in inputs]
        image, through = function(*leaves, depth, size)
        picture = torch.cat([image, through[..., None]], 2)
        (picture * weights).sum().backward()
        pictures.append(picture.detach().double())
        gradients.append(torch.cat([leaf.grad.double().view(len(depth), -1) for leaf in leaves], 1))
    scale = max(1.0, float(pictures[1].abs().max()))
    torch.testing.assert_close(*pictures, atol=3e-5 * scale, rtol=0)
    ours, reference = gradients
    assert torch.isfinite(ours).all()
    assert ((ours - reference).norm(dim=0) <= 1e-3 * reference.norm(dim=0) + 1e-9).all()
    return ours


@pytest.mark.parametrize(("seed", "strongest"), [(0, 0.5), (1, 0.9), (2, 1.0), (3, 0.1)])
def test_random_splats(seed, strongest):
    assert (check_gradients(splats(seed, strongest=strongest), SIZE).norm(dim=0) > 0).all()


@pytest.mark.parametrize("name", EDGE_CASES)
def test_edge_cases(name):
    gradients = check_gradients(EDGE_CASES[name], SIZE)
    assert bool(gradients.any()) == (name not in ("none visible", "off screen"))


@pytest.mark.parametrize("size", [1, 16, 33])
def test_frames_of_any_size(size):
    check_gradients(splats(4), size)


@pytest.fixture(scope="module")
def fitted(capture):
    """The splats of a head after a short training."""
    seen = {}

    def spy(*splats_and_size):
        seen["last"] = [item.detach().clone() for item in splats_and_size[:5]]
        return composite(*splats_and_size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vdf_bench.victims.gaussian.splats.composite", spy)
        registry.create("victims", "gaussian", {"count": "600"}).fit(capture, FitSetting(iterations=40))
    return seen["last"]


def test_splats_of_a_fitted_head(fitted, capture):
    check_gradients(fitted, capture.size)


def test_a_crowded_pixel_is_finished_early():
    *inputs, depth = EDGE_CASES["opaque stack"]
    leaves = [tensor.clone().requires_grad_() for tensor in inputs]
    image, through = composite(*leaves, depth, SIZE)
    image[SIZE // 2, SIZE // 2].sum().backward()
    assert leaves[3].grad[:2].abs().sum() > 0
    assert leaves[3].grad[4:].abs().sum() == 0
    assert 0 < through[SIZE // 2, SIZE // 2] < 1e-4


def test_nothing_to_draw():
    image, through = composite(*EDGE_CASES["none visible"], SIZE)
    np.testing.assert_array_equal(image.numpy(), 0)
    np.testing.assert_array_equal(through.numpy(), 1)


@pytest.mark.parametrize("which", range(4))
def test_nan_is_passed_on(which):
    inputs = [tensor.clone() for tensor in splats()]
    inputs[which][3] = float("nan")
    leaves = [tensor.requires_grad_() for tensor in inputs[:4]]
    image, through = composite(*leaves, inputs[4], SIZE)
    (image.sum() + through.sum()).backward()
    assert image.isnan().all()
    assert all(leaf.grad.isnan().all() for leaf in leaves)


def test_equal_depths_are_ordered_by_index():
    mean, conic, opacity, feature, depth = splats(5)
    image, _ = composite(mean, conic, opacity, feature, torch.ones_like(depth), SIZE)
    expected, _ = composite(mean, conic, opacity, feature, torch.arange(float(len(depth))), SIZE)
    assert torch.equal(image, expected)


def test_half_precision_is_raised_to_single():
    inputs = [tensor.bfloat16() for tensor in splats(6)]
    leaf = inputs[3].clone().requires_grad_()
    image, _ = composite(*inputs[:3], leaf, inputs[4], SIZE)
    expected, _ = composite(*(tensor.float() for tensor in inputs), SIZE)
    image.sum().backward()
    assert image.dtype == torch.float32
    assert torch.equal(image, expected)
    assert leaf.grad.dtype == torch.bfloat16


def test_same_bytes_in_every_run_and_thread():
    def run(seed):
        *inputs, depth = splats(seed, 400)
        leaves = [tensor.clone().requires_grad_() for tensor in inputs]
        image, through = composite(*leaves, depth, SIZE)
        (image.square().sum() + through.sum()).backward()
        return b"".join(t.detach().numpy().tobytes() for t in (image, through, *(leaf.grad for leaf in leaves)))

    alone = [run(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(4))) == alone


def test_reach_holds_what_is_seen():
    """The boxes that gsplat is given enclose every pixel to which the reference blends."""
    mean, conic, opacity, feature, depth = splats(7)
    half = rasterise_gsplat.reach(conic, opacity)
    assert half.dtype == torch.int32
    for g in range(len(depth)):
        one = [tensor[g : g + 1] for tensor in (mean, conic, opacity, feature, depth)]
        v, u = (composite_dense(*one, SIZE)[1] < 1).nonzero().T + 0.5
        assert ((u - mean[g, 0]).abs() <= half[g, 0]).all()
        assert ((v - mean[g, 1]).abs() <= half[g, 1]).all()
    assert not rasterise_gsplat.reach(conic, torch.full_like(opacity, 0.003)).any()


def test_without_gsplat_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gsplat", None)
    with pytest.raises(UserError, match=r"vdf-bench\[cuda\]"):
        rasterise_gsplat.composite_cuda(*splats(), SIZE)


def test_calls_fit_the_signatures_of_gsplat(monkeypatch):
    """Every call that the CUDA back end makes binds to the real function, with the shapes that it documents."""
    gsplat = pytest.importorskip("gsplat")
    tiles = -(-SIZE // rasterise_gsplat.EDGE)
    answers = {
        "isect_tiles": (None, torch.zeros(5, dtype=torch.int64), torch.zeros(5, dtype=torch.int32)),
        "isect_offset_encode": torch.zeros(1, tiles, tiles, dtype=torch.int32),
        "rasterize_to_pixels": (torch.zeros(1, SIZE, SIZE, 4), torch.zeros(1, SIZE, SIZE, 1)),
    }
    for name, answer in answers.items():
        signature = inspect.signature(getattr(gsplat, name))

        def bound(*args, _signature=signature, _answer=answer, **kwargs):
            _signature.bind(*args, **kwargs)
            return _answer

        monkeypatch.setattr(gsplat, name, bound)
    image, through = rasterise_gsplat.composite_cuda(*splats(), SIZE)
    assert image.shape == (SIZE, SIZE, 4)
    assert through.shape == (SIZE, SIZE)


@pytest.mark.skipif(
    not torch.cuda.is_available() or importlib.util.find_spec("gsplat") is None, reason="needs CUDA and gsplat"
)
@pytest.mark.parametrize("seed", range(3))
def test_cuda_agrees_with_the_cpu(seed):
    """Few enough layers that no pixel is finished, where the two differ by design."""
    *inputs, depth = splats(seed, count=20, strongest=0.5)
    weights = torch.randn(SIZE, SIZE, 5, generator=torch.Generator().manual_seed(9))
    pictures, gradients = [], []
    for device in ("cpu", "cuda"):
        leaves = [tensor.to(device, copy=True).requires_grad_() for tensor in inputs]
        image, through = composite(*leaves, depth.to(device), SIZE)
        picture = torch.cat([image, through[..., None]], 2)
        (picture * weights.to(device)).sum().backward()
        pictures.append(picture.detach().cpu())
        gradients.append([leaf.grad.cpu() for leaf in leaves])
    torch.testing.assert_close(*pictures, atol=1e-4, rtol=0)
    for ours, theirs in zip(*gradients, strict=True):
        assert (ours - theirs).norm() <= 1e-3 * ours.norm()
