"""What the protection did to the picture: protected against clean frames."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from vdf_bench.core.cards import Card
from vdf_bench.core.metrics import Metric
from vdf_bench.judges.base import BaseJudge
from vdf_bench.judges.pixels import PSNR_CAP, psnr, ssim_and_ms_ssim
from vdf_bench.models.perceptual import NETS, backbone_path, lpips_distances, missing_backbones

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vdf_bench.core.interfaces import Evidence
    from vdf_bench.core.metrics import Measurement

CRF = 23


METRICS: Final = (
    Metric("psnr", "protect", "dB", "up", 0, PSNR_CAP, "mean over frames",
           "mean over frames of 10 log10(255²/MSE), MSE over all RGB pixels; identical frames count 100 dB",
           shown=False),
    Metric("ssim", "protect", "", "up", -1, 1, "mean over frames",
           "Wang 2004: Gaussian σ 1.5 in an 11 px window, population covariance, K1 .01, K2 .03, range 255, "
           "mean of R, G, B and of pixels 5 px from the border", shown=False),
    Metric("ms_ssim", "protect", "", "up", 0, 1, "mean over frames",
           "Wang 2003 on up to 5 dyadic scales, as many as keep 11 px; weights of absent scales are shared out",
           shown=False),
    Metric("lpips_alex", "protect", "", "down", 0, math.inf, "mean over frames",
           "LPIPS v0.1, AlexNet backbone, RGB in [-1,1]", "alexnet"),
    Metric("lpips_vgg", "protect", "", "down", 0, math.inf, "mean over frames",
           "LPIPS v0.1, VGG-16 backbone, RGB in [-1,1]", "vgg16"),
    Metric("lpips_squeeze", "protect", "", "down", 0, math.inf, "mean over frames",
           "LPIPS v0.1, SqueezeNet 1.1 backbone, RGB in [-1,1]", "squeezenet"),
    Metric("flicker", "protect", "/255", "down", 0, 510, "root mean square over pixels and frame pairs",
           "RMS change of the perturbation from one frame to the next, 8-bit levels", shown=False),
    Metric("linf", "protect", "/255", "down", 0, 255, "maximum over pixels and frames",
           "largest change of any channel of any pixel, 8-bit levels, as measured", shown=False),
    Metric("bitrate_ratio", "protect", "", "down", 0, math.inf, "ratio over the clip",
           "bytes of the protected clip over those of the clean one, x264 CRF 23, one thread", shown=False),
)  # fmt: skip


class Fidelity(BaseJudge):
    """PSNR, SSIM, MS-SSIM, LPIPS, flicker, L-infinity and bit rate."""

    card = Card(
        name="fidelity",
        title="Fidelity of the protection",
        summary="How far the published frames are from the clean ones. MS-SSIM has as many scales as the frames are "
        "large enough for; an LPIPS column appears for each backbone whose torchvision weights are present.",
    )
    stage = "protect"
    metrics = METRICS

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        from vdf_bench.video.encode import encode_bytes

        clean, protected = evidence.clip.frames, evidence.protected
        count = len(clean)
        pairs = list(zip(protected, clean, strict=True))
        yield self.measurement("psnr", np.mean([psnr(*pair) for pair in pairs]), count)
        similar = np.array([ssim_and_ms_ssim(*pair) for pair in pairs])
        yield self.measurement("ssim", similar[:, 0].mean(), count)
        yield self.measurement("ms_ssim", similar[:, 1].mean(), count)
        for net in NETS:
            if backbone_path(net).is_file():
                yield self.measurement(f"lpips_{net}", lpips_distances(net, protected, clean).mean(), count)
        yield self.measurement("flicker", flicker(protected, clean), count - 1)
        yield self.measurement("linf", max(np.abs(_difference(*pair)).max() for pair in pairs), count)
        sizes = [encode_bytes(frames, crf=CRF, fps=evidence.clip.fps) for frames in (protected, clean)]
        yield self.measurement("bitrate_ratio", sizes[0] / sizes[1], count)

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
