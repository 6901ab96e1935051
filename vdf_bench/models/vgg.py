"""VGG16's early features (Simonyan and Zisserman 2014) from the user's copy of torchvision's weights.

The weights do not ship: ``vgg16-397923af.pth`` in the folder of user-supplied weights, read with
``weights_only=True``. Without it there is no such loss, and nothing stands in for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from torch import nn

from vdf_bench.assets.checkpoints import read_state_dict
from vdf_bench.assets.third_party import how_to_get, path_of
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

#: Entry of :mod:`vdf_bench.assets.third_party`.
WEIGHTS: Final = "vgg16"
#: Channels of the convolutions of ``features[:23]``; 0 is a pooling.
WIDTHS: Final = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512)
#: Layers whose outputs are compared: the last ReLU of each of four blocks.
LAYERS: Final = (3, 8, 15, 22)


class Vgg16Features(nn.Module):
    """``vgg16().features[:23]``, key for key: normalised RGB (N, 3, H, W) to the outputs of four layers."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for width in WIDTHS:
            if width:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
                channels = width
            else:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> list[Tensor]:
        found = []
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in LAYERS:
                found.append(x)
        return found


def load_vgg16(folder: Path | None = None) -> Vgg16Features | None:
    """The frozen network, or None where its weights are absent.

    Raises:
        UserError: too large, or not VGG16's state dict.
    """
    path = path_of(WEIGHTS, folder)
    if not path.is_file():
        return None
    network, state = Vgg16Features(), read_state_dict(path, WEIGHTS)
    try:
        network.load_state_dict({key: state[key] for key in network.state_dict()})
    except (RuntimeError, KeyError) as error:
        raise UserError(
            f"{path} is not the state dict of VGG16 ({type(error).__name__}); get it with "
            f"{how_to_get(WEIGHTS)}, or delete the file"
        ) from None
    return network.eval().requires_grad_(False)
