import pytest
import torch

from vdf_bench.defenses.common.jpeg import jpeg
from vdf_bench.defenses.common.views import draw_view, rescale

EVERY = ("jpeg", "blur", "noise", "rescale")


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def picture():
    ramp = torch.linspace(0.2, 0.8, 64)
    return torch.stack([ramp.expand(64, 64), ramp.expand(64, 64).T, torch.rand(64, 64, generator=seeded(9))])


def test_a_view_is_a_function_of_the_generator(picture):
    first, second = ([draw_view(picture, EVERY, (0.3, 2.0), g) for _ in range(8)] for g in (seeded(), seeded()))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    other = [draw_view(picture, EVERY, (0.3, 2.0), g) for g in [seeded(1)] for _ in range(8)]
    assert any(a.shape != b.shape or not torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_sizes_fill_the_range_and_half_come_back(picture):
    generator = seeded()
    views = [draw_view(picture, ("rescale",), (0.6, 2.0), generator) for _ in range(120)]
    edges = [view.shape[1] for view in views]
    away = {edge for edge in edges if edge != 64}
    assert min(away) >= round(0.6 * 64)
    assert max(away) <= 128
    assert len(away) > 15
    same = [view for view in views if view.shape[1] == 64]
    untouched = sum(torch.equal(view, picture) for view in same)
    assert 20 < untouched < 60
    assert 20 < len(same) - untouched < 60


def test_every_transform_gets_its_turn_and_leaves_a_picture(picture):
    generator = seeded()
    seen = [draw_view(picture, ("jpeg", "blur", "noise"), (1.0, 1.0), generator) for _ in range(60)]
    assert all(float(view.min()) >= 0 and float(view.max()) <= 1 for view in seen)
    assert 4 < sum(torch.equal(view, picture) for view in seen) < 30
    # Noise roughens and blur smooths the flat ramps of red; JPEG is among the rest.
    rough = [float((view[0, 1:] - view[0, :-1]).abs().mean()) for view in seen]
    assert max(rough) > 0.01
    smooth = [float((view[2, 1:] - view[2, :-1]).abs().mean()) for view in seen]
    assert min(smooth) < 0.6 * float((picture[2, 1:] - picture[2, :-1]).abs().mean())
    assert any(torch.equal(view, jpeg(picture, quality)) for view in seen for quality in range(50, 96))


@pytest.mark.parametrize("kind", EVERY)
def test_differentiable(kind, picture):
    leaf = picture.clone().requires_grad_()
    generator = seeded(3)
    torch.stack([draw_view(leaf, (kind,), (0.3, 2.0), generator).square().mean() for _ in range(8)]).sum().backward()
    assert leaf.grad.isfinite().all()
    assert (leaf.grad != 0).float().mean() > 0.9


def test_small_sizes_can_still_be_parsed(picture):
    assert rescale(picture, 0.3, back=False).shape == (3, 32, 32)
    back = rescale(picture, 0.3, back=True)
    assert back.shape == picture.shape
    # The noise of blue is gone, the ramp of red is not.
    assert back[2].std() < 0.5 * picture[2].std()
    assert (back[0] - picture[0]).abs().mean() < 0.01
