"""Face parsers: RGB in, logits of the 19 CelebAMask-HQ classes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vdf_bench.core import registry
from vdf_bench.core.errors import UserError
from vdf_bench.models.bisenet import CLASS_COUNT, NARROW_WIDTHS, QUARTER_WIDTHS, BiSeNet
from vdf_bench.models.context import ContextNet
from vdf_bench.models.layers import fold_batch_norm
from vdf_bench.models.unet import UNet
from vdf_bench.parsers import OFFICIAL_SIZE, SHIPPED_EDGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Parser(nn.Module):
    """A frozen or trainable face parser.

    Args:
        network: maps normalised RGB to (N, 19, h, w) logits of any resolution.
        edges: smallest and largest edge at which :meth:`parse` looks at a frame; others are resized.
        double_below: pictures with a shorter edge are doubled inside :meth:`forward`.
    """

    def __init__(self, network: nn.Module, edges: tuple[int, int], double_below: int = 0) -> None:
        super().__init__()
        self.network = network
        self.edges = edges
        self.double_below = double_below
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)

    def normalise(self, x: Tensor) -> Tensor:
        """[0, 1] RGB to zero mean and unit variance, with ImageNet's statistics."""
        return (x - self.get_buffer("mean")) / self.get_buffer("std")

    def enlarge(self, x: Tensor) -> Tensor:
        """Double small pictures: the finest features stand at a quarter of the edge, too few on 48 px."""
        if min(x.shape[2:]) >= self.double_below:
            return x
        return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, 19, H, W) of RGB pictures (N, 3, H, W) in [0, 1]; differentiable, any size from 32 px."""
        logits: Tensor = self.network(self.normalise(self.enlarge(x)))
        if logits.shape[2:] != x.shape[2:]:
            logits = F.interpolate(logits, x.shape[2:], mode="bilinear", align_corners=False)
        return logits

    def look(self, frames: NDArray[np.uint8]) -> Tensor:
        """(T, H, W, 3) uint8 RGB to (T, 3, h, w) in [0, 1], of the size at which :meth:`parse` looks at them."""
        device = self.get_buffer("mean").device
        x = torch.from_numpy(np.ascontiguousarray(frames)).to(device).permute(0, 3, 1, 2).float() / 255
        size = frames.shape[1:3]
        longest = max(size)
        edge = min(max(longest, self.edges[0]), self.edges[1])
        if edge == longest:
            return x
        seen = [round(side * edge / longest) for side in size]
        return F.interpolate(x, seen, mode="bilinear", align_corners=False, antialias=edge < longest)

    @torch.no_grad()
    def logits(self, frames: NDArray[np.uint8], batch: int = 16) -> Iterator[Tensor]:
        """Logits (B, 19, H, W) of (T, H, W, 3) uint8 RGB frames, ``batch`` at a time."""
        size = frames.shape[1:3]
        for start in range(0, len(frames), batch):
            found = self(self.look(frames[start : start + batch]))
            if found.shape[2:] != size:
                found = F.interpolate(found, size, mode="bilinear", align_corners=False)
            yield found

    def parse(self, frames: NDArray[np.uint8], batch: int = 16) -> NDArray[np.uint8]:
        """Label every pixel.

        Args:
            frames: (T, H, W, 3) uint8 RGB.
            batch: frames per forward pass; shapes memory, not the result.

        Returns:
            (T, H, W) uint8 classes.
        """
        labels = np.empty(frames.shape[:3], np.uint8)
        for k, found in enumerate(self.logits(frames, batch)):
            labels[k * batch : (k + 1) * batch] = found.argmax(1).byte().cpu().numpy()
        return labels


#: Architecture -> an untrained parser of it.
ARCHITECTURES: Final[dict[str, Callable[[], Parser]]] = {
    "bisenet-quarter": lambda: Parser(BiSeNet(QUARTER_WIDTHS, middle=48, dense=True), SHIPPED_EDGES, double_below=80),
    "bisenet-narrow": lambda: Parser(BiSeNet(NARROW_WIDTHS, middle=32, dense=True), SHIPPED_EDGES, double_below=64),
    "bisenet-official": lambda: Parser(BiSeNet(), (OFFICIAL_SIZE, OFFICIAL_SIZE)),
    "context": lambda: Parser(ContextNet(CLASS_COUNT), SHIPPED_EDGES, double_below=64),
    "unet": lambda: Parser(UNet(CLASS_COUNT), SHIPPED_EDGES),
}


def new_parser(name: str) -> Parser:
    """An untrained parser of the architecture that the registered network ``name`` has.

    Raises:
        UserError: there is no such parser, or it is no network of this package.
    """
    architecture = getattr(registry.load("parsers", name), "architecture", None)
    if architecture is None:
        raise UserError(f"parser {name} is not a network of this package")
    return ARCHITECTURES[architecture]()


def load_parser(name: str) -> Parser:
    """The registered network ``name`` with its weights: frozen, evaluating, batch norms folded.

    Raises:
        UserError: no such parser, or its weights are absent or damaged.
    """
    loaded: Parser = registry.create("parsers", name).load()
    return loaded


def frozen(parser: Parser) -> Parser:
    """The parser, evaluating and frozen, with batch norms folded."""
    parser.eval().requires_grad_(False)
    fold_batch_norm(parser)
    return parser
