"""Training is a function of its seed, and its parts do what they are for."""

import numpy as np
import pytest
import torch

from vdf_bench.core.errors import UserError
from vdf_bench.models.landmarker import Landmarker, crop_frame, expectation, rotate, sample_crop, wing
from vdf_bench.parsers.network import new_parser
from vdf_bench.training.augment import Augmenter, Views
from vdf_bench.training.learn import learn_parser
from vdf_bench.training.train import train


@pytest.fixture(scope="module")
def square_head():
    """Grey squares with landmarks on a grid inside them."""
    labels = np.zeros((4, 64, 64), np.uint8)
    labels[:, 16:48, 16:48] = 1
    grid = np.stack(np.meshgrid(np.linspace(18, 46, 17), np.linspace(18, 46, 4)), -1).reshape(-1, 2)
    rgb = np.where(labels[..., None] > 0, 180, 60).astype(np.uint8).repeat(3, -1)
    return Views(rgb, labels, np.tile(grid.astype(np.float32), (4, 1, 1)), np.arange(4))


def trained(views, seed):
    torch.manual_seed(seed)
    parser = new_parser("builtin")
    told = []
    data = Augmenter(views, np.full((2, 32, 32, 3), 90, np.uint8), seed)
    learn_parser(parser, data, 2, 0.05, lambda done, loss: told.append((done, loss)))
    assert told[-1][0] == 1.0 and np.isfinite(told[-1][1])
    return parser.state_dict()


def test_same_seed_same_network(square_head):
    first, second, other = trained(square_head, 1), trained(square_head, 1), trained(square_head, 2)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


def test_unknown_network_is_the_users_error(tmp_path):
    with pytest.raises(UserError, match="face-shape"):
        train("nobody", out=tmp_path)


def test_expectation_finds_a_peak_between_cells():
    maps = torch.full((1, 1, 8, 8), -30.0)
    maps[0, 0, 2, 3] = maps[0, 0, 2, 4] = 10.0
    assert torch.allclose(expectation(maps)[0, 0], torch.tensor([0.0, 2.5 / 4 - 1]), atol=1e-4)


def test_a_crop_stands_upright_and_maps_back():
    angle = torch.tensor([0.4])
    upright = torch.rand(1, 68, 2) * 20
    upright[:, 36:42], upright[:, 42:48] = torch.tensor([5.0, 8.0]), torch.tensor([15.0, 8.0])
    points = rotate(upright, angle) + 30
    centre, half, found = crop_frame(points)
    assert torch.allclose(found, angle, atol=1e-5)
    unit = rotate(points - centre[:, None], -found) / half[:, None, None]
    assert unit.abs().max() < 1
    # A bright dot at a landmark is where the crop's coordinates say.
    image = torch.zeros(1, 3, 96, 96)
    x, y = points[0, 36].tolist()
    image[:, :, int(y) - 1 : int(y) + 1, int(x) - 1 : int(x) + 1] = 1
    crop = sample_crop(image, centre, half, found)[0, 0]
    row, column = divmod(int(crop.argmax()), 96)
    expected = (unit[0, 36] + 1) * 48
    assert abs(column - expected[0]) < 5 and abs(row - expected[1]) < 5


def test_wing_is_continuous_and_steep_at_zero():
    at = torch.tensor([0.1 - 1e-6, 0.1 + 1e-6])
    assert torch.isclose(*wing(at), atol=1e-4)
    error = torch.tensor([1e-3, 1.0], requires_grad=True)
    wing(error).sum().backward()
    assert error.grad[0] > 4 * error.grad[1]


def test_untrained_landmarker_has_the_promised_shapes():
    points, score = Landmarker().eval().detect(np.zeros((3, 50, 70, 3), np.uint8), batch=2)
    assert points.shape == (3, 68, 2) and score.shape == (3,)
    assert ((score >= 0) & (score <= 1)).all()
