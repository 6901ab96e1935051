"""The tri-plane field: frames that share a batch, rays that meet nothing, sizes."""

from __future__ import annotations

import pytest
import torch

from vdf_bench.victims.common.rays import Rays, march
from vdf_bench.victims.common.volume import Occupancy
from vdf_bench.victims.triplane import TriplaneParameters
from vdf_bench.victims.triplane.field import TriplaneField
from vdf_bench.victims.triplane.sizes import sizes


@pytest.fixture
def field():
    low, high = torch.tensor([-1.0, -1.2, -0.8]), torch.tensor([1.0, 1.3, 0.8])
    mouth = [[-0.4, -0.7, 0.1], [0.4, -0.1, 0.7]]
    eyes = [[-0.5, 0.1, 0.1], [0.5, 0.4, 0.7]]
    generator = torch.Generator().manual_seed(5)
    field = TriplaneField(
        Occupancy(low, high, 1.0), torch.zeros(3), torch.tensor([0.6, 0.8, 0.5]), torch.tensor([mouth, eyes]),
        16, 4, 12, generator,
    )  # fmt: skip
    with torch.no_grad():
        field.mouth *= 100
        field.eyes *= 100
    return field


def test_frames_of_one_batch_do_not_see_each_other(field):
    generator = torch.Generator().manual_seed(1)
    points = (torch.rand((600, 3), generator=generator) - 0.5) * 2
    owner = torch.randint(0, 3, (600,), generator=generator)
    codes = torch.randn((3, 3), generator=generator)
    view = torch.nn.functional.normalize(torch.randn((3, 3), generator=generator), dim=1)
    together = field(points, view, field.condition(codes), owner)
    for frame in range(3):
        mine = owner == frame
        one = slice(frame, frame + 1)
        alone = field(points[mine], view[one], field.condition(codes[one]))
        for all_of_them, its_own in zip(together, alone, strict=True):
            torch.testing.assert_close(all_of_them[mine], its_own, rtol=1e-4, atol=1e-5)


def test_driving_moves_the_boxes_of_mouth_and_eyes_only(field):
    points = torch.tensor([[0.0, -0.4, 0.4], [0.0, 0.25, 0.4], [0.0, 0.8, 0.3], [0.0, -0.4, -0.5]])
    view = torch.tensor([[0.0, 0.0, 1.0]])
    rest, spoken, blink = (
        field(points, view, field.condition(torch.tensor([code])))[1]
        for code in ([0.0, 0, 0], [2.0, 1, 0], [0.0, 0, 2])
    )
    moved_by_mouth, moved_by_eyes = ((each - rest).abs().amax(1) > 1e-6 for each in (spoken, blink))
    assert moved_by_mouth.tolist() == [True, False, False, False]
    assert moved_by_eyes.tolist() == [False, True, False, False]


def test_rays_that_meet_nothing_show_the_backdrop(field):
    generator = torch.Generator().manual_seed(2)
    field.refresh(torch.zeros(1, 3), generator)
    backdrop = torch.rand((4, 3), generator=generator)
    away = torch.tensor([[0.0, 0, -1], [0, 1, -1], [0, 0, -1], [1, 0, -1]])
    rays = Rays(
        origin=torch.tensor([0.0, 0, 7]).expand(4, 3), direction=away, owner=torch.zeros(4, dtype=torch.long),
        view=torch.tensor([[0.0, 0, 1]]), target=backdrop, backdrop=backdrop, head=None, pixels=torch.zeros(1, 4, 2),
    )  # fmt: skip
    rgb, opacity = march(field, rays, 6, None, generator)
    assert opacity[[1, 3]].tolist() == [0, 0]
    torch.testing.assert_close(rgb[[1, 3]], backdrop[[1, 3]])
    assert (opacity[[0, 2]] > 0.9).all()
    opacity.sum().backward()
    assert field.fine.grad.abs().sum() > 0


def test_longer_and_larger_clips_train_longer_and_parameters_win():
    small, long, large = sizes(128, 86, "compact"), sizes(128, 452, "compact"), sizes(256, 86, "compact")
    assert small.iterations < long.iterations and small.iterations < large.iterations
    assert large.resolution > small.resolution == long.resolution
    assert sizes(512, 5000, "paper") == sizes(128, 100, "paper")
    chosen = TriplaneParameters(rays=64, channels=2).over(small)
    assert (chosen.rays, chosen.channels, chosen.samples) == (64, 2, small.samples)
