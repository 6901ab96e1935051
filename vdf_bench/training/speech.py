"""What ``audio-mouth`` learns from, and how: voices in rooms, and lips that go with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import torch

from vdf_bench.capture.audio import log_mel
from vdf_bench.models.audio_mouth import STRIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.models.audio_mouth import AudioMouth

#: Length of an utterance, seconds; a training step sees half of it.
SECONDS: Final = 6
#: Every fifth utterance is in the clips' own speech.
PLAIN: Final = 5


class Utterances(NamedTuple):
    """Sound and lips, 100 times a second.

    Attributes:
        mel: (N, M, 80) float32 log-mel.
        lips: (N, M, 2) float32 opening and width.
    """

    mel: NDArray[np.float32]
    lips: NDArray[np.float32]


def utterances(seeds: Sequence[int], progress: Callable[[float], None] = lambda _: None) -> Utterances:
    """One recorded utterance for each seed, a function of the seed alone.

    Every fifth is in the phones of the rendered clips (:func:`vdf_bench.scenes.speech.synthesise`), the others in those
    of :mod:`vdf_bench.training.voices`.
    """
    from vdf_bench.scenes.speech import synthesise
    from vdf_bench.training.voices import RATE, record, speak

    mels, lips = [], []
    for done, seed in enumerate(seeds, 1):
        rng = np.random.default_rng([seed, 80])
        if seed % PLAIN == 0:
            sound, mouth = synthesise(SECONDS * RATE, seed * 1000, float(RATE))
        else:
            sound, mouth = speak(SECONDS, rng)
        if rng.random() < 0.85:
            sound = record(sound, rng)
        mels.append(log_mel(sound)[: SECONDS * RATE])
        lips.append(mouth[: SECONDS * RATE])
        if done % 20 == 0:
            progress(done / len(seeds))
    return Utterances(np.stack(mels), np.stack(lips))


def learn_audio_mouth(
    network: AudioMouth, data: Utterances, steps: int, seed: int, progress: Callable[[float, float], None]
) -> None:
    """Train on crops whose loudness, tone and time are bent, and from which bands and moments are missing."""
    from vdf_bench.training.learn import Descent

    generator = torch.Generator().manual_seed(seed)
    mel, lips = torch.from_numpy(data.mel), torch.from_numpy(data.lips)
    mean, spread = lips.mean((0, 1)), lips.std((0, 1))
    lips = (lips - mean) / spread
    descent = Descent(network, steps, 2e-3, progress)
    network.train()
    for _ in range(steps):
        chosen = torch.randint(len(mel), (24,), generator=generator)
        length = int(torch.randint(200, 401, (), generator=generator)) // STRIDE * STRIDE
        start = int(torch.randint(mel.shape[1] - length + 1, (), generator=generator))
        x = bend(mel[chosen, start : start + length], generator)
        target = lips[chosen, start : start + length : STRIDE]
        descent.step(lip_loss(network(x).mouth, target))
    network.eval()


def bend(mel: Tensor, generator: torch.Generator) -> Tensor:
    """Other gains and tones, a noise floor, and missing bands and moments (SpecAugment, Park et al. 2019)."""
    count, steps, bins = mel.shape

    def draw(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator)

    gain = 0.2 * (draw(count, 1, 1) - 0.5)
    axis = torch.linspace(-1, 1, bins)
    tone = 0.15 * (draw(count, 1, 1) - 0.5) * axis + 0.1 * (draw(count, 1, 1) - 0.5) * torch.cos(3 * axis)
    out = (mel + gain + tone).clamp(min=0)
    # Formants a little up or down: a shift along the mel axis.
    shift = (draw(count, 1) * 7 - 3.5).expand(count, bins)
    place = (torch.arange(bins) + shift).clamp(0, bins - 1)
    low = place.floor().long().clamp(max=bins - 2)
    share = (place - low)[:, None]
    index = low[:, None].expand(count, steps, bins)
    out = (1 - share) * out.gather(2, index) + share * out.gather(2, index + 1)
    floor = draw(count, 1, 1) ** 2 * 0.5
    out = torch.maximum(out, floor * (0.9 + 0.2 * draw(count, steps, bins)))
    for size, length, dim in ((bins, 10, 2), (steps, 12, 1)):
        first, extent = draw(count) * size, draw(count) * length
        where = torch.arange(size)
        hidden = (where >= first[:, None]) & (where < (first + extent)[:, None])
        hidden = hidden[:, None] if dim == 2 else hidden[:, :, None]
        out = torch.where(hidden, floor.expand_as(out), out)
    return out


def lip_loss(guess: Tensor, target: Tensor) -> Tensor:
    """Half squared error, half one minus the correlation within each crop: scale is the clip's own to find."""
    a, b = guess - guess.mean(1, keepdim=True), target - target.mean(1, keepdim=True)
    r = (a * b).sum(1) / (a.square().sum(1) * b.square().sum(1) + 1e-3).sqrt()
    return 0.5 * (guess - target).square().mean() + 0.5 * (1 - r).mean()
