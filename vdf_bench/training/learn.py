"""The training loops of the shipped networks: losses, schedules, and nothing of where data comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vdf_bench.core.labels import CLASS_WEIGHT
from vdf_bench.models.bisenet import BiSeNet
from vdf_bench.models.embedder import WIDTH
from vdf_bench.models.landmarker import INPUT, Landmarker, PointNet, crop_frame, rotate, sample_crop, wing
from vdf_bench.training.augment import Augmenter, Placement

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdf_bench.parsers.network import Parser

    #: Told the share of work done and the running loss.
    Progress = Callable[[float, float], None]

#: Edges at which parsers train, and how often: the five scales of VDF on 96 and 128 px frames lie between them.
SIZES = ((48, 0.1), (64, 0.12), (96, 0.18), (128, 0.25), (192, 0.2), (256, 0.15))
#: Pixels in a parser's batch: small pictures come in larger batches.
BATCH_PIXELS = 12 * 128 * 128


class Descent:
    """AdamW on a one-cycle schedule, with clipped gradients and a running loss."""

    def __init__(self, network: nn.Module, steps: int, peak: float, progress: Progress) -> None:
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(self.parameters, lr=peak, weight_decay=1e-4, betas=(0.9, 0.99))
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimiser, peak, total_steps=steps, pct_start=0.15)
        self.steps, self.done, self.loss, self.progress = steps, 0, 0.0, progress

    def step(self, loss: Tensor) -> None:
        """One step down ``loss``."""
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.parameters, 2.0)
        self.optimiser.step()
        self.schedule.step()
        self.done += 1
        self.loss = float(loss.detach()) if self.done == 1 else 0.97 * self.loss + 0.03 * float(loss.detach())
        if self.done % 20 == 0 or self.done == self.steps:
            self.progress(self.done / self.steps, self.loss)


def learn_parser(parser: Parser, data: Augmenter, steps: int, smoothing: float, progress: Progress) -> None:
    """Train a parser at several sizes with smoothed labels.

    Args:
        parser: trained in place.
        data: source of batches.
        steps: optimiser steps.
        smoothing: share of the target spread over all classes; it keeps a gradient on confident pixels.
        progress: called with the state of the training.
    """
    descent = Descent(parser, steps, 1.5e-3, progress)
    weight = torch.tensor(CLASS_WEIGHT)
    shares = torch.tensor([share for _, share in SIZES])
    parser.train().to(memory_format=torch.channels_last)
    for _ in range(steps):
        size = SIZES[int(torch.multinomial(shares, 1, generator=data.generator))][0]
        # No face smaller than a dozen pixels, none larger than the picture.
        low = max(0.2, 14 / size)
        edge = 2 * size if size < parser.double_below else size
        count = min(max(4, BATCH_PIXELS // edge**2), 32)
        batch = data.batch(count, size, Placement(height=(low, 0.85), absent=0.04))
        x = parser.normalise(parser.enlarge(batch.image)).contiguous(memory_format=torch.channels_last)
        # Halves the time where the processor has bfloat16.
        with torch.autocast("cpu", torch.bfloat16):
            if isinstance(parser.network, BiSeNet):
                main, *auxiliary = parser.network.heads(x)
            else:
                main, auxiliary = parser.network(x), []
        loss = _cross_entropy(main, batch.labels, weight, smoothing)
        for logits in auxiliary:
            step = max(1, size // logits.shape[2])
            coarse = batch.labels[:, step // 2 :: step, step // 2 :: step]
            loss = loss + 0.2 * F.cross_entropy(logits.float(), coarse, weight, label_smoothing=smoothing)
        descent.step(loss)
    parser.eval().to(memory_format=torch.contiguous_format)


def _cross_entropy(logits: Tensor, labels: Tensor, weight: Tensor, smoothing: float) -> Tensor:
    """Cross entropy of upsampled logits; every other pixel will do in large pictures."""
    step = 2 if labels.shape[1] >= 128 else 1
    full = F.interpolate(logits.float(), labels.shape[1:], mode="bilinear", align_corners=False)
    full, labels = full[..., step // 2 :: step, step // 2 :: step], labels[:, step // 2 :: step, step // 2 :: step]
    return F.cross_entropy(full, labels, weight, label_smoothing=smoothing)


def learn_landmarker(landmarker: Landmarker, data: Augmenter, steps: int, progress: Progress) -> None:
    """Train the coarse network on frames and the refining one on jittered crops."""
    halves = ((landmarker.coarse, 0.0, 0.4, _coarse_batch), (landmarker.refine, 0.4, 0.6, _refine_batch))
    for network, begin, share, draw in halves:

        def tell(done: float, loss: float, begin: float = begin, share: float = share) -> None:
            progress(begin + share * done, loss)

        count = max(1, round(steps * share))
        descent = Descent(network, count, 1.5e-3, tell)
        network.train().to(memory_format=torch.channels_last)
        for _ in range(count):
            image, target, present = draw(data)
            descent.step(_point_loss(network, image, target, present))
        network.eval().to(memory_format=torch.contiguous_format)


def _coarse_batch(data: Augmenter) -> tuple[Tensor, Tensor, Tensor]:
    batch = data.batch(32, INPUT, Placement(height=(0.18, 0.85), absent=0.2))
    return batch.image, batch.landmarks * 2 / INPUT - 1, batch.present


def _refine_batch(data: Augmenter) -> tuple[Tensor, Tensor, Tensor]:
    """Crops around the true face, shifted, scaled and turned by what the coarse pass gets wrong."""
    size = (64, 96, 128, 160)[int(torch.randint(4, (), generator=data.generator))]
    batch = data.batch(28, size, Placement(height=(0.3, 0.8), absent=0.15))
    centre, half, angle = crop_frame(batch.landmarks)
    count = len(half)
    centre = centre + 0.12 * half[:, None] * torch.randn(count, 2, generator=data.generator)
    half = half * torch.exp(0.14 * torch.randn(count, generator=data.generator))
    angle = angle + 0.12 * torch.randn(count, generator=data.generator)
    crop = sample_crop(batch.image, centre, half, angle)
    return crop, rotate(batch.landmarks - centre[:, None], -angle) / half[:, None, None], batch.present


def _point_loss(network: PointNet, image: Tensor, target: Tensor, present: Tensor) -> Tensor:
    """Wing loss of the points of present faces inside the picture, and cross entropy of the face logit."""
    with torch.autocast("cpu", torch.bfloat16):
        points, logit = network(image.contiguous(memory_format=torch.channels_last))
    scale = (target[:, 45] - target[:, 36]).norm(dim=1).clamp(min=0.05)[:, None, None]
    valid = (target.abs().amax(2, keepdim=True) < 1) * present[:, None, None]
    loss = (wing((points - target) / scale) * valid).sum() / (2 * valid.sum()).clamp(min=1)
    # A face that has left the picture is no face.
    seen = present * ((target.abs().amax(2) < 1).float().mean(1) > 0.6)
    return loss * 5 + F.binary_cross_entropy_with_logits(logit, seen * 0.96 + 0.02)


def learn_embedder(
    network: nn.Module, batches: Callable[[], tuple[Tensor, Tensor]], identities: int, steps: int, progress: Progress
) -> None:
    """ArcFace (Deng et al. 2019): additive angular margin on normalised embeddings.

    Args:
        network: maps crops to unit embeddings; trained in place.
        batches: draws crops (N, 3, 64, 64) in [0, 1] and identities (N,) int64 below ``identities``.
        identities: number of identities.
        steps: optimiser steps.
        progress: called with the state of the training.
    """
    scale, margin = 24.0, 0.35
    centres = nn.Linear(WIDTH, identities, bias=False)
    both = nn.ModuleList([network, centres])
    descent = Descent(both, steps, 3e-3, progress)
    network.train()
    for step in range(steps):
        crops, identity = batches()
        cosine = F.linear(network(crops), F.normalize(centres.weight)).clamp(-0.999, 0.999)
        target = F.one_hot(identity, identities).bool()
        # The margin grows in: from the first step on it keeps the embedding from forming at all.
        angle = margin * min(1.0, 3 * step / steps)
        logits = scale * torch.where(target, torch.cos(torch.acos(cosine) + angle), cosine)
        descent.step(F.cross_entropy(logits, identity))
    network.eval()
