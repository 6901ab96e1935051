import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from vdf_bench.core import registry
from vdf_bench.core.budget import Budget
from vdf_bench.core.errors import UserError
from vdf_bench.defenses.common.record import Record
from vdf_bench.defenses.vdf import Vdf, VdfParameters
from vdf_bench.defenses.vdf.perturbation import MEAN, STD, Painter, Variables, shift_spectrum
from vdf_bench.defenses.vdf.stream import protect, similarity


def column(values):
    return torch.tensor(values)[:, None, None]


def normalised(frame):
    return (frame - column(MEAN)) / column(STD)


def variables(noise, mask=None, size=32):
    noise = noise if torch.is_tensor(noise) else torch.full((2, size, size), float(noise))
    return Variables(noise, torch.zeros(size, size) if mask is None else mask)


def run(frames, setting, **parameters):
    defense = Vdf(VdfParameters(**parameters))
    out = list(defense.protect(iter(frames), setting))
    return out, defense.log()


@pytest.mark.parametrize("offset", [0.0, 1.0, math.pi])
def test_zero_noise_turns_every_phase_by_the_offset(frames, offset):
    picture = normalised(frames[0])
    shifted = shift_spectrum(torch.fft.fft2(picture), torch.zeros(2, 32, 32), offset)
    assert torch.allclose(shifted, math.cos(offset) * picture, atol=1e-5)


def test_spectrum_step_is_the_official_one_written_out(frames):
    picture = normalised(frames[0])
    noise = torch.randn(2, 32, 32, generator=torch.Generator().manual_seed(1))
    spectrum = np.fft.fft2(picture.double().numpy())
    amplitude = np.abs(spectrum) * (1 + np.tanh(noise[0].double().numpy()))
    phase = np.angle(spectrum) + 1 + np.tanh(noise[1].double().numpy())
    expected = np.fft.ifft2(amplitude * np.exp(1j * phase)).real
    assert np.allclose(shift_spectrum(torch.fft.fft2(picture), noise, 1.0).numpy(), expected, atol=1e-4)


def test_delta_is_bounded_tanh_of_the_pixel_change_times_the_mask(frames):
    parameters = VdfParameters(gain=10, domain="frequency")
    mask = torch.randn(32, 32, generator=torch.Generator().manual_seed(2))
    delta = Painter(frames[0], 12, parameters).delta(variables(0.0, mask))
    change = (math.cos(1) - 1) * (frames[0] - column(MEAN))
    assert torch.allclose(delta, 12 / 255 * torch.tanh(10 * change) * torch.sigmoid(mask), atol=1e-6)


@pytest.mark.parametrize("domain", ["joint", "frequency", "spatial"])
def test_mask_scales_the_bound(frames, domain):
    parameters = VdfParameters(domain=domain)
    generator = torch.Generator().manual_seed(3)
    drawn = Variables.draw(32, parameters, generator)
    delta = Painter(frames[0], 12, parameters).delta(drawn)
    assert (delta.abs() <= 12 / 255 * torch.sigmoid(drawn.mask) + 1e-7).all()
    unmasked = Painter(frames[0], 12, parameters.model_copy(update={"mask": False})).delta(drawn)
    assert torch.allclose(delta, unmasked * torch.sigmoid(drawn.mask), atol=1e-7)


def test_joint_domain_adds_both_before_the_tanh(frames):
    alone = VdfParameters(domain="frequency", mask=False, gain=2)
    noise = 0.1 * torch.randn(5, 32, 32, generator=torch.Generator().manual_seed(5))
    spectral = torch.atanh(Painter(frames[0], 12, alone).delta(variables(noise[:2])) * 255 / 12)
    joint = VdfParameters(domain="joint", mask=False, gain=2)
    expected = 12 / 255 * torch.tanh(spectral + noise[2:])
    assert torch.allclose(Painter(frames[0], 12, joint).delta(variables(noise)), expected, atol=1e-5)


def test_similarity_is_scikit_images(frames):
    first, second = ((frame * 255).round().byte().permute(1, 2, 0).numpy() for frame in frames[:2])
    expected = structural_similarity(first, second, channel_axis=-1, data_range=255)
    assert similarity(frames[0], frames[1]) == pytest.approx(expected)
    assert similarity(frames[0], frames[0]) == pytest.approx(1)


def test_inheritance_shrinks_the_noise_and_keeps_the_mask():
    drawn = Variables.draw(32, VdfParameters(), torch.Generator().manual_seed(4))
    heir = drawn.shrunk(0.8 * 0.9)
    assert torch.allclose(heir.noise, 0.72 * drawn.noise)
    assert torch.equal(heir.mask, drawn.mask)


def test_unoptimised_frames_follow_the_sharing_formula(frames, setting):
    """Without iterations, frame t is painted from decay^t times the product of the SSIMs times the first draw."""
    out, log = run(frames[:3], setting, max_iterations_first=0, max_iterations=0, decay=0.8, motion=False)
    parameters = VdfParameters()
    drawn = Variables.draw(32, parameters, torch.Generator().manual_seed(setting.seed))
    kept = 0.8**2 * similarity(frames[0], frames[1]) * similarity(frames[1], frames[2])
    expected = Painter(frames[2], 12, parameters).paint(Variables(kept * drawn.noise, drawn.mask))
    assert torch.equal(out[2], expected)
    assert log["iterations"] == [0, 0, 0]


def test_plain_and_no_sharing(frames, setting):
    still = [frames[0]] * 2
    frozen = {"max_iterations_first": 0, "max_iterations": 0}
    plain, _ = run(still, setting, sharing="plain", decay=1, **frozen)
    assert torch.equal(plain[0], plain[1])
    fresh, _ = run(still, setting, sharing="none", **frozen)
    assert not torch.equal(fresh[0], fresh[1])


