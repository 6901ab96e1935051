"""The parsing objective: make a face parser miss a region, at several scales at once (VDF, ``fft_ifftmask.py``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch
import torch.nn.functional as F

from vdf_bench.core.errors import UserError
from vdf_bench.core.labels import FACE, LIPS

if TYPE_CHECKING:
    from torch import Tensor

    from vdf_bench.core.interfaces import DifferentiableParser, Setting
    from vdf_bench.defenses.common.parameters import Loss, ParsingParameters, Region

#: Source labels, and the target labels that they shall turn into (the official ``attack_class``).
REGIONS: Final[dict[Region, tuple[tuple[int, ...], tuple[int, ...]]]] = {
    "full_face": (FACE, (0,)),
    "mouth": (LIPS, (14, 16, 0)),
    "neck": ((14,), (1, 0)),
    "face": ((1,), (14, 16)),
}


def require_surrogate(setting: Setting, name: str) -> DifferentiableParser:
    """The parser that ``setting`` lends.

    Raises:
        UserError: there is none.
    """
    if setting.surrogate is None:
        raise UserError(f"defense {name} differentiates a face parser: Setting.surrogate must name one")
    return setting.surrogate


def resize(picture: Tensor, scale: float) -> Tensor:
    """Resize (3, H, W) to (1, 3, h, w) as the official code does: bilinear, half-pixel centres, no antialiasing."""
    # Channels last: convolutions on a CPU are a third faster so.
    batch = picture[None].contiguous(memory_format=torch.channels_last)
    if scale == 1:
        return batch
    return F.interpolate(batch, scale_factor=scale, mode="bilinear", align_corners=False)


def parsing_loss(logits: Tensor, targets: tuple[int, ...], kind: Loss) -> Tensor:
    """How far the source pixels are from their targets; lower is better for the defender.

    Args:
        logits: (19, n), of the n source pixels.
        targets: labels any of which will do; their probabilities add up.
        kind: ``log`` is the official ``mean log(1 - p + 1e-4)``; ``cross-entropy`` is ``-mean log p``.
    """
    log_p = torch.logsumexp(F.log_softmax(logits, 0)[list(targets)], 0)
    if kind == "log":
        return torch.log(1 - log_p.exp() + 1e-4).mean()
    return -log_p.mean()


def relabelled_share(logits: Tensor, targets: tuple[int, ...]) -> float:
    """Share of the n source pixels of ``logits`` (19, n) whose most likely label is a target."""
    labels = logits.detach().argmax(0)
    return float(torch.isin(labels, torch.tensor(targets, device=labels.device)).float().mean())


@dataclass(frozen=True)
class Sight:
    """One scale at which a frame shows its source region.

    Attributes:
        scale: resize factor.
        weight: of this scale in the loss.
        pixels: (n,) int64, flat positions of the source pixels in the resized frame; n > 0.
    """

    scale: float
    weight: float
    pixels: Tensor


@dataclass(frozen=True)
class Glance:
    """What the parser says of a picture at one scale.

    Attributes:
        scale: resize factor.
        loss: parsing loss times the scale's weight; scalar.
        share: of the source pixels now read as a target.
    """

    scale: float
    loss: Tensor
    share: float


@dataclass(frozen=True)
class ParsingResult:
    """What the parser says of a picture.

    Attributes:
        loss: weighted sum of the parsing losses over the scales; scalar.
        by_scale: share of source pixels now read as a target, of each scale in sight.
        success: every share exceeds the required one. A frame that shows no source pixel at any scale is a success:
            there is nothing to hide.
    """

    loss: Tensor
    by_scale: dict[float, float]
    success: bool

    @property
    def share(self) -> float:
        """The smallest share; 1 where nothing was in sight."""
        return min(self.by_scale.values(), default=1.0)


class ParsingObjective:
    """Loss and success rule of an attack on ``surrogate``.

    Each scale costs one forward pass: the logits of the loss serve the success rule too.
    """

    def __init__(self, surrogate: DifferentiableParser, parameters: ParsingParameters) -> None:
        self._surrogate = surrogate
        self._parameters = parameters
        self._sources, self._targets = REGIONS[parameters.region]

    def prepare(self, clean: Tensor, *, reduced: bool = False) -> list[Sight]:
        """Find the source region of a clean frame (3, H, W) at every scale.

        Scales at which the parser does not find the region on the *clean* frame are left out. (The official code
        counts them as share 0, and can then never stop.)

        Args:
            clean: the frame.
            reduced: let the parser compute in bfloat16.
        """
        parameters = self._parameters
        found = []
        for scale, weight in zip(parameters.scales, parameters.weights, strict=True):
            pixels = self.find(clean, scale, reduced=reduced).flatten().nonzero()[:, 0]
            if len(pixels):
                found.append(Sight(scale, weight, pixels))
        return found

    @torch.no_grad()
    def find(self, clean: Tensor, scale: float = 1.0, *, reduced: bool = False) -> Tensor:
        """Where the source region is in a clean frame (3, H, W) seen at ``scale``: (h, w) bool."""
        labels = self._logits(clean, scale, reduced).argmax(0)
        return torch.isin(labels, torch.tensor(self._sources, device=labels.device))

    def look(self, picture: Tensor, sight: Sight, *, reduced: bool = False) -> Glance:
        """Look at a protected frame (3, H, W) at one scale; the loss is differentiable where ``picture`` is."""
        # Pixel by pixel, as channels-last logits lie in memory.
        pixels = self._logits(picture, sight.scale, reduced).permute(1, 2, 0).flatten(0, 1)
        logits = pixels.index_select(0, sight.pixels).float().T
        loss = sight.weight * parsing_loss(logits, self._targets, self._parameters.loss)
        return Glance(sight.scale, loss, relabelled_share(logits, self._targets))

    def met(self, glance: Glance) -> bool:
        """The success rule at one scale."""
        return glance.share > self._parameters.success_share

    def combine(self, picture: Tensor, glances: list[Glance]) -> ParsingResult:
        """Sum up glances at all scales in sight."""
        loss = sum((glance.loss for glance in glances), picture.new_zeros(()))
        shares = {glance.scale: glance.share for glance in glances}
        return ParsingResult(loss, shares, all(self.met(glance) for glance in glances))

    def judge(self, picture: Tensor, prepared: list[Sight]) -> ParsingResult:
        """Judge a protected frame (3, H, W); differentiable where ``picture`` is."""
        return self.combine(picture, [self.look(picture, sight) for sight in prepared])

    def _logits(self, picture: Tensor, scale: float, reduced: bool) -> Tensor:
        """(19, h, w) logits of (3, H, W)."""
        with torch.autocast(picture.device.type, torch.bfloat16, enabled=reduced):
            logits: Tensor = self._surrogate(resize(picture, scale))[0]
        return logits
