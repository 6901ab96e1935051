"""`vdf-bench models train latent-synth` and ``denoiser-synth``: the networks of the shipped diffusion models."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from vdf_bench.assets.shipped import save_shipped
from vdf_bench.models.denoiser import linear_schedule, new_denoiser
from vdf_bench.models.diffusion import SynthDiffusion
from vdf_bench.training.common import UNSEEN, rounded
from vdf_bench.training.data import render_views, textures
from vdf_bench.training.gates import GATES
from vdf_bench.training.gates_diffusion import autoencoder_gates, noise_gates, signals, washing_gates
from vdf_bench.training.learn_diffusion import BATCH, EDGES, Crops, learn_autoencoder, learn_denoiser

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from vdf_bench.training.augment import Views
    from vdf_bench.training.common import Progress

#: Identity seeds of the people that are seen, and renders of each.
PEOPLE: Final = range(0, 160)
VIEWS: Final = 3
#: Edge of the renders, pixels.
EDGE: Final = 128
#: Optimiser steps of the three networks.
STEPS: Final = {"autoencoder": 500, "latent denoiser": 450, "denoiser": 1000}
TITLES: Final = {
    "latent-synth": "latent diffusion in Stable Diffusion's form: autoencoder to 4 channels at an eighth of the edge, "
    "and denoiser of its latents (scaled-linear schedule, 1000 steps)",
    "denoiser-synth": "denoiser of pictures in [-1, 1], any size (linear schedule of DDPM, 1000 steps)",
}
LIMITS: Final = {
    "latent-synth": "a thousandth of Stable Diffusion, learnt in minutes from rendered heads: it has the form of what "
    "image protections attack, and none of its reach; pictures come back about as sharp as enlarged 8 px mean colours",
    "denoiser-synth": "learnt in minutes from rendered heads at up to 96 px: less than 1 dB better than the best blur "
    "at step 100; real skin, hair and rooms are smoothed more than rendered ones",
}


def train_diffusion(
    name: str, seed: int, out: Path, progress: Progress, views: Views | None, unseen: Views | None, scale: float
) -> dict[str, Any]:
    """Train ``latent-synth`` or ``denoiser-synth`` and write it with its card.

    Arguments and result are those of :func:`vdf_bench.training.train.train`.
    """
    nan = float("nan")
    started = time.process_time()
    if views is None:
        views = render_views(PEOPLE, VIEWS, EDGE, 0.3, lambda done: progress("render", done, nan))
    if unseen is None:
        unseen = render_views(UNSEEN, 2, EDGE, 0.3, lambda done: progress("render gates", done, nan))
    crops = Crops(views.rgb, textures(seed, 200, EDGE), seed)
    steps = {part: max(1, round(count * scale)) for part, count in STEPS.items()}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network, gates = (_latent if name == "latent-synth" else _pictures)(crops, unseen, seed, steps, progress)
    used = [part for part in STEPS if (part == "denoiser") == (name == "denoiser-synth")]
    people = np.unique(views.identity)
    description = {
        "title": TITLES[name],
        "licence": "Apache-2.0",
        "parameters": sum(p.numel() for p in network.parameters()),
        "data": f"crops of {len(views)} rendered views of {len(people)} synthetic people (identity seeds {people[0]}-"
        f"{people[-1]}) and, one in four, of rooms and scikit-image's public-domain photographs; no picture of a "
        "real person",
        "seed": seed,
        "steps": {part: steps[part] for part in used},
        "cpu_seconds": round(time.process_time() - started),
        "gates_on": f"{len(unseen)} views of {len(np.unique(unseen.identity))} people never trained on (identity seeds "
        f"{UNSEEN.start}-{UNSEEN.stop - 1})",
        "gates": gates,
        "required": {key: value for key, value in GATES.items() if key in gates},
        "limits": LIMITS[name],
    }
    save_shipped(name, network.state_dict(), description, out)
    return gates


def _latent(
    crops: Crops, unseen: Views, seed: int, steps: dict[str, int], progress: Progress
) -> tuple[nn.Module, dict[str, Any]]:
    model = SynthDiffusion()
    learn_autoencoder(
        model.autoencoder, crops, steps["autoencoder"], lambda done, loss: progress("train autoencoder", done, loss)
    )

    @torch.no_grad()
    def draw() -> torch.Tensor:
        return model.autoencoder.encode(crops.draw(2 * BATCH, EDGES[1:]))

    learn_denoiser(
        model.denoiser,
        draw,
        crops,
        model.alpha_bar,
        steps["latent denoiser"],
        1.0,
        lambda done, loss: progress("train latent denoiser", done, loss),
    )
    with torch.no_grad():
        latents = model.autoencoder.encode(signals(unseen.rgb))
    gates = autoencoder_gates(model.autoencoder, unseen.rgb) | noise_gates(
        model.denoiser, latents, model.alpha_bar, seed
    )
    return model, rounded(gates)


def _pictures(
    crops: Crops, unseen: Views, seed: int, steps: dict[str, int], progress: Progress
) -> tuple[nn.Module, dict[str, Any]]:
    denoiser, alpha_bar, pictures = new_denoiser(), linear_schedule(), signals(unseen.rgb)
    # Many steps on few small crops teach more than few on many; purifiers start from small noise.
    learn_denoiser(
        denoiser,
        lambda: crops.draw(BATCH // 2, EDGES[:2]),
        crops,
        alpha_bar,
        steps["denoiser"],
        2.0,
        lambda done, loss: progress("train denoiser", done, loss),
    )
    gates = noise_gates(denoiser, pictures, alpha_bar, seed) | washing_gates(denoiser, pictures, alpha_bar, seed)
    return denoiser, rounded(gates)