@pytest.mark.parametrize(("domain", "gain"), [("joint", 3), ("frequency", 50), ("spatial", 3)])
def test_hides_the_face_and_later_frames_are_cheaper(frames, setting, parser, domain, gain):
    out, log = run(frames, setting, domain=domain, gain=gain, learning_rate=0.1, max_iterations=20, phase_offset=0)
    assert log["success"] == [1.0] * len(frames)
    assert log["iterations"][0] > np.mean(log["iterations"][1:])
    for clean, protected in zip(frames, out, strict=True):
        face = parser(clean[None])[0].argmax(0) == 1
        missed = parser(protected[None])[0].argmax(0)[face] == 0
        assert missed.float().mean() > 0.8


def test_inherited_success_costs_no_update(frames, setting):
    _, log = run([frames[0]] * 3, setting, sharing="plain", decay=1)
    assert log["success"] == [1.0] * 3
    assert log["iterations"][1:] == [0, 0]


def test_first_frame_is_checked_every_nth_iteration(frames, setting):
    _, every = run(frames[:1], setting, max_iterations_first=100)
    _, fifth = run(frames[:1], setting, max_iterations_first=100, check_every_first=5)
    assert fifth["success"] == [1.0]
    assert fifth["iterations"][0] % 5 == 0
    assert fifth["iterations"][0] - every["iterations"][0] >= 0


def test_last_iteration_is_judged_too(frames, setting):
    """The log describes the picture that is published, also when time ran out."""
    _, whole = run(frames[:1], setting)
    enough = int(whole["iterations"][0])
    _, just = run(frames[:1], setting, max_iterations_first=enough)
    _, short = run(frames[:1], setting, max_iterations_first=enough - 1)
    assert (just["success"], short["success"]) == ([1.0], [0.0])
    assert short["iterations"] == [enough - 1]


def test_seed_decides(frames, setting):
    one, _ = run(frames[:1], setting)
    other, _ = run(frames[:1], replace(setting, seed=8))
    assert not torch.equal(one[0], other[0])


def test_no_budget_changes_nothing_and_costs_nothing(frames, setting):
    out, log = run(frames[:2], replace(setting, budget=Budget(0.9 / 255)))
    assert all(torch.equal(a, b) for a, b in zip(out, frames, strict=False))
    assert log["iterations"] == [0, 0]


def test_surrogate_is_needed(frames, setting):
    with pytest.raises(UserError, match="surrogate"):
        next(protect(iter(frames), replace(setting, surrogate=None), VdfParameters(), Record()))


def test_parameters_from_the_command_line():
    defense = registry.create("defenses", "vdf", {"scales": "1,0.5", "weights": "1,0.6", "mask": "false", "gain": "10"})
    assert defense.parameters.scales == (1.0, 0.5)
    assert defense.parameters.mask is False
    with pytest.raises(UserError, match="as many weights"):
        registry.create("defenses", "vdf", {"scales": "1,0.5"})
    with pytest.raises(UserError, match=r"vdf\.region"):
        registry.create("defenses", "vdf", {"region": "nose"})


@pytest.mark.parametrize("updates", ["all", "unmet", "first-unmet"])
def test_choices_of_scales_reach_success_at_all_of_them(frames, setting, updates):
    out, log = run(frames[:4], setting, updates=updates, learning_rate=0.1, max_iterations=30)
    assert log["success"] == [1.0] * 4
    assert all(log[f"share@{scale:g}"][-1] > 0.8 for scale in VdfParameters().scales)
    assert len(out) == 4


def test_an_update_goes_back_through_unmet_scales_only(frames, setting, parser):
    """Scale 2 is told as hidden from the start: with ``unmet`` no gradient passes it, with ``all`` it does."""

    def backs(updates):
        seen = []

        class Watched(torch.nn.Module):
            def forward(self, x):
                logits = parser(x)
                if logits.requires_grad:
                    if x.shape[-1] == 64:
                        logits = logits + torch.tensor([900.0] + [0.0] * 18)[:, None, None]
                    logits.register_hook(lambda gradient, edge=x.shape[-1]: seen.append(edge))
                return logits

        watched = replace(setting, surrogate=Watched())
        run(frames[:1], watched, updates=updates, max_iterations_first=2, learning_rate=0.001)
        return set(seen)

    assert backs("all") == {16, 24, 32, 48, 64}
    assert backs("unmet") == {16, 24, 32, 48}
    assert len(backs("first-unmet")) < 4


def test_bfloat16_keeps_the_success_rule(frames, setting, parser):
    out, log = run(frames[:4], setting, precision="bfloat16", learning_rate=0.1, max_iterations=30)
    assert log["success"] == [1.0] * 4
    for clean, picture in zip(frames, out, strict=False):
        hidden = parser(picture[None])[0].argmax(0)[parser(clean[None])[0].argmax(0) == 1] == 0
        assert hidden.float().mean() > 0.79


def test_motion_needs_fewer_updates_where_the_picture_moves(setting, parser):
    """A textured disc that jumps three pixels a frame takes its perturbation along."""
    rng = torch.Generator().manual_seed(5)
    disc = 0.52 + 0.02 * torch.randn(3, 20, 20, generator=rng)
    clip = []
    for index in range(5):
        frame = torch.full((3, 32, 32), 0.40)
        frame[:, 6:26, 3 * index : 3 * index + 20] = disc
        clip.append((frame * 255).round() / 255)
    needed = {
        motion: sum(
            run(clip, setting, motion=motion, domain="spatial", learning_rate=0.05, max_iterations=30)[1]["iterations"][
                1:
            ]
        )
        for motion in (True, False)
    }
    assert needed[True] < needed[False]
