"""Latent diffusion: schedules, the small models that ship, and Stable Diffusion's interface on a tiny random copy."""

import json

import pytest
import torch

from vdf_bench.assets.folders import WEIGHTS_VARIABLE
from vdf_bench.assets.shipped import card
from vdf_bench.core.errors import UserError
from vdf_bench.models.autoencoder import Autoencoder, pad_to_cells
from vdf_bench.models.denoiser import Denoiser, add_noise, linear_schedule, load_denoiser, new_denoiser, remove_noise
from vdf_bench.models.diffusion import load_diffusion, load_synth, scaled_linear_schedule
from vdf_bench.training.gates import GATES
from vdf_bench.training.gates_diffusion import autoencoder_gates, noise_gates, psnr, signals, washing_gates
from vdf_bench.training.learn_diffusion import Crops, learn_autoencoder, learn_denoiser


@pytest.fixture(scope="module")
def synth():
    return load_synth()


def test_published_schedules():
    # DDPM: 1e-4 to 0.02; its signal is all but gone at the end. DiffPure's t = 100 leaves 0.895 of the variance.
    assert linear_schedule()[0] == pytest.approx(1 - 1e-4)
    assert linear_schedule()[99] == pytest.approx(0.8970, abs=1e-3)
    assert linear_schedule()[-1] < 1e-4
    # Stable Diffusion: roots of 0.00085 to 0.012.
    assert scaled_linear_schedule()[0] == pytest.approx(1 - 0.00085)
    assert scaled_linear_schedule()[-1] == pytest.approx(0.0047, abs=2e-4)


def test_noise_comes_off_as_it_went_on():
    signal, noise = torch.rand(2, 3, 8, 8), torch.randn(2, 3, 8, 8)
    share = linear_schedule()[[10, 600]]
    noisy = add_noise(signal, noise, share)
    assert torch.allclose(remove_noise(noisy, noise, share), signal, atol=1e-5)
    assert add_noise(signal, noise, torch.zeros(2)).equal(noise)


