"""What official editors share: how a checkpoint is found, read and recognised, and how pictures pass through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pydantic import Field

from vdf_bench.core.cards import Component, Parameters
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor, nn

    from vdf_bench.core.interfaces import EditorModel

    #: Makes one edit: (N, 3, size, size) in [-1, 1] to the same.
    Change = Callable[[Tensor], Tensor]
    Network = TypeVar("Network", bound=nn.Module)

#: What is kept beside the weights of a norm that always uses the statistics of the picture at hand.
RUNNING = ("running_mean", "running_var", "num_batches_tracked")


class OfficialParameters(Parameters):
    """Parameters of every official editor."""

    size: int = Field(
        128, ge=32, le=1024, multiple_of=32, description="edge that the checkpoint was trained at, pixels"
    )


class OfficialEditor(Component):
    """Base of the adapters: the user's file under the name of the card."""

    parameters_model: ClassVar[type[Parameters]] = OfficialParameters

    def load(self, device: str = "cpu") -> EditorModel:
        """Read the user's checkpoint; each adapter's own."""
        raise NotImplementedError


class OfficialModel:
    """An official network behind the benchmark's seam (:class:`vdf_bench.core.interfaces.EditorModel`).

    Args:
        size: edge that it was trained at, pixels.
        changes: by edit, what makes it.
    """

    def __init__(self, size: int, changes: Mapping[str, Change]) -> None:
        self.size = size
        self.edits = tuple(changes)
        self._changes = dict(changes)

    def edit(self, pictures: Tensor, edit: str) -> Tensor:
        """See the seam."""
        from vdf_bench.models.editors import fit_size

        edited = self._changes[edit](fit_size(pictures, self.size) * 2 - 1)
        return ((edited + 1) / 2).clamp(0, 1)


def load_strictly(
    build: Callable[[], Network], state: dict[str, Tensor], name: str, device: str, ignored: tuple[str, ...] = ()
) -> Network:
    """Put a checkpoint's tensors into a network, all of them and no others, and freeze it.

    Args:
        build: makes the architecture; it takes no memory before the checkpoint is seen to fit.
        state: tensors by official key.
        name: of the register's entry, for messages.
        device: where the network shall lie.
        ignored: last parts of keys that the official code saves and never reads.

    Raises:
        UserError: a key is missing, or too many, or of another shape.
    """
    import torch

    from vdf_bench.assets.third_party import how_to_get, path_of

    with torch.device("meta"):
        network = build()
    kept = {key: value for key, value in state.items() if key.rpartition(".")[2] not in ignored}
    wanted = network.state_dict()
    for key in [*wanted, *kept]:
        if key not in kept:
            problem = f"it has no {key}"
        elif key not in wanted:
            problem = f"{key} has no place in it"
        elif kept[key].shape != wanted[key].shape:
            problem = f"{key} is {tuple(kept[key].shape)}, not {tuple(wanted[key].shape)}"
        else:
            continue
        raise UserError(f"{path_of(name)} is not a checkpoint of {name}: {problem}; {how_to_get(name)}")
    floats = {key: value.float() if value.is_floating_point() else value for key, value in kept.items()}
    network.load_state_dict(floats, assign=True)
    return network.eval().requires_grad_(False).to(device)


def width_of(state: dict[str, Tensor], key: str, name: str, axis: int = 0) -> int:
    """Size of a tensor along an axis: how wide the user's network was trained.

    Raises:
        UserError: there is no such tensor.
    """
    from vdf_bench.assets.third_party import how_to_get, path_of

    tensor: Any = state.get(key)
    if tensor is None or tensor.ndim <= axis:
        raise UserError(f"{path_of(name)} is not a checkpoint of {name}: it has no {key}; {how_to_get(name)}")
    return int(tensor.shape[axis])


def planes(x: Tensor, values: tuple[float, ...]) -> Tensor:
    """A vector as constant planes as large as ``x``: (N, len(values), H, W)."""
    row = x.new_tensor(values)
    return row[None, :, None, None].expand(len(x), -1, *x.shape[2:])
