"""The contract of face parsers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from vdf_bench.core import labels as classes
from vdf_bench.testing.component import begin
from vdf_bench.testing.footage import clip, truth
from vdf_bench.testing.networks import gradient_of

if TYPE_CHECKING:
    from vdf_bench.core.cards import Component
    from vdf_bench.testing.report import Report

#: Edges of the frames that are parsed; networks that halve pictures meet odd ones too.
_SIZES: Final = (32, 45, 64)
_FRAMES: Final = 2
#: Share of pixels on which logits and parsing may differ: where two classes are equally likely.
_TIES: Final = 0.005


def check_parser(parser: type[Component] | Component) -> Report:
    """Check what a parser makes of frames and, where its card says ``differentiable``, that a defense can attack it.

    Args:
        parser: class or instance; see :class:`vdf_bench.core.interfaces.Parser`.

    Returns:
        a report with the fact ``head_iou``, intersection over union of the head on a rendered clip.

    Raises:
        AssertionError: a property does not hold.
    """
    report, new = begin(parser, "parsers", "load")
    card, model = new().card, new().load()
    edges = card.edges
    report.require(
        edges is None or 0 < edges[0] <= edges[1],
        "the edges on its card are an interval",
        str(edges),
        "write (smallest, largest) in pixels",
    )
    for size in sorted({*_SIZES, _own_size(edges)}):
        _check_parse(report, model, new().load(), size)
    size = _SIZES[-1]
    found, there = (classes.mask_of(each, classes.HEAD) for each in (
        model.parse(clip(size, _FRAMES).frames), truth(size, _FRAMES).labels
    ))  # fmt: skip
    report.facts["head_iou"] = float((found & there).sum() / max((found | there).sum(), 1))
    if card.differentiable:
        _check_gradients(report, model, _own_size(edges))
    report.require(
        not card.teachable or isinstance(model, torch.nn.Module),
        "one that can be taught is a torch.nn.Module",
        type(model).__qualname__,
        "derive the loaded parser from torch.nn.Module, or leave `teachable` out of the card",
    )
    return report


def _own_size(edges: tuple[int, int] | None) -> int:
    """An edge at which a parser looks at frames as they are."""
    return _SIZES[-1] if edges is None else min(max(_SIZES[-1], edges[0]), edges[1])


def _check_parse(report: Report, model: Any, other: Any, size: int) -> None:
    frames = clip(size, _FRAMES).frames.copy()
    found = model.parse(frames)
    report.require(
        isinstance(found, np.ndarray) and found.dtype == np.uint8 and found.shape == frames.shape[:3],
        "(T, S, S, 3) frames become (T, S, S) uint8 classes, at any size",
        f"{getattr(found, 'dtype', type(found))} {getattr(found, 'shape', '')} for frames {frames.shape}",
        "bring the classes back to the size of the frames, as a uint8 array",
    )
    report.require(
        int(found.max()) < len(classes.CLASSES),
        "classes are those of CelebAMask-HQ, 0 to 18",
        f"class {int(found.max())}",
        "map your classes to those of vdf_bench.core.labels.CLASSES",
    )
    report.require(
        np.array_equal(frames, clip(size, _FRAMES).frames),
        "it leaves the frames that it is given as they are",
        "a frame was written to",
        "copy frames before you change them in place",
    )
    report.require(
        np.array_equal(found, other.parse(frames)),
        "loaded twice, it finds the same",
        f"{(found != other.parse(frames)).mean():.2%} of the pixels differ",
        "switch the network to evaluation, and draw nothing at random",
    )


def _check_gradients(report: Report, model: Any, size: int) -> None:
    frames = clip(size, _FRAMES).frames
    pictures = (torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255).requires_grad_(True)
    report.require(
        model.to("cpu") is model,
        "it can be moved to a device",
        "to() returns another object",
        "return self from to(device)",
    )
    logits = model(pictures)
    expected = (_FRAMES, len(classes.CLASSES), size, size)
    report.require(
        tuple(logits.shape) == expected and bool(torch.isfinite(logits).all()),
        "it gives finite logits (N, 19, H, W) of pictures (N, 3, H, W) in [0, 1]",
        f"{tuple(logits.shape)} for pictures {tuple(pictures.shape)}",
        "resize logits to the pictures, and normalise pictures inside",
    )
    differ = float((logits.argmax(1).numpy() != model.parse(frames)).mean())
    report.require(
        differ <= _TIES,
        "the largest logit is the class that it parses",
        f"{differ:.2%} of the pixels differ at {size} px",
        "let both ways share weights, normalisation and resizing",
    )
    gradient = gradient_of((logits[:, 0] - logits[:, 1]).mean(), pictures)
    report.require(
        gradient is not None and bool(torch.isfinite(gradient).all()) and bool(gradient.abs().max() > 0),
        "its logits have finite gradients with respect to the picture",
        "none" if gradient is None else f"gradients of up to {float(gradient.abs().max()):.3g}",
        "compute in torch throughout, without detach, rounding or numpy",
    )
    learning = [name for name, weight in getattr(model, "named_parameters", tuple)() if weight.requires_grad]
    report.require(
        not learning,
        "it is frozen",
        ", ".join(learning[:3]),
        "call .eval().requires_grad_(False) in load",
    )
