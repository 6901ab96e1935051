import math

import pytest
import torch
import torch.nn.functional as F

from vdf_bench.defenses.common.parameters import ParsingParameters
from vdf_bench.defenses.common.parsing import REGIONS, ParsingObjective, parsing_loss, relabelled_share, resize


def test_log_loss_is_the_official_formula():
    logits = torch.randn(19, 40, generator=torch.Generator().manual_seed(0))
    p = F.softmax(logits, 0)[14] + F.softmax(logits, 0)[16]
    expected = torch.log(1 - p + 1e-4).mean()
    assert torch.allclose(parsing_loss(logits, (14, 16), "log"), expected, atol=1e-6)


def test_cross_entropy_with_one_target_is_the_textbook_one():
    logits = torch.randn(19, 40, generator=torch.Generator().manual_seed(0))
    expected = F.cross_entropy(logits.T, torch.zeros(40, dtype=torch.long))
    assert torch.allclose(parsing_loss(logits, (0,), "cross-entropy"), expected, atol=1e-6)


@pytest.mark.parametrize(("kind", "alive"), [("log", False), ("cross-entropy", True)])
def test_only_cross_entropy_moves_a_confident_parser(kind, alive):
    logits = torch.zeros(19, 5)
    logits[1] = 40.0
    logits.requires_grad_()
    parsing_loss(logits, (0,), kind).backward()
    assert bool(logits.grad.abs().max() > 1e-3) is alive


def test_share_counts_any_target():
    logits = torch.full((19, 4), -1.0)
    for pixel, label in enumerate([0, 14, 1, 16]):
        logits[label, pixel] = 1.0
    assert relabelled_share(logits, (14, 16)) == 0.5


def test_regions_are_disjoint_from_their_targets():
    for sources, targets in REGIONS.values():
        assert not set(sources) & set(targets)


@pytest.mark.parametrize("scale", [0.5, 0.75, 1.0, 1.5, 2.0])
def test_resize_takes_half_pixel_centres(scale):
    ramp = torch.arange(32.0).expand(3, 32, 32)
    resized = resize(ramp, scale)[0, 0, 0]
    assert len(resized) == 32 * scale
    centres = (torch.arange(len(resized)) + 0.5) / scale - 0.5
    assert torch.allclose(resized, centres.clamp(0, 31), atol=1e-4)


def test_scale_without_the_region_is_left_out(frames):
    class Shortsighted(torch.nn.Module):
        """Sees no face in pictures below 32 px."""

        def forward(self, x):
            logits = torch.zeros(1, 19, *x.shape[2:])
            logits[:, 0 if x.shape[-1] < 32 else 1] = 1.0
            return logits

    objective = ParsingObjective(Shortsighted(), ParsingParameters())
    sights = objective.prepare(frames[0])
    assert [sight.scale for sight in sights] == [1.0, 1.5, 2.0]
    assert [sight.weight for sight in sights] == [1.0, 0.8, 0.6]
    assert len(objective.judge(frames[0], sights).by_scale) == 3


def test_loss_adds_up_over_the_scales(parser, frames):
    def loss(**parameters):
        objective = ParsingObjective(parser, ParsingParameters(**parameters))
        return float(objective.judge(frames[0], objective.prepare(frames[0])).loss)

    both = loss(scales=(1.0, 0.5), weights=(1.0, 0.6))
    assert math.isclose(
        both, loss(scales=(1.0,), weights=(1.0,)) + 0.6 * loss(scales=(0.5,), weights=(1.0,)), rel_tol=1e-5
    )


@pytest.mark.parametrize(("required", "success"), [(0.4, True), (0.6, False)])
def test_every_scale_must_succeed(required, success):
    class Halfway(torch.nn.Module):
        """Misses the left half of the face at scale 1 and all of it elsewhere, once the picture is black."""

        def forward(self, x):
            size = x.shape[-1]
            logits = torch.zeros(1, 19, size, size)
            logits[:, 1] = 1.0
            if x.max() == 0:
                logits[..., 0, :, : size // 2 if size == 32 else size] = 2.0
            return logits

    objective = ParsingObjective(Halfway(), ParsingParameters(success_share=required))
    result = objective.judge(torch.zeros(3, 32, 32), objective.prepare(torch.ones(3, 32, 32)))
    assert list(result.by_scale.values()) == [0.5, 1.0, 1.0, 1.0, 1.0]
    assert result.share == 0.5
    assert result.success is success


def test_exactly_the_required_share_is_not_enough(parser, frames):
    objective = ParsingObjective(parser, ParsingParameters(success_share=0.0))
    result = objective.judge(frames[0], objective.prepare(frames[0]))
    assert result.share == 0.0
    assert not result.success


def test_frame_without_a_face_has_nothing_to_hide(parser):
    objective = ParsingObjective(parser, ParsingParameters())
    dark = torch.zeros(3, 32, 32)
    sights = objective.prepare(dark)
    assert sights == []
    result = objective.judge(dark, sights)
    assert result.success
    assert result.share == 1.0
