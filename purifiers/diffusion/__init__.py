"""Purification by a diffusion model: noise that drowns the perturbation, then pictures as the model knows them.

Each method has two names. The plain one runs the user's own weights and cannot run without them; the one that ends in
``-synth`` runs ``denoiser-synth``, which ships and knows rendered heads: the same method, and a small fraction of a
real model's reach. Both say so in their titles, and the name stands in every chain and table.

Frames are purified one by one; the noise of each follows from the seed and the frame's number alone. What comes out is
rounded to 8 bits. A strength of zero leaves frames as they are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from vdf_bench.core.cards import Card, Component, Parameters
from vdf_bench.core.interfaces import Harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting
    from vdf_bench.purifiers.diffusion.stream import Wash

SHIPPED = "with the shipped denoiser-synth"
#: What is said of every purifier that runs ``denoiser-synth``.
SMALL = "Runs denoiser-synth, learnt in minutes from rendered heads, in place of the published model"
PIXELS = ("extra:diffusers", "user:pixel-diffusion")


class _Purifier(Component, ABC):
    """Frames through a wash of single pictures."""

    #: Whether ``denoiser-synth`` runs, or the user's model.
    shipped: ClassVar[bool] = False

    @abstractmethod
    def wash(self, device: str) -> Wash | None:
        """What happens to a frame; None where the strength is zero."""

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        from vdf_bench.purifiers.diffusion.stream import each

        return each(frames, self.wash(setting.device), setting)


class DiffPureParameters(Parameters):
    """Parameters of DiffPure."""

    t: int = Field(
        150,
        ge=0,
        le=1000,
        description="noise, thousandths of the schedule (DiffPure: 100 CIFAR-10, 150 ImageNet, 500 CelebA-HQ)",
    )
    steps: int = Field(0, ge=0, le=1000, description="evenly spaced denoising steps; 0 takes all t of them (official)")


class DiffPure(_Purifier):
    """Diffusion purification (Nie et al. 2022)."""

    card = Card(
        name="diffpure",
        title="DiffPure, frame by frame, with the user's unconditional diffusion model",
        summary="Noise to step t, then ancestral sampling back, by an unconditional UNet2DModel of diffusers.",
        source="Nie et al., Diffusion Models for Adversarial Purification, section 3; t of the official scripts",
        url="https://arxiv.org/abs/2205.07460",
        year=2022,
        needs=PIXELS,
        cost="hours",
        short="t",
    )
    parameters_model: ClassVar[type[Parameters]] = DiffPureParameters
    harmless: ClassVar[Harmless | None] = Harmless({"t": 0})

    def wash(self, device: str) -> Wash | None:
        from vdf_bench.models.pixels import load_pixels
        from vdf_bench.purifiers.diffusion.sampling import DiffusionWash

        t, steps = self.parameters.t, self.parameters.steps
        return DiffusionWash(load_pixels(self.shipped, device), t, steps or t) if t else None


class DiffPureSynthParameters(DiffPureParameters):
    """Parameters of DiffPure on small frames."""

    t: int = Field(
        100,
        ge=0,
        le=1000,
        description="noise, thousandths of the schedule (DiffPure: 100 for the smallest pictures, CIFAR-10)",
    )
    steps: int = Field(10, ge=0, le=1000, description="evenly spaced denoising steps; 0 takes all t of them (official)")


class DiffPureSynth(DiffPure):
    """DiffPure with the shipped denoiser."""

    card = Card(
        name="diffpure-synth",
        title=f"DiffPure, frame by frame, {SHIPPED}",
        summary=f"{SMALL}; t=100 in 10 steps by default.",
        source=DiffPure.card.source,
        url=DiffPure.card.url,
        year=DiffPure.card.year,
        needs=("weights:denoiser-synth",),
        cost="minutes",
        short="t",
    )
    parameters_model: ClassVar[type[Parameters]] = DiffPureSynthParameters
    shipped = True


class GridPureParameters(Parameters):
    """Parameters of GrIDPure."""

    t: int = Field(
        10, ge=0, le=250, description="noise, in 250ths of the schedule: 10 is step 40 of 1000 (DiffShortcut's setting)"
    )
    iterations: int = Field(10, ge=0, description="times that the frame is purified (DiffShortcut's setting)")
    gamma: float = Field(0.1, ge=0, le=1, description="share of the frame before that each iteration keeps (official)")
    window: int = Field(
        256, ge=16, description="edge of the windows, pixels, at most the frame's; they overlap by half"
    )
    steps: int = Field(0, ge=0, le=250, description="denoising steps per iteration; 0 takes all t of them (official)")


class GridPure(_Purifier):
    """Grid-based iterative diffusion purification (Zhao et al. 2024)."""

    card = Card(
        name="grid-pure",
        title="GrIDPure, frame by frame, with the user's unconditional diffusion model",
        summary="A little DiffPure, ten times, in windows that overlap by half; every time a tenth of what was before "
        "is kept. The four corners, which one window alone covers, are purified once more as one picture.",
        source="Zhao et al., Can Protective Perturbation Safeguard Personal Data ...; values of DiffShortcut",
        url="https://arxiv.org/abs/2312.00084",
        year=2024,
        needs=PIXELS,
        cost="hours",
        short="t",
    )
    parameters_model: ClassVar[type[Parameters]] = GridPureParameters
    harmless: ClassVar[Harmless | None] = Harmless({"t": 0})

    def wash(self, device: str) -> Wash | None:
        from vdf_bench.models.pixels import load_pixels
        from vdf_bench.purifiers.diffusion.sampling import DiffusionWash
        from vdf_bench.purifiers.diffusion.windows import GridWash

        chosen = self.parameters
        if not chosen.t or not chosen.iterations or chosen.gamma == 1:
            return None
        # Of a schedule respaced to 250 steps, each is four of the thousand.
        small = DiffusionWash(load_pixels(self.shipped, device), 4 * chosen.t, chosen.steps or chosen.t)
        return GridWash(small, chosen.window, chosen.iterations, chosen.gamma)


class GridPureSynthParameters(GridPureParameters):
    """Parameters of GrIDPure on small frames."""

    iterations: int = Field(
        4, ge=0, description="times that the frame is purified (DiffShortcut: 10, which washes rendered heads away)"
    )
    steps: int = Field(1, ge=0, le=250, description="denoising steps per iteration; 0 takes all t of them (official)")


class GridPureSynth(GridPure):
    """GrIDPure with the shipped denoiser."""

    card = Card(
        name="grid-pure-synth",
        title=f"GrIDPure, frame by frame, {SHIPPED}",
        summary=f"{SMALL}; one denoising step per iteration by default.",
        source=GridPure.card.source,
        url=GridPure.card.url,
        year=GridPure.card.year,
        needs=("weights:denoiser-synth",),
        cost="minutes",
        short="t",
    )
    parameters_model: ClassVar[type[Parameters]] = GridPureSynthParameters
    shipped = True


class NoisyUpscaleParameters(Parameters):
    """Parameters of noisy upscaling."""

    sigma: float = Field(0.1, ge=0, le=1, description="standard deviation of the noise on [0, 1] pixels (official 0.1)")
    noise_level: int = Field(320, ge=0, le=350, description="noise level given to the upscaler (official 320)")
    steps: int = Field(75, ge=1, le=1000, description="denoising steps of the upscaler (diffusers' default)")


class NoisyUpscale(_Purifier):
    """Noisy upscaling (Hönig et al. 2025)."""

    card = Card(
        name="noisy-upscale",
        title="noisy upscaling, frame by frame, with the user's Stable Diffusion x4 upscaler",
        summary="Gaussian noise, then Stable Diffusion's 4x upscaler, and back to the frame's size by area. The prompt "
        "is empty, where the official code describes each picture.",
        source="Hönig et al., Adversarial Perturbations Cannot Reliably Protect Artists; official code",
        url="https://arxiv.org/abs/2406.12027",
        year=2025,
        needs=("extra:diffusers", "user:stable-diffusion-x4-upscaler"),
        cost="hours",
        short="sigma",
    )
    parameters_model: ClassVar[type[Parameters]] = NoisyUpscaleParameters
    harmless: ClassVar[Harmless | None] = Harmless({"sigma": 0})

    def wash(self, device: str) -> Wash | None:
        from vdf_bench.assets.third_party import path_of
        from vdf_bench.purifiers.diffusion.upscale import StableUpscaleWash

        chosen = self.parameters
        folder = path_of("stable-diffusion-x4-upscaler")
        return (
            StableUpscaleWash(folder, chosen.sigma, chosen.noise_level, chosen.steps, device) if chosen.sigma else None
        )


class NoisyUpscaleSynthParameters(Parameters):
    """Parameters of noisy upscaling by a denoiser."""

    sigma: float = Field(0.1, ge=0, le=1, description="standard deviation of the noise on [0, 1] pixels (official 0.1)")
    factor: int = Field(2, ge=1, le=4, description="enlargement in between (official 4)")
    refine: int = Field(
        20, ge=0, le=1000, description="noise at which the enlarged frame is refined, thousandths of the schedule"
    )


class NoisyUpscaleSynth(_Purifier):
    """Noisy upscaling with the shipped denoiser in place of an upscaler."""

    card = Card(
        name="noisy-upscale-synth",
        title=f"noisy upscaling, frame by frame, {SHIPPED} as upscaler",
        summary=f"{SMALL}: the noisy frame is denoised, enlarged twice, refined by a little diffusion at that size, "
        "and shrunk again.",
        source=NoisyUpscale.card.source,
        url=NoisyUpscale.card.url,
        year=NoisyUpscale.card.year,
        needs=("weights:denoiser-synth",),
        cost="minutes",
        short="sigma",
    )
    parameters_model: ClassVar[type[Parameters]] = NoisyUpscaleSynthParameters
    harmless: ClassVar[Harmless | None] = Harmless({"sigma": 0})
    shipped = True

    def wash(self, device: str) -> Wash | None:
        from vdf_bench.models.pixels import load_pixels
        from vdf_bench.purifiers.diffusion.upscale import UpscaleWash

        chosen = self.parameters
        if not chosen.sigma:
            return None
        return UpscaleWash(load_pixels(self.shipped, device), chosen.sigma, chosen.factor, chosen.refine)


class ImpressParameters(Parameters):
    """Parameters of IMPRESS."""

    steps: int = Field(3000, ge=0, description="Adam steps per frame (official: 3000 for Glaze, 1000 for PhotoGuard)")
    rate: float = Field(0.01, gt=0, le=1, description="Adam's learning rate on [-1, 1] pixels (official: 0.01, 0.005)")
    alpha: float = Field(0.1, ge=0, description="weight of what exceeds the bound (official: 0.1, 0.01)")
    bound: float = Field(0.1, ge=0, description="LPIPS (VGG) distance from the frame that costs nothing (official 0.1)")
    noise: float = Field(0.1, ge=0, le=2, description="of the start, on [-1, 1] pixels (official: 0.1, 0.05)")


class Impress(_Purifier):
    """IMPRESS (Cao et al. 2023)."""

    card = Card(
        name="impress",
        title="IMPRESS, frame by frame, with the user's Stable Diffusion and LPIPS backbone",
        summary="Optimises the frame until Stable Diffusion's autoencoder reproduces it, within a perceptual bound; "
        "the official settings against Glaze by default.",
        source="Cao et al., IMPRESS, section 4; official code",
        url="https://arxiv.org/abs/2310.19248",
        year=2023,
        needs=("extra:diffusers", "user:stable-diffusion-v1", "user:vgg16-397923af.pth"),
        cost="hours",
        short="steps",
    )
    parameters_model: ClassVar[type[Parameters]] = ImpressParameters
    harmless: ClassVar[Harmless | None] = Harmless({"steps": 0})

    def wash(self, device: str) -> Wash | None:
        from vdf_bench.purifiers.diffusion.consistency import ConsistencyWash, autoencoded, lpips_from

        chosen = self.parameters
        if not chosen.steps:
            return None
        return ConsistencyWash(
            autoencoded(device), lpips_from(device), chosen.steps, chosen.rate, chosen.alpha, chosen.bound, chosen.noise
        )


class ImpressSynthParameters(ImpressParameters):
    """Parameters of IMPRESS with a denoiser."""

    steps: int = Field(10, ge=0, description="Adam steps per frame (official: 3000 for Glaze, 1000 for PhotoGuard)")
    rate: float = Field(0.1, gt=0, le=1, description="Adam's learning rate on [-1, 1] pixels (official: 0.01, 0.005)")
    bound: float = Field(0.1, ge=0, description="root mean square change, on [-1, 1] pixels, that costs nothing")
    t: int = Field(
        100,
        ge=1,
        le=1000,
        description="noise from which the denoiser must reproduce the frame, thousandths of the schedule",
    )


class ImpressSynth(_Purifier):
    """IMPRESS with the shipped denoiser in place of the autoencoder."""

    card = Card(
        name="impress-synth",
        title=f"IMPRESS, frame by frame, {SHIPPED} in place of the autoencoder",
        summary=f"{SMALL}: the frame is optimised until the denoiser reproduces it from noise, within a bound on its "
        "root mean square change in place of LPIPS.",
        source=Impress.card.source,
        url=Impress.card.url,
        year=Impress.card.year,
        needs=("weights:denoiser-synth",),
        cost="minutes",
        short="steps",
    )
    parameters_model: ClassVar[type[Parameters]] = ImpressSynthParameters
    harmless: ClassVar[Harmless | None] = Harmless({"steps": 0})
    shipped = True

    def wash(self, device: str) -> Wash | None:
        from vdf_bench.models.pixels import load_pixels
        from vdf_bench.purifiers.diffusion.consistency import ConsistencyWash, Denoised, root_mean_square

        chosen = self.parameters
        if not chosen.steps:
            return None
        denoised = Denoised(load_pixels(self.shipped, device), chosen.t)
        return ConsistencyWash(
            denoised, root_mean_square, chosen.steps, chosen.rate, chosen.alpha, chosen.bound, chosen.noise
        )
