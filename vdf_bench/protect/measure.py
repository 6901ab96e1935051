"""What was published, measured on the decoded pixels of the written file, and what H.264 at CRF 23 leaves of it.

Figures of the picture are those of the protected square at its own resolution: averaged over a whole frame, the
untouched background would flatter them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vdf_bench.judges.definitions import PSNR_CAP
from vdf_bench.judges.perceptual import NETS, backbone_path, lpips_distances
from vdf_bench.judges.pixels import psnr, ssim
from vdf_bench.labels import FACE
from vdf_bench.protect.square import Square
from vdf_bench.protect.work import clean_shots, computed_shots
from vdf_bench.video.stream import Echo, written_shots

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.models.parser import Parser
    from vdf_bench.protect.partial import Partial
    from vdf_bench.protect.survey import Tell

    Picture = NDArray[np.uint8]

#: What platforms and test sets (FaceForensics++ c23) compress with.
CRF: Final = 23
#: Frames, spread over the video, on which networks and SSIM are run.
SAMPLES: Final = 8
#: Factors by which the parser's picture is resized, and the share above which a face counts as missed (as of VDF).
SCALES: Final = (0.5, 0.75, 1.0, 1.5, 2.0)
MISSED: Final = 0.8


@dataclass
class Arms:
    """The sampled squares, (n, size, size, 3) uint8 each once all are in."""

    clean: list[Picture]
    clean_crf: list[Picture]
    published: list[Picture]
    published_crf: list[Picture]


def measure(video: Path, out: Path, partial: Partial, parsers: dict[str, Parser], tell: Tell) -> dict[str, Any]:
    """Decode original, computed and written pictures side by side, in constant memory.

    Args:
        video: the original.
        out: the written file.
        partial: finished segments.
        parsers: the attacked parser first, then others.
        tell: progress.

    Returns:
        Plain values: ``picture``, ``coding``, ``bitrate`` and ``parsing``, as the report shows them.
    """
    survey = partial.survey
    square = Square(survey.square, survey.size)
    wanted = {int((k + 0.5) * survey.frames / SAMPLES) for k in range(SAMPLES)}
    arms = Arms([], [], [], [])
    picture = _Picture(square)
    coded: list[float] = []
    echoes = Echo(CRF, survey.shape.rate), Echo(CRF, survey.shape.rate)
    returned = [0, 0]

    def receive(arm: int, pictures: list[Picture]) -> None:
        for back in pictures:
            if returned[arm] in wanted:
                (arms.clean_crf, arms.published_crf)[arm].append(square.cut(back))
            returned[arm] += 1

    clock = survey.shape.clock
    streams = zip(clean_shots(video, survey), computed_shots(partial), written_shots(out, clock), strict=True)
    for index, (clean, computed, written) in enumerate(streams):
        height, width = clean.picture.shape[:2]
        shown = np.ascontiguousarray(written.picture[:height, :width])
        coded.append(psnr(square.native(shown), square.native(computed.picture)))
        picture.add(clean.picture, shown)
        if index in wanted:
            picture.sample(clean.picture, shown)
            arms.clean.append(square.cut(clean.picture))
            arms.published.append(square.cut(shown))
        for arm, sent in enumerate((clean.picture, shown)):
            receive(arm, echoes[arm].push(sent))
        tell("measuring", index + 1, survey.frames)
    for arm in (0, 1):
        receive(arm, echoes[arm].end())
    megabits = 1e-6 / survey.seconds
    return {
        "picture": picture.values() | _perceived(arms),
        "coding": {"psnr_db": float(np.mean(coded)), "psnr_lowest_db": min(coded), "exact": min(coded) == PSNR_CAP},
        "bitrate": {
            "written_mbit_s": 8 * out.stat().st_size * megabits,
            "original_mbit_s": 8 * video.stat().st_size * megabits,
            f"crf{CRF}_mbit_s": echoes[1].bits * megabits,
            f"original_crf{CRF}_mbit_s": echoes[0].bits * megabits,
        },
        "parsing": _parsing(arms, parsers),
    }


class _Picture:
    """Sums over all frames; SSIM of sampled ones."""

    def __init__(self, square: Square) -> None:
        self._square = square
        self._psnr: list[float] = []
        self._ssim: list[float] = []
        self._linf = self._outside = 0
        self._squares, self._steps = 0.0, 0
        self._before: NDArray[np.int16] | None = None

    def add(self, clean: Picture, shown: Picture) -> None:
        change: NDArray[np.int16] = shown.astype(np.int16) - clean
        inside = self._square.native(change).copy()
        self._psnr.append(psnr(self._square.native(shown), self._square.native(clean)))
        self._linf = max(self._linf, int(np.abs(inside).max()))
        self._square.native(change)[:] = 0
        self._outside = max(self._outside, int(np.abs(change).max()))
        if self._before is not None:
            self._squares += float(np.square(inside - self._before, dtype=np.float32).mean(dtype=np.float64))
            self._steps += 1
        self._before = inside

    def sample(self, clean: Picture, shown: Picture) -> None:
        self._ssim.append(ssim(self._square.native(shown), self._square.native(clean)))

    def values(self) -> dict[str, float]:
        return {
            "linf_levels": self._linf,
            "linf_outside_levels": self._outside,
            "psnr_db": float(np.mean(self._psnr)),
            "psnr_lowest_db": min(self._psnr),
            "ssim": float(np.mean(self._ssim)),
            "flicker_levels": float(np.sqrt(self._squares / max(self._steps, 1))),
        }


def _perceived(arms: Arms) -> dict[str, float]:
    """LPIPS by every backbone whose weights are present."""
    shown, clean = np.stack(arms.published), np.stack(arms.clean)
    return {
        f"lpips_{net}": float(lpips_distances(net, shown, clean).mean()) for net in NETS if backbone_path(net).is_file()
    }


def _parsing(arms: Arms, parsers: dict[str, Parser]) -> dict[str, Any]:
    """Shares of the face that parsers read as background, mean over the sampled frames that show one."""
    attacked = next(iter(parsers.values()))
    seen = {"published": arms.published, f"crf{CRF}": arms.published_crf, f"original_crf{CRF}": arms.clean_crf}
    by_scale: dict[str, dict[str, float]] = {name: {} for name in seen}
    least = {name: np.ones(len(arms.clean)) for name in seen}
    for scale in SCALES:
        faces = [_labels(attacked, clean, scale) for clean in arms.clean]
        for name, pictures in seen.items():
            shares = np.array(
                [
                    missed_share(face, _labels(attacked, shown, scale))
                    for face, shown in zip(faces, pictures, strict=True)
                ]
            )
            least[name] = np.fmin(least[name], shares)  # a frame without a face at this scale says nothing
            by_scale[name][f"{scale:g}"] = _mean(shares)
    piped = {}
    for parser, network in parsers.items():
        face = network.parse(np.stack(arms.clean))
        piped[parser] = {
            name: _mean(
                np.array([missed_share(*pair) for pair in zip(face, network.parse(np.stack(pictures)), strict=True)])
            )
            for name, pictures in seen.items()
        }
    return {
        "frames": len(arms.clean),
        "missed_by_scale": by_scale,
        "missed_frames": {name: int((shares > MISSED).sum()) for name, shares in least.items()},
        "missed_in_capture": piped,
    }


def missed_share(clean: NDArray[np.integer[Any]], shown: NDArray[np.integer[Any]]) -> float:
    """Share of the face pixels of one label map that are background in the other; NaN where there is no face."""
    face = np.isin(clean, FACE)
    return float((shown[face] == 0).mean()) if face.any() else float("nan")


def _mean(shares: NDArray[np.float64]) -> float:
    """Over frames that show a face; 0 where none does."""
    known = shares[~np.isnan(shares)]
    return float(known.mean()) if len(known) else 0.0


def _labels(parser: Parser, picture: Picture, scale: float) -> NDArray[np.integer[Any]]:
    """Labels of a resized picture, as the attacks of this project resize it: bilinear, not antialiased."""
    import torch
    import torch.nn.functional as F

    x: Tensor = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    if scale != 1:
        x = F.interpolate(x, scale_factor=scale, mode="bilinear", align_corners=False)
    with torch.no_grad():
        labels: NDArray[np.integer[Any]] = parser(x)[0].argmax(0).numpy()
    return labels
