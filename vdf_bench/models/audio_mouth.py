"""``audio-mouth``: what sound alone says of anybody's lips, and features of it that a clip's own map can build on.

It plays the part of the frozen speech network of the official pipelines (DeepSpeech, wav2vec, HuBERT, or SyncTalk's
lip-sync expert) at a thousandth of their size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vdf_bench.assets.shipped import load_shipped

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEL_BINS: Final = 80
#: Channels inside, and features that it hands out.
WIDTH: Final = 96
FEATURES: Final = 24
#: Steps of the log-mel (100 Hz) in one of the network's.
STRIDE: Final = 2
#: Steps of log-mel by which the ends are held.
MARGIN: Final = 40
DILATIONS: Final = (1, 2, 4, 8, 1)


class Heard(NamedTuple):
    """What the network says, 50 times a second.

    Attributes:
        mouth: (N, L, 2) opening and width, no unit: about zero mean and unit variance over speech.
        features: (N, L, FEATURES), from which ``mouth`` is linear.
    """

    mouth: Tensor
    features: Tensor


class Residual(nn.Module):
    """Dilated convolution, normalisation over channels, and back onto the input."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, WIDTH)
        self.conv = nn.Conv1d(WIDTH, WIDTH, 3, padding=dilation, dilation=dilation)
        self.mix = nn.Conv1d(WIDTH, WIDTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.mix(F.gelu(self.conv(self.norm(x))))
        return out


class AudioMouth(nn.Module):
    """1-D convolutions over log-mel, 0.7 s of context."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv1d(2 * MEL_BINS, WIDTH, 5, STRIDE, 2)
        self.body = nn.Sequential(*(Residual(dilation) for dilation in DILATIONS))
        self.features = nn.Conv1d(WIDTH, FEATURES, 1)
        self.mouth = nn.Conv1d(FEATURES, 2, 1)

    def forward(self, mel: Tensor) -> Heard:
        """Listen to (N, M, 80) log-mel at 100 Hz, L = ceil(M / 2)."""
        x = torch.cat([mel - 0.5, mel - _tone(mel)], 2).transpose(1, 2) * 2
        features = torch.tanh(self.features(self.body(F.gelu(self.stem(x)))))
        return Heard(self.mouth(features).transpose(1, 2), features.transpose(1, 2))

    @torch.no_grad()
    def hear(
        self, mel: NDArray[np.float32], times: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mouth (T, 2) and features (T, FEATURES) float32 at ``times`` (T,) in seconds, from (M, 80) log-mel."""
        # What the ends hold goes on beyond them: the convolutions' own zeros are no sound that anybody makes.
        heard: Heard = self(torch.from_numpy(np.pad(mel, ((MARGIN, MARGIN), (0, 0)), "edge"))[None])
        times = times.clip(0, (len(mel) - 1) / 100) + MARGIN / 100
        return _at(heard.mouth[0].numpy(), times), _at(heard.features[0].numpy(), times)


def _at(track: NDArray[np.float32], times: NDArray[np.float64]) -> NDArray[np.float32]:
    """Linear interpolation of (L, K) at 50 Hz; its ends are held."""
    place = (times * 100 / STRIDE).clip(0, len(track) - 1)
    low = np.minimum(place.astype(int), max(len(track) - 2, 0))
    high = np.minimum(low + 1, len(track) - 1)
    share = (place - low)[:, None]
    return np.asarray((1 - share) * track[low] + share * track[high], np.float32)


def _tone(mel: Tensor) -> Tensor:
    """(N, 1, 80) mean over the steps where somebody speaks: voice, microphone and room, but not words."""
    loud = mel.mean(2, keepdim=True)
    speaks = torch.sigmoid(20 * (loud - 0.5 * loud.amax(1, keepdim=True)))
    return (mel * speaks).sum(1, keepdim=True) / speaks.sum(1, keepdim=True)


def load_audio_mouth() -> AudioMouth:
    """The shipped network, frozen.

    Raises:
        UserError: its weights are absent or damaged.
    """
    network = AudioMouth()
    network.load_state_dict(load_shipped("audio-mouth"))
    network.eval().requires_grad_(False)
    return network
