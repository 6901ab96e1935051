"""What was published, measured on the decoded pixels of the written file, and what H.264 at CRF 23 leaves of it.

Figures of the picture are those of the protected square at its own resolution: averaged over a whole frame, the
untouched background would flatter them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vdf_bench.core.labels import FACE
from vdf_bench.judges.pixels import PSNR_CAP, psnr, ssim
from vdf_bench.models.perceptual import NETS, backbone_path, lpips_distances
from vdf_bench.protection.square import Square
from vdf_bench.protection.work import clean_shots, computed_shots
from vdf_bench.video.stream import Echo, written_shots

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.core.interfaces import DifferentiableParser
    from vdf_bench.protection.partial import Partial
    from vdf_bench.protection.survey import Tell
    from vdf_bench.video.stream import Shape

    Picture = NDArray[np.uint8]

#: What platforms and test sets (FaceForensics++ c23) compress with.
CRF: Final = 23
#: Frames, spread over the video, on which networks and SSIM are run.
SAMPLES: Final = 8
#: Factors by which the parser's picture is resized, and the share above which a face counts as missed (as of VDF).
SCALES: Final = (0.5, 0.75, 1.0, 1.5, 2.0)
MISSED: Final = 0.8


#: Largest edge at which an attacker cuts out the face: what the official pipelines train on.
ATTACKER_EDGE: Final = 512


class Arms:
    """The sampled squares, cut to one size.

    Attributes:
        clean, clean_crf: (size, size, 3) uint8 each: of the original, and of what H.264 leaves of it.
        published, published_crf: likewise of the written file.
    """

    def __init__(self, square: Square) -> None:
        self._cut = square.cut
        self.clean: list[Picture] = []
        self.clean_crf: list[Picture] = []
        self.published: list[Picture] = []
        self.published_crf: list[Picture] = []

    def add(self, clean: Picture, shown: Picture) -> None:
        """Keep the squares of a pair of whole pictures."""
        self.clean.append(self._cut(clean))
        self.published.append(self._cut(shown))

    def add_returned(self, arm: int, picture: Picture) -> None:
        """Keep the square of what came back of an original (0) or a published (1) picture."""
        (self.clean_crf, self.published_crf)[arm].append(self._cut(picture))


def measure(
    video: Path, out: Path, partial: Partial, parsers: dict[str, DifferentiableParser], tell: Tell
) -> dict[str, Any]:
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
    worked = Arms(square)
    attacked = Arms(Square(survey.square, min(survey.square[3], ATTACKER_EDGE)))
    picture = _Picture(square)
    coded: list[float] = []
    echoes = Echo(CRF, survey.shape.rate), Echo(CRF, survey.shape.rate)
    returned = [0, 0]

    def receive(arm: int, pictures: list[Picture]) -> None:
        for back in pictures:
            if returned[arm] in wanted:
                worked.add_returned(arm, back)
                attacked.add_returned(arm, back)
            returned[arm] += 1

    clock = survey.shape.clock
    streams = zip(clean_shots(video, survey), computed_shots(partial), written_shots(out, clock), strict=True)
    for index, (clean, computed, written) in enumerate(streams):
        shown = _unpadded(written.picture, survey.shape)
        coded.append(psnr(square.native(shown), square.native(computed.picture)))
        picture.add(clean.picture, shown)
        if index in wanted:
            picture.sample(clean.picture, shown)
            worked.add(clean.picture, shown)
            attacked.add(clean.picture, shown)
        for arm, sent in enumerate((clean.picture, shown)):
            receive(arm, echoes[arm].push(sent))
        tell("measuring", index + 1, survey.frames)
    for arm in (0, 1):
        receive(arm, echoes[arm].end())
    megabits = 1e-6 / survey.seconds
    return {
        "picture": picture.values() | _perceived(attacked),
        "coding": {"psnr_db": float(np.mean(coded)), "psnr_lowest_db": min(coded), "exact": min(coded) == PSNR_CAP},
        "bitrate": {
            "written_mbit_s": 8 * out.stat().st_size * megabits,
            "original_mbit_s": 8 * video.stat().st_size * megabits,
            f"crf{CRF}_mbit_s": echoes[1].bits * megabits,
            f"original_crf{CRF}_mbit_s": echoes[0].bits * megabits,
        },
        "parsing": _at_scales(worked, next(iter(parsers.values())))
        | {"missed_in_capture": _captured(attacked, parsers)},
    }


def _unpadded(picture: Picture, shape: Shape) -> Picture:
    """An upright picture without the row or column that H.264 repeated behind the stored one."""
    stored = np.rot90(picture, -shape.turns)[: shape.height, : shape.width]
    return np.ascontiguousarray(np.rot90(stored, shape.turns))


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


def _at_scales(arms: Arms, parser: DifferentiableParser) -> dict[str, Any]:
    """Shares of the face that the attacked parser reads as background at every scale of what the defense saw.

    Means over the sampled frames; and in how many of them the share is large at all scales, which is what counts as
    success. A scale at which the original shows no face says nothing.
    """
    seen = _seen(arms)
    by_scale: dict[str, dict[str, float]] = {name: {} for name in seen}
    least = {name: np.ones(len(arms.clean)) for name in seen}
    for scale in SCALES:
        faces = [_labels(parser, clean, scale) for clean in arms.clean]
        for name, pictures in seen.items():
            pairs = zip(faces, pictures, strict=True)
            shares = np.array([missed_share(face, _labels(parser, shown, scale)) for face, shown in pairs])
            least[name] = np.fmin(least[name], shares)
            by_scale[name][f"{scale:g}"] = _mean(shares)
    return {
        "frames": len(arms.clean),
        "missed_by_scale": by_scale,
        "missed_frames": {name: int((shares > MISSED).sum()) for name, shares in least.items()},
    }


def _captured(arms: Arms, parsers: dict[str, DifferentiableParser]) -> dict[str, dict[str, float]]:
    """The same shares as an attacker's capture finds them, by parser: at the size at which that parser looks."""
    found: dict[str, dict[str, float]] = {}
    for name, parser in parsers.items():
        faces = parser.parse(np.stack(arms.clean))
        found[name] = {}
        for arm, pictures in _seen(arms).items():
            pairs = zip(faces, parser.parse(np.stack(pictures)), strict=True)
            found[name][arm] = _mean(np.array([missed_share(*pair) for pair in pairs]))
    return found


def _seen(arms: Arms) -> dict[str, list[Picture]]:
    return {"published": arms.published, f"crf{CRF}": arms.published_crf, f"original_crf{CRF}": arms.clean_crf}


def missed_share(clean: NDArray[np.integer[Any]], shown: NDArray[np.integer[Any]]) -> float:
    """Share of the face pixels of one label map that are background in the other; NaN where there is no face."""
    face = np.isin(clean, FACE)
    return float((shown[face] == 0).mean()) if face.any() else float("nan")


def _mean(shares: NDArray[np.float64]) -> float:
    """Over frames that show a face; 0 where none does."""
    known = shares[~np.isnan(shares)]
    return float(known.mean()) if len(known) else 0.0


def _labels(parser: DifferentiableParser, picture: Picture, scale: float) -> NDArray[np.integer[Any]]:
    """Labels of a resized picture, as the attacks of this project resize it: bilinear, not antialiased."""
    import torch
    import torch.nn.functional as F

    x: Tensor = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    if scale != 1:
        x = F.interpolate(x, scale_factor=scale, mode="bilinear", align_corners=False)
    with torch.no_grad():
        labels: NDArray[np.integer[Any]] = parser(x)[0].argmax(0).numpy()
    return labels
