"""`vdf-bench models train NAME`: render people, train, measure the gates, write weights and card."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vdf_bench.assets.shipped import SHIPPED, save_shipped
from vdf_bench.core.errors import UserError
from vdf_bench.training.augment import Augmenter, Views
from vdf_bench.training.common import UNSEEN, rounded
from vdf_bench.training.data import render_views, textures
from vdf_bench.training.gates import GATES, embedder_gates, landmarker_gates, parser_gates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from vdf_bench.training.common import Progress


#: Seeds of the voices that ``audio-mouth`` hears, and its optimiser steps.
VOICES = range(0, 1000)
VOICE_STEPS = 2200
#: Identities behind the linear face model.
FACE_SHAPE_IDENTITIES = range(0, 400)
#: A surrogate must find faces, no more: what a defense does to hair and cloth is of no account.
SURROGATE_GATES = {"grouped_iou": 0.75, "face_recall": 0.80}
#: Edge of rendered views, pixels.
EDGE = 256


@dataclass(frozen=True)
class Recipe:
    """How one network is trained.

    Attributes:
        title: what it is.
        identities: seeds of the people that it sees.
        views: renders of each.
        steps: optimiser steps.
        limits: what it cannot do, for the card.
        shift: added to the seed of initialisation, backgrounds and augmentation, so that networks share none of them.
        smoothing: of a parser's labels.
        required: gates that are lower for this network than :data:`vdf_bench.training.gates.GATES`.
    """

    title: str
    identities: Sequence[int]
    views: int
    steps: int
    limits: str
    shift: int = 0
    smoothing: float = 0.08
    required: dict[str, float] = field(default_factory=dict)


RECIPES = {
    "builtin": Recipe(
        "face parser, BiSeNet family at quarter width, half strides",
        range(0, 300), 8, 1900,
        "trained on rendered heads: hair, neck and torso of real pictures are rougher than the face; no defence "
        "against adversarial perturbations was trained in",
    ),
    "heldout": Recipe(
        "face parser, U-Net with group norm; judges transfer, never a surrogate",
        range(4000, 4120), 8, 2000,
        "trained on rendered heads, other people than builtin's: hair, neck and torso of real pictures are rougher "
        "than the face",
        # Other smoothing makes other confidence: the held-out parser is to differ in every way that it can.
        smoothing=0.03,
    ),
    "surrogate-b": Recipe(
        "face parser, BiSeNet family, narrower than builtin; a surrogate of defenses, never an attacker's",
        range(8000, 8120), 6, 1500,
        "trained briefly and on few rendered heads; on real pictures it is unmeasured, and its lips are rougher than "
        "builtin's",
        shift=8000,
        required=SURROGATE_GATES,
    ),
    "surrogate-c": Recipe(
        "face parser, dilated convolutions at one resolution; a surrogate of defenses, never an attacker's",
        range(12000, 12120), 6, 1500,
        "trained briefly and on few rendered heads; on real pictures it is unmeasured",
        shift=12000,
        required=SURROGATE_GATES,
    ),
    "landmarker": Recipe(
        "68 landmarks (iBUG order) and face score, two heatmap passes",
        range(0, 300), 8, 2000,
        "one face per frame, yaw up to about 45 degrees; the jaw line follows the rendered heads' convention",
    ),
    "id-synth": Recipe(
        "identity embedder, 128-d, ArcFace loss, aligned 64 px faces",
        [*range(0, 300), *range(4000, 4120)], 8, 1400,
        "tells rendered people apart; on photographs of real people its threshold is uncalibrated",
    ),
}  # fmt: skip


def train(
    name: str,
    seed: int = 0,
    out: Path = SHIPPED,
    progress: Progress = lambda *_: None,
    views: Views | None = None,
    unseen: Views | None = None,
    scale: float = 1.0,
) -> dict[str, Any]:
    """Train a shipped network from nothing but its seed, and write ``out/NAME.safetensors`` and ``out/NAME.json``.

    Args:
        name: one of :data:`RECIPES`, ``audio-mouth``, ``latent-synth``, ``denoiser-synth``, ``stargan-synth``,
            ``attgan-synth`` or ``face-shape``.
        seed: of initialisation, augmentation and order; the same seed on the same machine gives the same weights.
        out: folder to write to.
        progress: called with the state of the training.
        views: training views, where they are rendered already.
        unseen: gate views, where they are rendered already.
        scale: multiplies the number of steps.

    Returns:
        The gates as measured.

    Raises:
        UserError: there is no such network.
    """
    if name == "face-shape":
        return _write_face_shape(out)
    if name == "audio-mouth":
        return _train_audio_mouth(seed, out, progress, scale)
    if name in ("latent-synth", "denoiser-synth"):
        from vdf_bench.training.train_diffusion import train_diffusion

        return train_diffusion(name, seed, out, progress, views, unseen, scale)
    if name in ("stargan-synth", "attgan-synth"):
        from vdf_bench.training.train_editors import train_editor

        return train_editor(name, seed, out, progress, scale=scale)
    if name not in RECIPES:
        others = ("audio-mouth", "latent-synth", "denoiser-synth", "stargan-synth", "attgan-synth", "face-shape")
        raise UserError(f"cannot train {name!r}; there are {', '.join([*RECIPES, *others])}")
    recipe = RECIPES[name]
    nan = float("nan")
    if views is None:
        views = render_views(recipe.identities, recipe.views, EDGE, progress=lambda done: progress("render", done, nan))
    if unseen is None:
        unseen = render_views(UNSEEN, 6, EDGE, 0.5, lambda done: progress("render gates", done, nan))
    steps = max(1, round(recipe.steps * scale))
    started = time.process_time()
    with torch.random.fork_rng():
        torch.manual_seed(seed + recipe.shift)
        network, gates = _fit(name, views, unseen, seed + recipe.shift, steps, progress)
    description = {
        "title": recipe.title,
        "licence": "Apache-2.0",
        "parameters": sum(p.numel() for p in network.parameters()),
        "data": f"{len(views)} rendered views of {len(np.unique(views.identity))} synthetic people "
        f"(identity seeds {_spans(views.identity)}), domain-randomised; backgrounds and "
        "cloth painted or cut from scikit-image's public-domain photographs; no picture of a real person",
        "seed": seed + recipe.shift,
        "steps": steps,
        "cpu_seconds": round(time.process_time() - started),
        "gates_on": f"{len(unseen)} views of {len(np.unique(unseen.identity))} people never trained on "
        f"(identity seeds {UNSEEN.start}-{UNSEEN.stop - 1})",
        "gates": gates,
        "required": {key: value for key, value in (GATES | recipe.required).items() if key in gates},
        "limits": recipe.limits,
    }
    if "tau" in gates:
        description["tau"] = gates["tau"]
    save_shipped(name, network.state_dict(), description, out)
    return gates


def _fit(
    name: str, views: Views, unseen: Views, seed: int, steps: int, progress: Progress
) -> tuple[nn.Module, dict[str, Any]]:
    from vdf_bench.core import registry
    from vdf_bench.models.embedder import Embedder
    from vdf_bench.models.landmarker import Landmarker
    from vdf_bench.parsers.network import new_parser
    from vdf_bench.training.learn import learn_embedder, learn_landmarker, learn_parser

    def tell(done: float, loss: float) -> None:
        progress("train", done, loss)

    data = Augmenter(views, textures(seed), seed)
    if name in registry.names("parsers"):
        parser = new_parser(name)
        learn_parser(parser, data, steps, RECIPES[name].smoothing, tell)
        return parser.network, rounded(parser_gates(parser, unseen))
    if name == "landmarker":
        landmarker = Landmarker()
        learn_landmarker(landmarker, data, steps, tell)
        return landmarker, rounded(landmarker_gates(landmarker, unseen))
    embedder = Embedder()
    people, index = np.unique(views.identity, return_inverse=True)
    learn_embedder(embedder, lambda: _identity_batch(data, index, 96), len(people), steps, tell)
    return embedder, rounded(embedder_gates(embedder, unseen))


def _identity_batch(data: Augmenter, people: NDArray[np.int64], count: int) -> tuple[Tensor, Tensor]:
    """Aligned crops, mirrored, relit and degraded."""
    from vdf_bench.models.embedder import align
    from vdf_bench.training.augment import degrade

    # Sharp and soft sources in turn: the embedder is to read 64 px frames and 256 px ones.
    views = data.views if data.chance(0.4) else data.small
    chosen = torch.randint(len(views), (count,), generator=data.generator).numpy()
    points = views.landmarks[chosen]
    eyes = np.linalg.norm(points[:, 45] - points[:, 36], axis=1)[:, None, None]
    jitter = 0.03 * eyes * torch.randn(count, 68, 2, generator=data.generator).numpy()
    jitter = jitter + 0.02 * eyes * torch.randn(count, 1, 2, generator=data.generator).numpy()
    images = torch.from_numpy(views.rgb[chosen]).permute(0, 3, 1, 2).float() / 255
    crops = align(images, points + jitter)
    mirrored = torch.rand(count, 1, 1, 1, generator=data.generator) < 0.5
    crops = torch.where(mirrored, crops.flip(3), crops)
    return degrade(data.light(crops), data), torch.from_numpy(people[chosen])


def _train_audio_mouth(seed: int, out: Path, progress: Progress, scale: float) -> dict[str, Any]:
    from vdf_bench.models.audio_mouth import AudioMouth
    from vdf_bench.training.gates import audio_mouth_gates
    from vdf_bench.training.speech import SECONDS, learn_audio_mouth, utterances

    nan = float("nan")
    started = time.process_time()
    voices = VOICES[: max(1, round(len(VOICES) * scale))]
    data = utterances(voices, lambda done: progress("speak", done, nan))
    steps = max(1, round(VOICE_STEPS * scale))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = AudioMouth()
        learn_audio_mouth(network, data, steps, seed, lambda done, loss: progress("train", done, loss))
    gates: dict[str, Any] = rounded(audio_mouth_gates(network, utterances(UNSEEN)))
    description = {
        "title": "lips from sound: 1-D convolutions over log-mel, mouth opening and width, and features",
        "licence": "Apache-2.0",
        "parameters": sum(p.numel() for p in network.parameters()),
        "data": f"{len(data.mel)} synthesised utterances of {SECONDS} s (seeds {voices.start}-{voices.stop - 1}): some "
        "forty phones after Peterson and Barney (1952) through random voices, rooms, microphones and noise, every "
        "fifth in the nine phones of the rendered clips; no recording of a real person",
        "seed": seed,
        "steps": steps,
        "cpu_seconds": round(time.process_time() - started),
        "gates_on": f"{len(UNSEEN)} utterances never trained on (seeds {UNSEEN.start}-{UNSEEN.stop - 1}): mean "
        "correlation within an utterance",
        "gates": gates,
        "required": {key: value for key, value in GATES.items() if key in gates},
        "limits": "learnt from rules, not from people: real voices are followed about half as well as synthesised "
        "ones; sound that is out of step with the picture is taken as it is; languages other than English are "
        "unmeasured",
    }
    save_shipped("audio-mouth", network.state_dict(), description, out)
    return gates


def _write_face_shape(out: Path) -> dict[str, Any]:
    from vdf_bench.scenes.shape import landmark_shape

    mean, modes = landmark_shape(FACE_SHAPE_IDENTITIES)
    description = {
        "title": "mean and modes of 68 landmarks in head coordinates",
        "licence": "Apache-2.0",
        "data": f"neutral landmarks of {len(FACE_SHAPE_IDENTITIES)} synthetic people (identity seeds "
        f"{FACE_SHAPE_IDENTITIES.start}-{FACE_SHAPE_IDENTITIES.stop - 1}) and their mouth and lid movement",
        "modes": "identity by falling variance, one standard deviation each; then mouth opening, mouth width, lids",
        "gates": {},
        "limits": "rendered people: real faces vary in more ways than these",
    }
    state = {"mean": torch.from_numpy(np.asarray(mean)), "modes": torch.from_numpy(np.asarray(modes))}
    save_shipped("face-shape", state, description, out, half=False)
    return {}


def _spans(identity: NDArray[np.int64]) -> str:
    """Seeds as text: ``0-299, 4000-4119``."""
    seeds = np.unique(identity)
    runs = np.split(seeds, np.nonzero(np.diff(seeds) > 1)[0] + 1)
    return ", ".join(f"{run[0]}-{run[-1]}" for run in runs)
