"""A trained head: any field that can draw itself in a pose, with the code that drives it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from vdf_bench.core.interfaces import Rendering
from vdf_bench.victims.common.code import Code

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from vdf_bench.core.interfaces import Drive


class View(NamedTuple):
    """One frame to draw.

    Attributes:
        rotation: (3, 3) head to camera.
        translation: (3,) head units.
        focal: pixels.
        size: edge of the frame, pixels.
        code: (3,) driving code of mouth and eyes.
    """

    rotation: Tensor
    translation: Tensor
    focal: float
    size: int
    code: Tensor


class Picture(NamedTuple):
    """One drawn frame, not yet over its backdrop.

    Attributes:
        rgb: (S, S, 3) in [0, 1], premultiplied by opacity.
        alpha: (S, S) opacity.
        depth: (S, S) camera depth weighted by opacity.
    """

    rgb: Tensor
    alpha: Tensor
    depth: Tensor


class Field(nn.Module, ABC):
    """A 3D field in head space."""

    @abstractmethod
    def picture(self, view: View) -> Picture:
        """Draw one frame."""


class FieldHead:
    """A trained field (:class:`vdf_bench.core.interfaces.Head`).

    Attributes:
        notes: what a reader of the results should know of the fit.
    """

    def __init__(self, field: Field, code: Code, notes: tuple[str, ...] = ()) -> None:
        self.notes = notes
        self._field = field
        self._code = code

    @classmethod
    def restore(cls, state: dict[str, NDArray[np.generic]], blank: Callable[[dict[str, Tensor]], Field]) -> FieldHead:
        """The head whose :meth:`state` this is.

        Args:
            state: named arrays.
            blank: makes a field whose tensors have the shapes of those given.
        """
        tensors = {key: torch.from_numpy(np.array(value)) for key, value in state.items() if key != Code.KEY}
        field = blank(tensors)
        field.load_state_dict(tensors)
        return cls(field, Code.restore(state))

    def state(self) -> dict[str, NDArray[np.generic]]:
        arrays = {key: value.detach().cpu().numpy().copy() for key, value in self._field.state_dict().items()}
        return {**arrays, **self._code.state()}

    @torch.no_grad()
    def render(self, drive: Drive) -> Rendering:
        count, size = drive.backdrop.shape[:2]
        device = torch.device(drive.device)
        self._field.to(device)
        codes = torch.from_numpy(self._code(drive.mouth, drive.eyes)).to(device)
        rotation, translation = (torch.from_numpy(a).to(device) for a in (drive.pose.rotation, drive.pose.translation))
        rgb = np.empty((count, size, size, 3), np.uint8)
        depth = np.zeros((count, size, size), np.float32)
        alpha = np.empty((count, size, size), np.float32)
        for i in range(count):
            drawn = self._field.picture(View(rotation[i], translation[i], drive.pose.focal, size, codes[i]))
            colour, alpha[i], distance = (part.cpu().numpy() for part in drawn)
            seen = alpha[i] > 0.5
            depth[i] = np.where(seen, distance / np.where(seen, alpha[i], 1), 0)
            rgb[i] = (colour * 255 + (1 - alpha[i])[..., None] * drive.backdrop[i]).round().clip(0, 255)
        return Rendering(rgb, depth, alpha)
