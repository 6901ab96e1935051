"""Image protections on the latent diffusion model: each does to its own loss what it says."""

from dataclasses import replace

import pytest
import torch

from vdf_bench.assets.folders import WEIGHTS_VARIABLE
from vdf_bench.core import registry
from vdf_bench.defenses.latent import (
    AdvDm,
    AdvDmParameters,
    Mist,
    MistParameters,
    PhotoGuard,
    PhotoGuardParameters,
    Sds,
    SdsParameters,
)
from vdf_bench.defenses.latent.objectives import (
    DiffusionLoss,
    Drawn,
    EncoderLoss,
    LatentObjective,
    MistLoss,
    ScoreLoss,
    diffusion_loss,
    target_picture,
)
from vdf_bench.models.diffusion import load_synth

NAMES = ("photoguard", "advdm", "mist", "sds")


@pytest.fixture(autouse=True)
def no_user_weights(tmp_path, monkeypatch):
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))


@pytest.fixture(scope="module")
def model():
    return load_synth()


def generator(seed=3):
    return torch.Generator().manual_seed(seed)


def mean_loss(model, frame, draws=24):
    """The diffusion loss over many steps and noises, the same for every frame."""
    latents = model.encode(frame[None])
    drawn = generator()
    return float(sum(diffusion_loss(model, latents, drawn) for _ in range(draws)) / draws)


def distance(model, frame, target):
    goal = model.encode(target_picture(target, frame.shape[1])[None])
    return float((model.encode(frame[None]) - goal).square().sum())


def protect(defense, frames, setting):
    return list(defense.protect(iter(frames), setting)), defense.log()


def test_photoguard_nears_grey(model, frames, setting):
    (out,), log = protect(PhotoGuard(PhotoGuardParameters(steps=15)), frames[:1], setting)
    assert distance(model, out, "grey") < 0.7 * distance(model, frames[0], "grey")
    assert log["loss"][0] == pytest.approx(distance(model, out, "grey"), rel=1e-3)


@pytest.mark.parametrize("sign", ["+", "-"])
def test_advdm_moves_the_diffusion_loss(sign, model, frames, setting):
    (out,), log = protect(AdvDm(AdvDmParameters(steps=20, sign=sign)), frames[:1], setting)
    change = mean_loss(model, out) / mean_loss(model, frames[0])
    assert change > 1.05 if sign == "+" else change < 0.98, change
    assert log["latent_shift"][0] > 0.02


def test_mist_fuses_both(model, frames, setting):
    (textural,), _ = protect(Mist(MistParameters(steps=15, rate=0)), frames[:1], setting)
    (fused,), _ = protect(Mist(MistParameters(steps=15)), frames[:1], setting)
    assert distance(model, textural, "pattern") < distance(model, frames[0], "pattern")
    assert mean_loss(model, fused) > mean_loss(model, frames[0])
    latents = model.encode(frames[0][None])
    parts = EncoderLoss("pattern", 32)(model, latents, generator()) - 7 * diffusion_loss(model, latents, generator())
    assert torch.allclose(MistLoss("pattern", 32, 7)(model, latents, generator()), parts)


@pytest.mark.parametrize("sign", ["+", "-"])
def test_the_score_needs_no_denoiser_gradient_and_has_its_sign(sign, model, frames):
    latents = model.encode(frames[0][None]).requires_grad_()
    (found,) = torch.autograd.grad(ScoreLoss(sign)(model, latents, generator()), latents)
    drawn = Drawn.of(model, latents.detach(), generator())
    score = model.predict(drawn.noisy, drawn.step) - drawn.noise
    # Descending the loss of "-" descends the score.
    assert torch.allclose(found, score if sign == "-" else -score, atol=1e-6)


def test_one_score_step_is_one_level_against_the_encoders_gradient(model, frames, setting):
    (out,), _ = protect(Sds(SdsParameters(steps=1)), frames[:1], setting)
    objective = LatentObjective(model, ScoreLoss("-"), setting.seed)
    picture = frames[0].clone().requires_grad_()
    objective.judge(picture, objective.prepare(frames[0])).loss.backward()
    assert torch.equal((out * 255).round(), (frames[0] * 255).round() - picture.grad.sign())


def test_latents_see_pictures_on_the_range_from_minus_one(model):
    black = model.encode(torch.zeros(1, 3, 16, 16))
    assert torch.equal(black, model.autoencoder.encode(torch.full((1, 3, 16, 16), -1.0)))


def test_noise_has_unit_variance_in_the_latents_scale(model, frames):
    """A loss near 1 would mean that nothing is predicted; on clean latents the model must do better."""
    assert mean_loss(model, frames[0]) < 0.9


@pytest.mark.parametrize("name", NAMES)
def test_all_steps_are_taken_within_the_budget_and_none_is_a_success(name, frames, setting):
    defense = registry.create("defenses", name, {"steps": "16"})
    out, log = protect(defense, frames[:1], setting)
    assert log["iterations"] == [16]
    assert log["success"] == log["stable_diffusion"] == [0]
    assert int(((out[0] - frames[0]) * 255).round().abs().max()) == setting.budget.whole_levels


def test_frames_draw_their_own_noise(model, frames, setting):
    objective = LatentObjective(model, DiffusionLoss("+"), setting.seed)
    first, second = objective.prepare(frames[0]), objective.prepare(frames[0])
    draws = [torch.rand(4, generator=prepared.generator) for prepared in (first, second)]
    assert not torch.equal(*draws)
    again = LatentObjective(model, DiffusionLoss("+"), setting.seed).prepare(frames[0])
    assert torch.equal(torch.rand(4, generator=again.generator), draws[0])


def test_sizes_that_are_no_multiple_of_eight(setting):
    frame = (torch.rand(3, 36, 36, generator=generator()) * 255).round() / 255
    defense = registry.create("defenses", "mist", {"steps": "2"})
    (out,) = defense.protect(iter([frame]), replace(setting, size=36))
    assert out.shape == frame.shape and not torch.equal(out, frame)


def test_the_pattern_is_all_edges():
    pattern = target_picture("pattern", 128)
    assert pattern.unique().tolist() == [0, 1]
    assert pattern.mean() == pytest.approx(0.5, abs=0.05)
    assert target_picture("grey", 8).unique().tolist() == [0.5]
