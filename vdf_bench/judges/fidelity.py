"""What the protection did to the picture: protected against clean frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.core.cards import Card
from vdf_bench.judges.base import BaseJudge
from vdf_bench.judges.definitions import measurement
from vdf_bench.judges.pixels import psnr, ssim_and_ms_ssim
from vdf_bench.models.perceptual import NETS, backbone_path, lpips_distances, missing_backbones

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vdf_bench.core.interfaces import Evidence, Measurement

CRF = 23


class Fidelity(BaseJudge):
    """PSNR, SSIM, MS-SSIM, LPIPS, flicker, L-infinity and bit rate."""

    card = Card(
        name="fidelity",
        title="Fidelity of the protection",
        summary="How far the published frames are from the clean ones. MS-SSIM has as many scales as the frames are "
        "large enough for; an LPIPS column appears for each backbone whose torchvision weights are present.",
    )
    stage = "protect"

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        from vdf_bench.video.encode import encode_bytes

        clean, protected = evidence.clip.frames, evidence.protected
        count = len(clean)
        pairs = list(zip(protected, clean, strict=True))
        yield measurement("psnr", np.mean([psnr(*pair) for pair in pairs]), count)
        similar = np.array([ssim_and_ms_ssim(*pair) for pair in pairs])
        yield measurement("ssim", similar[:, 0].mean(), count)
        yield measurement("ms_ssim", similar[:, 1].mean(), count)
        for net in NETS:
            if backbone_path(net).is_file():
                yield measurement(f"lpips_{net}", lpips_distances(net, protected, clean).mean(), count)
        yield measurement("flicker", flicker(protected, clean), count - 1)
        yield measurement("linf", max(np.abs(_difference(*pair)).max() for pair in pairs), count)
        sizes = [encode_bytes(frames, crf=CRF, fps=evidence.clip.fps) for frames in (protected, clean)]
        yield measurement("bitrate_ratio", sizes[0] / sizes[1], count)

    def missing(self) -> str | None:
        return missing_backbones()


def _difference(protected: NDArray[np.uint8], clean: NDArray[np.uint8]) -> NDArray[np.int16]:
    return protected.astype(np.int16) - clean


def flicker(protected: NDArray[np.uint8], clean: NDArray[np.uint8]) -> float:
    """Root mean square of the perturbation's change between successive frames, 8-bit levels; 0 of one frame.

    The first difference is the simplest temporal high-pass: a perturbation that stands still costs nothing.
    """
    total = 0.0
    before = _difference(protected[0], clean[0])
    for now in (_difference(*pair) for pair in zip(protected[1:], clean[1:], strict=True)):
        total += float(np.square(now - before, dtype=np.float32).mean(dtype=np.float64))
        before = now
    return float(np.sqrt(total / max(len(clean) - 1, 1)))
