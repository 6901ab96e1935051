"""What is particular to ``hashgrid``: its hash, its harmonics, its regions and its memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import sph_harm_y

from vdf_bench.core import registry
from vdf_bench.core.interfaces import FitSetting
from vdf_bench.victims.hashgrid.encoding import PlaneEncoding, dense_level, harmonics, hash_vertex, hashed_level
from vdf_bench.victims.hashgrid.sizes import sizes
from vdf_bench.victims.hashgrid.train import HashgridTrainer, attention_boxes, outside


def test_hash_without_collisions_is_a_dense_level():
    resolution, entries, channels = 40, 2**18, 3
    column, row = torch.meshgrid(torch.arange(resolution + 1), torch.arange(resolution + 1), indexing="xy")
    slots = hash_vertex(column, row, entries)
    assert len(slots.unique()) == slots.numel(), "pick a table without collisions"
    generator = torch.Generator().manual_seed(0)
    dense = torch.randn(3, channels, resolution + 1, resolution + 1, generator=generator, requires_grad=True)
    tables = torch.zeros(3, entries, channels)
    tables[:, slots] = dense.detach().permute(0, 2, 3, 1)
    tables.requires_grad_()
    corners = torch.tensor([-1.0, 1.0])
    at = torch.cat([torch.rand(3, 500, 2, generator=generator) * 2.2 - 1.1, corners[:, None].expand(3, 2, 2)], 1)
    one, two = dense_level(dense, at), hashed_level(tables, at, resolution)
    torch.testing.assert_close(one, two, atol=1e-4, rtol=0)
    pull = torch.randn(one.shape, generator=generator)
    (one * pull).sum().backward()
    (two * pull).sum().backward()
    torch.testing.assert_close(dense.grad.permute(0, 2, 3, 1), tables.grad[:, slots], atol=1e-4, rtol=0)


def test_levels_whose_vertices_fit_the_table_stay_dense():
    encoding = PlaneEncoding((16, 127, 128), 2, torch.Generator())
    assert [level.dim() for level in encoding.levels] == [4, 4, 3]
    assert encoding(torch.zeros(3, 5, 2)).shape == (PlaneEncoding.width(3, 2), 5)


def test_harmonics_are_orthonormal_and_of_the_right_degree():
    random = np.random.default_rng(0)
    direction = random.normal(size=(300, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    ours = harmonics(torch.from_numpy(direction)).numpy()
    polar, azimuth = np.arccos(direction[:, 2]), np.arctan2(direction[:, 1], direction[:, 0])
    for degree in range(4):
        for order in range(-degree, degree + 1):
            complex_one = sph_harm_y(degree, abs(order), polar, azimuth)
            expected = complex_one.real if order >= 0 else complex_one.imag
            # The real basis without the Condon-Shortley phase.
            expected = expected * (1 if order == 0 else 2**0.5 * (-1) ** order)
            np.testing.assert_allclose(ours[:, degree**2 + degree + order], expected, atol=1e-6)


def test_regions_hold_lips_and_eyes_and_leave_the_rest(capture):
    places = attention_boxes(capture.landmarks, capture.size)
    lips = capture.landmarks[:, 48:68].mean(1)
    eyes = capture.landmarks[:, 36:48].mean(1)
    brows = capture.landmarks[:, 19] - [0, 4]
    at = torch.from_numpy(np.stack([lips, eyes, brows], 1)).long()
    away = outside(at, torch.from_numpy(places)).view(len(places), 3, 2)
    assert (away[:, 0] == torch.tensor([0.0, 1.0])).all()
    assert (away[:, 1] == torch.tensor([1.0, 0.0])).all()
    assert (away[:, 2] == 1).all()


def test_the_penalty_keeps_the_attention_of_the_mouth_to_its_region(capture):
    def heed(weight):
        victim = registry.create("victims", "hashgrid", {"rays": "512", "levels": "2", "attention_weight": weight})
        trainer = HashgridTrainer(capture, FitSetting(), victim.parameters)
        optimiser = trainer.make_optimiser()
        for iteration in range(60):
            optimiser.zero_grad()
            trainer.loss(iteration).backward()
            optimiser.step()
        rays = trainer.rays.draw(np.arange(4), 256, np.random.default_rng(0))
        with torch.no_grad():
            _, attention, opacity = trainer.draw(rays, torch.arange(4))
        away = outside(rays.pixels, trainer.places[:4])[:, 0] * opacity
        return float((attention[:, 0] * away).sum() / away.sum())

    assert heed("0.01") < 0.5 * heed("0")


def test_paper_scale_is_that_of_the_paper():
    paper = sizes(512, 6000, "paper")
    assert (paper.iterations, len(paper.resolutions), paper.channels, paper.rays) == (125_000, 12, 1, 65_536)
    assert (paper.resolutions[0], paper.resolutions[-1]) == (64, 512)
    assert sizes(128, 110, "compact").iterations < 2000


@pytest.mark.parametrize("name", ["levels", "rays"])
def test_parameters_stand_over_the_sizes(name, capture):
    parameters = registry.create("victims", "hashgrid", {name: "7" if name == "levels" else "64"}).parameters
    found = parameters.over(sizes(128, 100, "compact"))
    assert (len(found.resolutions), found.rays) == ((7, 1024) if name == "levels" else (4, 64))
