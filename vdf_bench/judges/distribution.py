"""FID (Heusel et al. 2017) with pytorch-fid's Inception; only where the user has its weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vdf_bench.core.cards import Card
from vdf_bench.core.errors import UserError
from vdf_bench.core.metrics import Metric
from vdf_bench.judges.base import BaseJudge
from vdf_bench.judges.observe import observe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from vdf_bench.core.interfaces import Evidence
    from vdf_bench.core.metrics import Measurement

#: Fewer frames say nothing of a distribution in 2048 dimensions.
MIN_FRAMES: Final = 48
WIDTH: Final = 2048


METRICS: Final = (
    Metric("fid", "clone", "", "down", 0, math.inf, "over all held-out frames",
           "FID@n (pytorch-fid's Inception, 2048 features) of the clone to the true held-out frames, n of each; below "
           "2048 frames biased upwards, so compare equal n only; left out below 48", "inception"),
    Metric("fid_to_clean", "clone", "", "down", 0, math.inf, "over all held-out frames",
           "FID@n of the clone to the clone made from the clean clip", "inception"),
)  # fmt: skip


class Distribution(BaseJudge):
    """Fréchet distance of Inception features."""

    card = Card(
        name="distribution",
        title="Distribution",
        summary="FID of the clone's held-out frames to the true ones and to the clean clone's, from 48 frames on. "
        "Below 2048 frames the covariances lack rank and the figure is biased upwards: compare equal numbers of frames "
        "only.",
        source="Heusel et al., NeurIPS 2017; weights and preprocessing of pytorch-fid",
        url="https://arxiv.org/abs/1706.08500",
        year=2017,
    )
    stage = "clone"
    metrics = METRICS

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        from vdf_bench.assets.third_party import path_of, present

        seen = observe(evidence)
        count = len(seen.split.heldout)
        if not present("inception") or count < MIN_FRAMES:
            return
        network = load_inception(path_of("inception"))
        clone = features(network, seen.clone_frames)
        yield self.measurement("fid", frechet_distance(clone, features(network, seen.true_frames)), count)
        twin = seen.clean_rendering or (seen.rendering if seen.undefended else None)
        if twin is not None:
            yield self.measurement("fid_to_clean", frechet_distance(clone, features(network, twin.rgb)), count)

    def missing(self) -> str | None:
        from vdf_bench.assets.third_party import how_to_get, present

        return None if present("inception") else f"fid, fid_to_clean: no Inception; {how_to_get('inception')}"


def load_inception(path: Path) -> Any:
    """pytorch-fid's Inception up to its last pooling, from a file.

    It is put together from that package's blocks, as its own constructor would download the weights.

    Raises:
        UserError: absent, too large, or not that state dict.
    """
    from pytorch_fid import inception as parts
    from torchvision.models import inception_v3

    from vdf_bench.assets.checkpoints import read_state_dict
    from vdf_bench.assets.third_party import how_to_get

    state = read_state_dict(path, "inception")
    network = inception_v3(num_classes=1008, aux_logits=False, weights=None, init_weights=False, transform_input=False)
    for name, width in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        inputs = {"Mixed_5b": 192, "Mixed_5c": 256, "Mixed_5d": 288}[name]
        setattr(network, name, parts.FIDInceptionA(inputs, pool_features=width))
    for name, width in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        setattr(network, name, parts.FIDInceptionC(768, channels_7x7=width))
    network.Mixed_7b, network.Mixed_7c = parts.FIDInceptionE_1(1280), parts.FIDInceptionE_2(2048)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path} is not pytorch-fid's Inception: {reason}; {how_to_get('inception')}") from None
    return network.eval().requires_grad_(False)


def features(network: Any, frames: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(T, 2048) features of (T, H, W, 3) RGB frames, one by one, resized to 299 px as pytorch-fid does."""
    import torch
    import torch.nn.functional as F

    found = []
    with torch.no_grad():
        for frame in frames:
            x = torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None].float() / 255
            x = F.interpolate(x, (299, 299), mode="bilinear", align_corners=False) * 2 - 1
            for name in _LAYERS:
                x = getattr(network, name)(x)
            found.append(x.mean((2, 3))[0].double().numpy())
    return np.stack(found)


_LAYERS: Final = (
    "Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "maxpool2",
    "Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e",
    "Mixed_7a", "Mixed_7b", "Mixed_7c",
)  # fmt: skip


def frechet_distance(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Fréchet distance of the Gaussians fitted to (N, D) and (M, D) features, D of any size; 0 or more.

    With centred features A and B, tr (Σx Σy)^½ is the nuclear norm of A Bᵀ over √((N-1)(M-1)): exact where N < D makes
    covariances singular, and cheaper than the root of a D x D matrix. One observation has no spread.
    """
    a, b = x - x.mean(0), y - y.mean(0)
    n, m = max(len(x) - 1, 1), max(len(y) - 1, 1)
    cross = np.linalg.svd(a @ b.T, compute_uv=False).sum() / np.sqrt(n * m)
    apart = float(np.square(x.mean(0) - y.mean(0)).sum())
    return max(apart + float(np.square(a).sum() / n + np.square(b).sum() / m - 2 * cross), 0.0)
