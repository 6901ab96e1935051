"""Volume rendering against brute force and closed forms."""

from __future__ import annotations

import numpy as np
import torch

from vdf_bench.core.clip import Pose
from vdf_bench.victims.common.volume import GRID, Occupancy, camera_rays, integrate


def ball(points, radius=0.6, sigma=30.0):
    return sigma * (np.linalg.norm(points, axis=-1) < radius)


def occupancy(sigma=30.0):
    grid = Occupancy(-torch.ones(3), torch.ones(3), 1.0)
    axis = (np.arange(GRID) + 0.5) / GRID * 2 - 1
    cells = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)
    grid.cached.copy_(torch.from_numpy(ball(cells, sigma=sigma).astype(np.float32)))
    grid.occupied.copy_(torch.from_numpy((np.linalg.norm(cells, axis=-1) < 0.8).astype(np.uint8)))
    return grid


def render(direction, samples, sigma=30.0):
    """Colour, opacity and depth of a ball whose colour is its position, seen from z = -4."""
    origin = np.tile(np.array([[0, 0, -4]], np.float32), (len(direction), 1))
    hit, edges = (
        part.numpy() for part in occupancy(sigma).strata(torch.from_numpy(origin), torch.from_numpy(direction), samples)
    )
    depth = (edges[:, 1:] + edges[:, :-1]) / 2
    points = origin[:, None] + direction[:, None] * depth[..., None]
    width = np.diff(edges) * np.linalg.norm(direction, axis=1, keepdims=True)
    parts = (ball(points, sigma=sigma).astype(np.float32), (points + 1) / 2, depth, width)
    return hit, edges, [part.numpy() for part in integrate(*map(torch.from_numpy, parts))]


def brute_force(direction, sigma=30.0, steps=20_000):
    t = np.linspace(2.5, 5.5, steps)
    points = np.array([0, 0, -4]) + direction[:, None] * t[:, None]
    optical = ball(points, sigma=sigma) * (t[1] - t[0]) * np.linalg.norm(direction, axis=1, keepdims=True)
    weight = np.exp(-(np.cumsum(optical, 1) - optical)) * (1 - np.exp(-optical))
    return (weight[..., None] * (points + 1) / 2).sum(1), weight.sum(1), (weight * t).sum(1)


def fan(count=41):
    return np.stack([np.linspace(-0.3, 0.3, count), np.full(count, 0.02), np.ones(count)], 1).astype(np.float32)


def test_strata_and_quadrature_match_brute_force():
    for sigma in (1.5, 30.0):
        hit, _, ours = render(fan(), 512, sigma)
        expected = brute_force(fan(), sigma)
        for got, want in zip(ours, expected, strict=True):
            np.testing.assert_allclose(got[hit], want[hit], atol=0.02 * max(1, want.max()))


def test_few_samples_find_the_surface():
    hit, _, (_, opacity, depth) = render(fan(), 10)
    _, expected, where = brute_force(fan())
    solid = hit & (expected > 0.99)
    assert solid.sum() > 10
    assert (opacity[solid] > 0.95).all()
    assert abs(depth[solid] - where[solid]).max() < 0.12


def test_rays_that_miss_are_known():
    direction = np.array([[0, 0, 1], [0, 0.9, 1], [0, 0, -1]], np.float32)
    hit, edges, _ = render(direction, 8)
    assert hit.tolist() == [True, False, False]
    assert (edges[1:] == 0).all()
    assert (np.diff(edges[0]) >= 0).all()


def test_rays_undo_the_projection():
    pose = Pose(np.diag([1, -1, -1]).astype(np.float32)[None], np.array([[0.1, -0.2, 7]], np.float32), 120.0)
    pixels = torch.tensor([[[3, 50], [40, 7]]])
    rotation, translation = torch.from_numpy(pose.rotation), torch.from_numpy(pose.translation)
    origin, direction = (part[0].numpy() for part in camera_rays(pixels, rotation, translation, pose.focal, 64))
    points = origin + 6.5 * direction
    np.testing.assert_allclose(pose.project(points, 64)[0], pixels[0] + 0.5, atol=1e-3)
    camera = points @ pose.rotation[0].T + pose.translation[0]
    np.testing.assert_allclose(camera[:, 2], 6.5, atol=1e-5)