@pytest.mark.parametrize("size", [(32, 32), (36, 50), (9, 9)])
def test_pictures_of_any_size(synth, size):
    picture = torch.rand(2, 3, *size, requires_grad=True)
    latents = synth.encode(picture)
    assert latents.shape == (2, 4, -(-size[0] // 8), -(-size[1] // 8))
    noise = synth.predict(latents, torch.tensor([0, 999]))
    assert noise.shape == latents.shape
    noise.square().sum().backward()
    assert picture.grad.abs().amax((1, 2, 3)).min() > 0
    assert new_denoiser()(picture.detach(), torch.tensor([5, 5])).shape == picture.shape


def test_padding_mirrors_and_leaves_whole_cells_alone():
    picture = torch.arange(12.0).expand(1, 3, 8, 12)
    assert pad_to_cells(picture)[0, 0, 0, 10:].tolist() == [10, 11, 10, 9, 8, 7]
    whole = torch.rand(1, 3, 16, 8)
    assert pad_to_cells(whole) is whole


def test_latents_have_about_unit_variance_on_unseen_people(synth, unseen):
    latents = synth.encode((signals(unseen.rgb) + 1) / 2)
    assert 0.7 < float(latents.std()) < 1.4
    assert latents.requires_grad is False


def test_shipped_networks_do_what_their_cards_say(synth, unseen):
    # Few views, more degraded than the card's: allow for it.
    found = autoencoder_gates(synth.autoencoder, unseen.rgb)
    assert found["autoencoder_psnr"] > GATES["autoencoder_psnr"] - 1.5
    latents = synth.encode((signals(unseen.rgb) + 1) / 2)
    assert noise_gates(synth.denoiser, latents, synth.alpha_bar, 3)["noise_error"] < GATES["noise_error"]
    pictures = signals(unseen.rgb[:8])
    washed = washing_gates(load_denoiser(), pictures, linear_schedule(), 3)
    assert washed["denoised_gain"] > GATES["denoised_gain"] - 1
    assert washed["denoised_gain_over_blur"] > -0.5


@pytest.mark.parametrize("name", ["latent-synth", "denoiser-synth"])
def test_cards_meet_their_gates(name):
    content = card(name)
    assert content["required"]
    for gate, required in content["required"].items():
        measured = content["gates"][gate]
        assert measured <= required if gate == "noise_error" else measured >= required, gate


def test_psnr_counts_the_range_of_two():
    assert psnr(torch.zeros(1, 3, 4, 4), torch.full((1, 3, 4, 4), 0.2)) == pytest.approx(20)


def test_crops_are_a_function_of_the_seed():
    pictures = torch.arange(2 * 128 * 128 * 3).remainder(251).byte().view(2, 128, 128, 3).numpy()
    first, second, other = (Crops(pictures, pictures, seed).draw() for seed in (1, 1, 2))
    assert first.equal(second)
    assert first.shape != other.shape or not first.equal(other)
    assert first.min() >= -1 and first.max() <= 1


def test_learning_is_deterministic_and_goes_down():
    pictures = torch.randint(0, 255, (2, 16, 16, 3), generator=torch.Generator().manual_seed(0)).byte()
    pictures = pictures.repeat_interleave(8, 1).repeat_interleave(8, 2).numpy()

    def learn():
        torch.manual_seed(0)
        losses = []
        crops = Crops(pictures, pictures, 0)
        net = Denoiser(3, 2, (8, 8, 8))
        alpha_bar = linear_schedule()
        learn_denoiser(net, lambda: crops.draw(2, (32,)), crops, alpha_bar, 30, 1.0, lambda _, x: losses.append(x))
        return net.state_dict(), losses

    (first, losses), (second, _) = learn(), learn()
    assert all(first[key].equal(second[key]) for key in first)
    assert losses[-1] < losses[0] < 1.5
    autoencoder = Autoencoder((8, 8, 8))
    learn_autoencoder(autoencoder, Crops(pictures, pictures, 0), 1, lambda *_: None)
    assert autoencoder.scale != 1


def test_synth_is_taken_where_stable_diffusion_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))
    assert load_diffusion("auto").name == "synth"
    with pytest.raises(UserError, match=r"diffusers|stable-diffusion-v1"):
        load_diffusion("stable-diffusion")


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A Stable Diffusion of a few thousand random weights, in the user's folder."""
    diffusers, transformers = pytest.importorskip("diffusers"), pytest.importorskip("transformers")
    folder = tmp_path / "stable-diffusion-v1"
    torch.manual_seed(0)
    diffusers.AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=4,
        latent_channels=4,
    ).save_pretrained(folder / "vae")
    diffusers.UNet2DConditionModel(
        block_out_channels=(8, 16),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        norm_num_groups=4,
        cross_attention_dim=16,
        attention_head_dim=8,
    ).save_pretrained(folder / "unet")
    transformers.CLIPTextModel(
        transformers.CLIPTextConfig(
            vocab_size=20, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2
        )
    ).save_pretrained(folder / "text_encoder")
    (folder / "tokenizer").mkdir()
    words = {"<|startoftext|>": 0, "<|endoftext|>": 1, "a</w>": 2, "a": 3}
    (folder / "tokenizer" / "vocab.json").write_text(json.dumps(words))
    (folder / "tokenizer" / "merges.txt").write_text("#version: 0.2\n")
    diffusers.DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear").save_pretrained(
        folder / "scheduler"
    )
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))
    return folder


def test_stable_diffusion_through_diffusers(tiny):
    model = load_diffusion("auto")
    assert model.name == "stable-diffusion"
    assert torch.allclose(model.alpha_bar, scaled_linear_schedule(), atol=1e-6)
    picture = torch.rand(1, 3, 36, 32, requires_grad=True)
    latents = model.encode(picture)
    assert latents.shape == (1, 4, 5, 4)
    noise = model.predict(latents, torch.tensor([500]))
    assert noise.shape == latents.shape
    noise.square().sum().backward()
    assert picture.grad.abs().sum() > 0
    # [0, 1] out here, [-1, 1] inside, scaled by the published factor.
    from diffusers import AutoencoderKL

    vae = AutoencoderKL.from_pretrained(tiny / "vae").eval()
    grey = vae.encode(torch.zeros(1, 3, 32, 32)).latent_dist.mean * 0.18215
    assert torch.allclose(model.encode(torch.full((1, 3, 32, 32), 0.5)), grey, atol=1e-5)


def test_pickled_weights_are_not_read(tiny):
    for file in (tiny / "vae").glob("*.safetensors"):
        torch.save({}, file.with_suffix(".bin"))
        file.unlink()
    with pytest.raises(UserError, match="safetensors"):
        load_diffusion("stable-diffusion")


def test_other_predictions_are_refused(tiny):
    file = tiny / "scheduler" / "scheduler_config.json"
    file.write_text(file.read_text().replace('"epsilon"', '"v_prediction"'))
    with pytest.raises(UserError, match="v_prediction"):
        load_diffusion("stable-diffusion")
