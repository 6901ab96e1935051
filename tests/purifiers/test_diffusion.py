"""Diffusion purifiers: their arithmetic, their windows, their noise, and weights that must not be trusted."""

import sys

import numpy as np
import pytest
import torch

from vdf_bench.assets import checkpoints
from vdf_bench.assets.checkpoints import check_model_folder, folder_fingerprint
from vdf_bench.assets.folders import WEIGHTS_VARIABLE
from vdf_bench.assets.needs import unmet
from vdf_bench.attackers.chain import canonical_chain
from vdf_bench.core import registry
from vdf_bench.core.errors import UserError
from vdf_bench.models.denoiser import add_noise, linear_schedule
from vdf_bench.models.pixels import UserPixels, load_pixels
from vdf_bench.purifiers.diffusion.consistency import ConsistencyWash, root_mean_square
from vdf_bench.purifiers.diffusion.sampling import DiffusionWash, spaced_steps
from vdf_bench.purifiers.diffusion.stream import each
from vdf_bench.purifiers.diffusion.upscale import UpscaleWash
from vdf_bench.purifiers.diffusion.windows import GridWash, starts

from .conftest import portrait, psnr, purified, setting

PLAIN = ("diffpure", "grid-pure", "noisy-upscale", "impress")


class Constant:
    """Knows that every picture is ``value``: the perfect denoiser of one picture."""

    def __init__(self, value):
        self.alpha_bar, self.value, self.asked = linear_schedule(), value, []

    def predict(self, noisy, step):
        self.asked.append(int(step[0]))
        share = self.alpha_bar[step].view(-1, 1, 1, 1)
        return (noisy - share.sqrt() * self.value) / (1 - share).sqrt()


def noise():
    return torch.Generator().manual_seed(5)


def test_steps_are_spaced_evenly_and_end_at_the_noise_that_was_asked_for():
    assert spaced_steps(100, 10) == list(range(99, 0, -10))
    assert spaced_steps(4, 4) == [3, 2, 1, 0] == spaced_steps(4, 90)
    assert spaced_steps(1000, 1) == [999]


def test_a_denoiser_that_knows_the_picture_gets_it_back():
    model = Constant(0.25)
    out = DiffusionWash(model, 100, 4)(torch.full((1, 3, 8, 8), 0.5), noise())
    assert torch.allclose(out, torch.full_like(out, 0.25), atol=1e-4)
    assert model.asked == spaced_steps(100, 4)


def test_ancestral_samples_have_the_spread_of_the_step():
    """On the way back, pictures of a known scene carry as much noise as the schedule says at each step."""
    model, seen = Constant(0.0), {}
    predict = model.predict

    def watch(noisy, step):
        seen[int(step[0])] = float(noisy.std())
        return predict(noisy, step)

    model.predict = watch
    DiffusionWash(model, 400, 5)(torch.zeros(1, 3, 64, 64), noise())
    for step, spread in seen.items():
        assert spread == pytest.approx(float((1 - model.alpha_bar[step]) ** 0.5), rel=0.04)


@pytest.mark.parametrize(("edge", "window"), [(96, 96), (512, 256), (300, 256), (65, 32), (257, 256)])
def test_windows_cover_the_frame_and_never_leave_it(edge, window):
    covered = np.zeros(edge, int)
    for start in starts(edge, window):
        assert 0 <= start <= edge - window
        covered[start : start + window] += 1
    assert covered.min() >= 1


@pytest.mark.parametrize("shape", [(48, 48), (80, 80), (49, 77), (33, 33)])
def test_windows_put_together_what_they_took_apart(shape):
    picture = (torch.rand(1, 3, *shape, generator=noise()) * 255).round() / 127.5 - 1
    sizes = []

    def same(signal, generator):
        sizes.append(tuple(signal.shape[2:]))
        return signal

    out = GridWash(same, 32, 2, 0.1)(picture, noise())
    assert torch.allclose(out, picture, atol=1e-5)
    assert set(sizes) == {(32, 32)}


def test_gamma_keeps_a_share_of_what_was_before():
    out = GridWash(lambda signal, _: torch.zeros_like(signal), 32, 2, 0.5)(torch.full((1, 3, 40, 40), 1.0), noise())
    assert torch.allclose(out, torch.full_like(out, 0.25), atol=1 / 127)


def test_the_upscaler_denoises_at_the_level_of_the_noise():
    model = Constant(0.1)
    out = UpscaleWash(model, 0.1, 2, 0)(torch.zeros(1, 3, 16, 16), noise())
    share = model.alpha_bar[model.asked[0]]
    assert float(((1 - share) / share) ** 0.5) / 2 == pytest.approx(0.1, rel=0.02)
    assert out.shape == (1, 3, 16, 16) and torch.allclose(out, torch.full_like(out, 0.1), atol=1e-4)


