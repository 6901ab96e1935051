"""The parser as it runs: masks by onnxruntime, logits with gradients by torch, both from the weights of one file.

A file of weights is input that may be damaged or made to do harm. So its size is limited before it is read, only
onnxruntime interprets it, and what it declares must be what :mod:`vdf_bench_example.network` expects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F

from vdf_bench.core.errors import UserError
from vdf_bench_example.network import CLASSES, EDGE, logits, shapes

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

#: Bytes; the file has about 25 kB.
SIZE_LIMIT: Final = 256 * 1024
#: Frames of one pass: shapes memory, not the result.
BATCH: Final = 16


class LoadedParser:
    """See :class:`vdf_bench.core.interfaces.DifferentiableParser`.

    Args:
        session: computes the output ``logits`` (N, 19, 48, 48) of the input ``pictures`` (N, 3, 48, 48).
        weights: what it computes with.
    """

    def __init__(self, session: Any, weights: dict[str, Tensor]) -> None:
        self.session = session
        self.weights = weights

    def to(self, device: str) -> Self:
        """Move what torch computes with; onnxruntime stays on the CPU."""
        self.weights = {name: weight.to(device) for name, weight in self.weights.items()}
        return self

    def __call__(self, pictures: Tensor) -> Tensor:
        """Logits (N, 19, H, W) of RGB pictures (N, 3, H, W) in [0, 1]; differentiable."""
        return _resized(logits(self.weights, look(pictures)), pictures.shape[2:])

    def parse(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(T, H, W, 3) uint8 RGB to (T, H, W) uint8 classes 0..18."""
        labels = np.empty(frames.shape[:3], np.uint8)
        for start in range(0, len(frames), BATCH):
            pictures = torch.from_numpy(frames[start : start + BATCH].copy()).permute(0, 3, 1, 2).float() / 255
            (found,) = self.session.run(["logits"], {"pictures": look(pictures).numpy()})
            full = _resized(torch.from_numpy(found), pictures.shape[2:])
            labels[start : start + BATCH] = full.argmax(1).byte().numpy()
        return labels


def look(pictures: Tensor) -> Tensor:
    """Pictures (N, 3, H, W) at the size that the network takes."""
    return _resized(pictures, torch.Size((EDGE, EDGE)))


def _resized(x: Tensor, size: torch.Size) -> Tensor:
    if x.shape[2:] == size:
        return x
    return F.interpolate(x, tuple(size), mode="bilinear", align_corners=False, antialias=size[0] < x.shape[2])


def load(path: Path) -> LoadedParser:
    """Read the parser's file.

    Raises:
        UserError: it is absent, too large, or not what :mod:`vdf_bench_example.network` describes.
    """
    advice = "install vdf-bench-example again"
    if not path.is_file():
        raise UserError(f"{path}: no such file; {advice}")
    if path.stat().st_size > SIZE_LIMIT:
        raise UserError(f"{path} is larger than {SIZE_LIMIT} bytes; {advice}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common public base
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path} cannot be read as ONNX: {reason}; {advice}") from None
    declared = {each.name: list(each.shape) for each in (*session.get_inputs(), *session.get_outputs())}
    expected = {"pictures": ["N", 3, EDGE, EDGE], "logits": ["N", CLASSES, EDGE, EDGE]}
    expected |= {f"out.{name}": list(shape) for name, shape in shapes().items()}
    if declared != expected:
        raise UserError(f"{path} is another network; {advice}")
    # The file gives out its weights, so that torch computes with the very same ones.
    values = session.run([f"out.{name}" for name in shapes()], {"pictures": np.zeros((1, 3, EDGE, EDGE), np.float32)})
    weights = {name: torch.from_numpy(value) for name, value in zip(shapes(), values, strict=True)}
    if not all(bool(torch.isfinite(weight).all()) for weight in weights.values()):
        raise UserError(f"{path} has weights that are not finite; {advice}")
    return LoadedParser(session, weights)
