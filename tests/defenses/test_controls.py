from dataclasses import replace

import pytest
import torch

from vdf_bench.core import registry
from vdf_bench.core.errors import UserError


def run(name, frames, setting, **overrides):
    return list(registry.create("defenses", name, overrides).protect(iter(frames), setting))


def test_nothing_is_the_identity(frames, setting):
    assert all(torch.equal(a, b) for a, b in zip(run("none", frames, setting), frames, strict=True))


def test_noise_moves_every_channel_by_the_whole_bound(frames, setting):
    out = run("noise", frames, setting)
    steps = ((out[0] - frames[0]) * 255).round()
    assert set(steps.unique().tolist()) == {-12.0, 12.0}
    assert abs(float(steps.mean())) < 1  # 3 standard deviations: 12 / sqrt(3072) * 3 = 0.65
    assert not torch.equal(steps, ((out[1] - frames[1]) * 255).round())
    assert not torch.equal(out[0], run("noise", frames, replace(setting, seed=8))[0])


def test_noise_stops_at_black_and_white(setting):
    out = run("noise", [torch.zeros(3, 32, 32), torch.ones(3, 32, 32)], setting)
    assert set((out[0] * 255).round().unique().tolist()) == {0.0, 12.0}
    assert set((out[1] * 255).round().unique().tolist()) == {243.0, 255.0}


def test_occlude_covers_all_that_the_parser_calls_face(frames, setting, parser):
    out = run("occlude", frames, setting)
    for clean, covered in zip(frames, out, strict=True):
        face = parser(clean[None])[0].argmax(0) == 1
        assert face.any()
        assert (covered[:, face] == 128 / 255).all()
        assert torch.equal(covered[:, 0], clean[:, 0])


def test_occlude_keeps_the_last_box(frames, setting):
    dark = torch.zeros(3, 32, 32)
    out = run("occlude", [frames[0], dark], setting, margin="0")
    box = out[0] == 128 / 255
    assert torch.equal(out[1] == 128 / 255, box)
    assert (run("occlude", [dark], setting)[0] == 128 / 255).all()


def test_occlude_needs_a_surrogate(frames, setting):
    with pytest.raises(UserError, match="surrogate"):
        run("occlude", frames, replace(setting, surrogate=None))
