"""The network of the parser, once: as torch layers over weights by name, which the file ``parser.onnx`` gives out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch.nn.functional as F

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

#: Edge of the pictures that the network looks at, pixels.
EDGE: Final = 48
WIDTH: Final = 16
CLASSES: Final = 19
#: Of each block's depthwise convolution.
DILATIONS: Final = (1, 2, 4, 8)


def shapes() -> dict[str, tuple[int, ...]]:
    """Every weight and its shape, in the order of the file's outputs."""
    blocks = {
        f"{layer}.{k}.{part}": shape
        for k in range(len(DILATIONS))
        for layer, part, shape in (
            ("depthwise", "weight", (WIDTH, 1, 3, 3)),
            ("depthwise", "bias", (WIDTH,)),
            ("pointwise", "weight", (WIDTH, WIDTH, 1, 1)),
            ("pointwise", "bias", (WIDTH,)),
        )
    }
    return {
        "colour.weight": (WIDTH, 3, 3, 3),
        "colour.bias": (WIDTH,),
        "rows": (1, WIDTH, EDGE, 1),
        "columns": (1, WIDTH, 1, EDGE),
        **blocks,
        "classes.weight": (CLASSES, WIDTH, 1, 1),
        "classes.bias": (CLASSES,),
    }


def logits(weights: Mapping[str, Tensor], pictures: Tensor) -> Tensor:
    """What colour and place say of each pixel, then what its neighbours say.

    Args:
        weights: as :func:`shapes` lists them.
        pictures: (N, 3, EDGE, EDGE) RGB in [0, 1].

    Returns:
        (N, 19, EDGE, EDGE).
    """
    h = F.conv2d(pictures, weights["colour.weight"], weights["colour.bias"], padding=1)
    h = F.relu(h + weights["rows"] + weights["columns"])
    for k, dilation in enumerate(DILATIONS):
        near = F.conv2d(
            h,
            weights[f"depthwise.{k}.weight"],
            weights[f"depthwise.{k}.bias"],
            padding=dilation,
            dilation=dilation,
            groups=WIDTH,
        )
        h = h + F.relu(F.conv2d(near, weights[f"pointwise.{k}.weight"], weights[f"pointwise.{k}.bias"]))
    return F.conv2d(h, weights["classes.weight"], weights["classes.bias"])
