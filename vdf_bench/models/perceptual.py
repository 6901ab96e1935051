"""LPIPS with backbone weights that the user supplies; nothing is downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

#: Backbones of LPIPS and the entries of torchvision's ImageNet weights in :mod:`vdf_bench.assets.third_party`.
NETS: Final = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet"}


def backbone_path(net: str) -> Path:
    """Where the backbone's weights are looked for."""
    from vdf_bench.assets.third_party import path_of

    return path_of(NETS[net])


def missing_backbones() -> str | None:
    """Which LPIPS columns are left out here, and how to get them; None where all can be measured."""
    from vdf_bench.assets.third_party import how_to_get, present

    absent = [net for net, name in NETS.items() if not present(name)]
    if not absent:
        return None
    columns, remedies = (f"lpips_{net}" for net in absent), (how_to_get(NETS[net]) for net in absent)
    return f"{', '.join(columns)}: no backbone weights; {', '.join(remedies)}"


def load_lpips(net: str, path: Path) -> Any:
    """LPIPS v0.1 with the heads of the ``lpips`` package over a torchvision backbone from ``path``.

    Raises:
        UserError: absent, too large, or not a torchvision state dict of that backbone.
    """
    import lpips

    from vdf_bench.assets.checkpoints import read_state_dict
    from vdf_bench.assets.third_party import how_to_get

    state = read_state_dict(path, NETS[net])
    model = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
    try:
        # lpips cuts torchvision's `features` into slices that keep the layers' numbers.
        wanted = {key: "features." + key.split(".", 1)[1] for key in model.net.state_dict()}
        model.net.load_state_dict({key: state[source].float() for key, source in wanted.items()})
    except (KeyError, RuntimeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"{path} is not torchvision's backbone for LPIPS-{net}: {reason}; {how_to_get(NETS[net])}"
        ) from None
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
