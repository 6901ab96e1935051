"""What a drawn frame is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from vdf_bench.victims.common.ssim import dissimilarity

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.victims.common.targets import Targets
    from vdf_bench.victims.gaussian.field import Layers
    from vdf_bench.victims.gaussian.parameters import GaussianParameters


def frame_loss(
    layers: Layers, targets: Targets, inside: NDArray[np.bool_], i: int, fused: bool, parameters: GaussianParameters
) -> Tensor:
    """Loss of one frame.

    Trained apart, each set answers for its own pixels: the face for all but the inside of the mouth, and the mouth for
    the inside alone (TalkingGaussian, section 3.3). Fused, both answer for the whole frame, and the parsed inside
    counts no more: parsers see one between lips that are shut.

    Inside the hole any opacity of the face costs as much as the largest error of colour. TalkingGaussian paints the
    hole green; but Gaussians that cover it learn such a colour sooner than they part, must be found and pruned, and
    leave their tint on the teeth.

    Args:
        layers: both sets as drawn.
        targets: what was filmed.
        inside: (A, S, S) where each frame shows the inside of the mouth.
        i: which of the frames.
        fused: the sets are trained as one.
        parameters: weights.
    """
    device = layers.face.image.device

    def tensor(array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(array).to(device).float()

    backdrop, target = tensor(targets.backdrop[i]) / 255, tensor(targets.rgb[i]) / 255
    weight = tensor(weights(targets, i, parameters))
    hole = loss = torch.zeros_like(weight)
    image, transmittance = layers.fuse()
    if layers.mouth is not None and not fused:
        hole = tensor(inside[i])
        image, transmittance = layers.face.image, layers.face.transmittance
        inner = layers.mouth.image[..., :3] + layers.mouth.transmittance[..., None] * backdrop
        loss = weight * hole * ((inner - target).abs().mean(2) + 1 - transmittance)
    rgb = image[..., :3] + transmittance[..., None] * backdrop
    target = torch.lerp(target, rgb.detach(), hole[..., None])
    photometric = ((rgb - target).abs() * weight[..., None]).mean()
    if parameters.ssim_weight:
        photometric = torch.lerp(photometric, dissimilarity(rgb, target), parameters.ssim_weight)
    if targets.head is not None:
        head = tensor(targets.head[i]) * (1 - hole)
        loss = loss + parameters.mask_weight * (1 - transmittance - head) ** 2
    return photometric + loss.mean()


def weights(targets: Targets, i: int, parameters: GaussianParameters) -> NDArray[np.float32]:
    """(S, S) weights of the pixels of frame ``i``: more on eyes, most on the mouth."""
    weight = np.ones(targets.rgb.shape[1:3], np.float32)
    for left, top, right, bottom in targets.eyes[i]:
        weight[top:bottom, left:right] = parameters.eyes_weight
    left, top, right, bottom = targets.mouth[i]
    weight[top:bottom, left:right] = parameters.mouth_weight
    return weight
