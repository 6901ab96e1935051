"""Operations and bytes against counts by hand; the roof as arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from vdf_bench.bench.clock import Clock
from vdf_bench.bench.kernels import Training, parser_look, trainers, training_step
from vdf_bench.bench.roofline import Peaks, count_flops, measure_kernel, measure_peaks
from vdf_bench.core import registry
from vdf_bench.core.kernel import Kernel
from vdf_bench.victims.gaussian import kernel as gaussian_kernel
from vdf_bench.victims.gaussian.rasterise_numba import ALPHA_MIN, EDGE, TRANSMITTANCE_MIN

CPU = Clock("cpu")
PEAKS = Peaks({"float32": 100.0, "bfloat16": 300.0}, {"float32": 90.0, "bfloat16": 400.0}, 10.0)


def test_operations_of_a_product_and_of_a_convolution():
    one, other = torch.ones(3, 5), torch.ones(5, 7)
    assert count_flops(lambda: one @ other) == 2 * 3 * 5 * 7
    picture, kernels = torch.ones(1, 4, 9, 9), torch.ones(6, 4, 3, 3)
    assert count_flops(lambda: torch.conv2d(picture, kernels)) == 2 * 6 * 4 * 9 * 7 * 7
    calls = iter([1, 2, 3])
    assert count_flops(lambda: [one @ other for _ in range(next(calls))], runs=3) == 2 * 2 * 3 * 5 * 7


@pytest.mark.parametrize(("intensity", "roof"), [(1.0, 10.0), (10.0, 100.0), (1000.0, 100.0)])
def test_the_roof_is_bandwidth_first_and_then_the_peak(intensity, roof):
    assert PEAKS.roof("float32", intensity) == roof
    assert PEAKS.roof("bfloat16", intensity) == min(400.0, 10 * intensity)


def test_a_kernel_under_the_roof():
    one = torch.ones(64, 64)
    calls = []

    def run():
        calls.append(1)
        return one @ one

    point = measure_kernel(Kernel("product", run, bytes=2 * 64**3 / 4.0), PEAKS, CPU, n=3, warm=2, counted=4)
    assert (len(calls), point.n) == (2 + 3 + 4, 3)
    assert (point.flops, point.intensity, point.roof) == (2 * 64**3, 4.0, 40.0)
    assert point.achieved == point.flops / point.seconds and point.share == point.achieved / 40
    told = measure_kernel(Kernel("told", run, bytes=8.0, flops=16.0), PEAKS, CPU, n=1)
    assert (told.flops, told.intensity) == (16.0, 2.0)


def test_peaks_are_measured_and_settings_put_back():
    before = torch.get_float32_matmul_precision()
    peaks = measure_peaks(CPU, edge=256, picture=(32, 32), elements=2**20)
    assert peaks.flops.keys() == {"float32", "bfloat16"}  # TF32 is no matter of a CPU
    rates = [*peaks.product.values(), *peaks.convolution.values(), peaks.bandwidth]
    assert min(rates) > 1e8 and max(rates) < 1e15
    assert torch.get_float32_matmul_precision() == before


def test_a_look_moves_weights_picture_and_logits_at_least():
    network = nn.Conv2d(3, 2, 1, bias=False).requires_grad_(False)
    looks = [parser_look(network, 8, CPU.device, back, "float32") for back in (False, True)]
    least = 4 * (2 * 3 + 3 * 64 + 2 * 64)
    assert [look.bytes for look in looks] == [least, 2 * least]
    # The way back stops at the picture: frozen weights have no gradient to be computed.
    assert [count_flops(look.run) for look in looks] == [2 * 2 * 3 * 64, 2 * 2 * 2 * 3 * 64]


def test_a_training_step_counts_the_products_of_its_networks(capture):
    assert {"gaussian", "hashgrid", "triplane"} <= set(trainers())
    kernel = training_step("hashgrid", capture, "cpu")
    assert kernel.precision == "float32"
    training = Training("hashgrid", capture, "cpu")
    field, sizes = training.trainer.field, training.trainer.sizes
    assert kernel.bytes == 24 * sum(value.numel() for value in field.parameters())
    training.step()  # the first also refreshes the cached density
    found = count_flops(training.step)
    points = (sizes.rays // sizes.frames) * sizes.frames * sizes.samples
    layers = [layer for name in ("audio_attention", "eye_attention", "density", "geometry", "colour")
              for layer in getattr(field, name) if isinstance(layer, nn.Linear)]  # fmt: skip
    # Forward, and back to weights and to inputs: three products each, a multiply and an add a weight.
    by_hand = 3 * 2 * points * sum(layer.weight.numel() for layer in layers)
    assert found == pytest.approx(by_hand, rel=0.02)


def test_operations_of_the_rasteriser_are_those_of_its_loops():
    """Counted anew pixel by pixel, in plain Python, on a frame that ends within a tile."""
    size, count = 24, 40
    leaves, depth = gaussian_kernel.head_splats(count, size)
    mean, conic, opacity, _ = (leaf.detach().double().numpy() for leaf in leaves)
    tiles = math.ceil(size / EDGE)
    through = np.ones((tiles * EDGE, tiles * EDGE))
    lists = {}
    for g in np.argsort(depth.numpy(), kind="stable"):
        a, b, c = conic[g]
        level = 2 * math.log(opacity[g] / ALPHA_MIN) / (a * c - b * b) if opacity[g] > ALPHA_MIN else -1.0
        if level < 0:
            continue
        half = math.sqrt(level * c), math.sqrt(level * a)
        left, top = (max(0, math.ceil(mean[g, k] - half[k] - 0.5)) for k in (0, 1))
        right, bottom = (min(size, math.floor(mean[g, k] + half[k] + 0.5)) for k in (0, 1))
        if left >= right or top >= bottom:
            continue
        for row in range(top // EDGE, (bottom - 1) // EDGE + 1):
            for column in range(left // EDGE, (right - 1) // EDGE + 1):
                visits, seen = lists.setdefault((row, column), ([], []))
                rows = range(max(top, row * EDGE), min(bottom, (row + 1) * EDGE))
                visits.append(len(rows) * EDGE)
                alive = False
                for v in rows:
                    for u in range(column * EDGE, (column + 1) * EDGE):
                        dx, dy = u + 0.5 - mean[g, 0], v + 0.5 - mean[g, 1]
                        alpha = opacity[g] * math.exp(-0.5 * (a * dx * dx + c * dy * dy) - b * dx * dy)
                        if alpha >= ALPHA_MIN and through[v, u] >= TRANSMITTANCE_MIN:
                            through[v, u] *= 1 - min(alpha, 0.99)
                            alive |= u < size
                seen.append(alive)
    forward = sum(sum(visits) for visits, _ in lists.values())
    backward = sum(sum(visits[: max(np.flatnonzero(seen), default=-1) + 1]) for visits, seen in lists.values())
    by_hand = gaussian_kernel.FORWARD_FLOPS * forward + gaussian_kernel.BACKWARD_FLOPS * backward
    assert gaussian_kernel.loop_flops(leaves, depth, size) == by_hand
    kernel = registry.create("victims", "gaussian").rasteriser("cpu", size, count)
    assert kernel.flops == by_hand
    assert kernel.bytes == 4 * (2 * 10 * count + count + 2 * 5 * size**2)
