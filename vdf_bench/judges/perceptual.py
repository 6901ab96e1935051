"""LPIPS with backbone weights that the user supplies; nothing is downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vdf_bench.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

#: Backbones of LPIPS and torchvision's names of their ImageNet weights.
NETS: Final = {
    "alex": "alexnet-owt-7be5be79.pth",
    "vgg": "vgg16-397923af.pth",
    "squeeze": "squeezenet1_1-b8a52dc0.pth",
}


def backbone_path(net: str) -> Path:
    """Where the backbone's weights are looked for."""
    from vdf_bench.models.weights import user_folder

    return user_folder() / NETS[net]


def load_lpips(net: str, path: Path) -> Any:
    """LPIPS v0.1 with the heads of the ``lpips`` package over a torchvision backbone from ``path``.

    Raises:
        UserError: not a torchvision state dict of that backbone.
    """
    import pickle

    import lpips
    import torch

    model = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        # lpips cuts torchvision's `features` into slices that keep the layers' numbers.
        wanted = {key: "features." + key.split(".", 1)[1] for key in model.net.state_dict()}
        model.net.load_state_dict({key: state[source].float() for key, source in wanted.items()})
    except (KeyError, RuntimeError, pickle.UnpicklingError, EOFError, TypeError, AttributeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path} is not torchvision's backbone for LPIPS-{net}: {reason}; fetch it again") from None
    return model.eval().requires_grad_(False)


def lpips_distances(
    net: str, pictures: NDArray[np.uint8], references: NDArray[np.uint8], path: Path | None = None
) -> NDArray[np.float64]:
    """LPIPS distance of each of (T, H, W, 3) uint8 RGB ``pictures`` to its reference, (T,)."""
    import torch

    def tensor(frame: NDArray[np.uint8]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None].float() / 127.5 - 1

    model = load_lpips(net, path or backbone_path(net))
    with torch.no_grad():
        pairs = zip(pictures, references, strict=True)
        return np.array([float(model(tensor(picture), tensor(reference))) for picture, reference in pairs])
