"""What purifiers share: pictures as arrays, and a window that moves over a stream of frames."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

Item = TypeVar("Item")


def from_bytes(picture: NDArray[Any]) -> Tensor:
    """(H, W, 3) uint8 to (3, H, W) float32 in [0, 1]."""
    import torch

    return torch.from_numpy(picture.copy()).permute(2, 0, 1).contiguous().float() / 255


def to_planes(frame: Tensor) -> NDArray[np.float32]:
    """(3, H, W) float32 array of a frame; not to be written to."""
    planes: NDArray[np.float32] = frame.detach().cpu().float().numpy()
    return planes


def from_planes(planes: NDArray[Any]) -> Tensor:
    """(3, H, W) array to a float32 frame, clipped to [0, 1]."""
    import numpy as np
    import torch

    return torch.from_numpy(np.ascontiguousarray(planes, np.float32)).clamp(0, 1)


class Window(Generic[Item]):
    """The items of a stream by their index, kept from the lowest that is still of use to the furthest asked for."""

    def __init__(self, stream: Iterator[Item]) -> None:
        self._stream = stream
        self._items: deque[Item] = deque()
        self._first = 0

    def __len__(self) -> int:
        """Items that are held now."""
        return len(self._items)

    def reaches(self, index: int) -> bool:
        """Whether the stream has an item ``index``; takes no more from it than that needs."""
        while self._first + len(self._items) <= index:
            try:
                self._items.append(next(self._stream))
            except StopIteration:
                return False
        return True

    def __getitem__(self, index: int) -> Item:
        """Item ``index``; beyond the end the last one, before what is held the first of that."""
        self.reaches(max(index, 0))
        return self._items[min(max(index - self._first, 0), len(self._items) - 1)]

    def forget(self, before: int) -> None:
        """Let go of the items before index ``before``, but never of the last one taken."""
        while self._first < before and len(self._items) > 1:
            self._items.popleft()
            self._first += 1