def test_consistency_goes_to_the_fixed_point_unless_the_bound_holds_it():
    signal = torch.full((1, 3, 8, 8), 0.5)

    def halve(x, generator):
        return 0.5 * x

    free = ConsistencyWash(halve, root_mean_square, 60, 0.05, 0.0, 0.1, 0.0)(signal, noise())
    held = ConsistencyWash(halve, root_mean_square, 60, 0.05, 10.0, 0.1, 0.0)(signal, noise())
    assert float(free.abs().max()) < 0.1
    assert float(root_mean_square(held, signal)) < 0.15 < float(root_mean_square(free, signal))


def test_noise_belongs_to_the_frame_and_the_seed():
    frame = portrait(32, 1)[0]
    around = setting(32)

    def add(signal, generator):
        return signal + 0.1 * torch.randn(signal.shape, generator=generator)

    first, second = each(iter([frame, frame]), add, around)
    assert not torch.equal(first, second)
    (alone,) = each(iter([frame]), add, around)
    assert torch.equal(first, alone)
    assert torch.equal(first * 255, (first * 255).round())


def test_the_shipped_denoiser_washes_noise_out_of_a_portrait():
    frame = portrait(64, 1)
    noisy = (frame + 0.09 * torch.randn(frame.shape, generator=noise())).clamp(0, 1)
    assert psnr(purified("diffpure-synth:50", noisy), frame) > psnr(noisy, frame) + 3
    share = load_pixels(True).alpha_bar[99]
    assert add_noise(frame, torch.zeros_like(frame), share).shape == frame.shape


def test_stronger_washing_costs_more_of_a_clean_frame():
    frame = portrait(64, 1)
    costs = [psnr(purified(f"diffpure-synth:{t}", frame), frame) for t in (10, 50, 200)]
    assert costs[0] > costs[1] > costs[2]


def test_names_say_what_runs(tmp_path, monkeypatch):
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))
    for name in PLAIN:
        assert unmet(registry.load("purifiers", name).card)
        shipped = registry.load("purifiers", f"{name}-synth").card
        assert unmet(shipped) is None and "denoiser-synth" in shipped.title
        assert canonical_chain(f"{name}-synth").startswith(f"{name}-synth:")
    assert canonical_chain("diffpure") == "diffpure:150" and canonical_chain("diffpure-synth") == "diffpure-synth:100"


def test_untrusted_folders_are_refused_before_they_are_read(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="not found"):
        check_model_folder(tmp_path / "absent")
    (tmp_path / "diffusion_pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(UserError, match="no safetensors"):
        UserPixels(tmp_path)
    (tmp_path / "diffusion_pytorch_model.safetensors").write_bytes(b"x" * 100)
    monkeypatch.setattr(checkpoints, "FOLDER_FILE_LIMIT", 99)
    with pytest.raises(UserError, match="larger than"):
        check_model_folder(tmp_path)
    monkeypatch.setattr(checkpoints, "FOLDER_FILE_LIMIT", 100)
    monkeypatch.setattr(checkpoints, "FOLDER_TEXT_LIMIT", 10)
    (tmp_path / "config.json").write_text("[" * 50)
    with pytest.raises(UserError, match="larger than"):
        check_model_folder(tmp_path)
    assert folder_fingerprint(tmp_path) != folder_fingerprint(tmp_path / "absent")


def test_without_diffusers_the_remedy_is_named(tmp_path, monkeypatch):
    (tmp_path / "diffusion_pytorch_model.safetensors").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(UserError, match=r"vdf-bench\[diffusion\]"):
        UserPixels(tmp_path)


@pytest.mark.parametrize("nested", [True, False])
def test_a_users_unconditional_model_runs(nested, tmp_path, monkeypatch):
    diffusers = pytest.importorskip("diffusers")
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))
    folder = tmp_path / "pixel-diffusion"
    torch.manual_seed(0)
    network = diffusers.UNet2DModel(
        sample_size=32,
        block_out_channels=(8, 16, 16),
        down_block_types=("DownBlock2D",) * 3,
        up_block_types=("UpBlock2D",) * 3,
        norm_num_groups=4,
    )
    network.save_pretrained(folder / "unet" if nested else folder)
    diffusers.DDPMScheduler().save_pretrained(folder / "scheduler" if nested else folder)
    frames = portrait(37, 2)
    out = purified("diffpure:10,steps=2+grid-pure:1,iterations=1,window=32", frames)
    assert out.shape == frames.shape and not torch.equal(out, frames)
    assert torch.allclose(UserPixels(folder).alpha_bar, linear_schedule(), atol=1e-4)
