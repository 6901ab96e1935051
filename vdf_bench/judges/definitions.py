"""What every metric means: unit, direction, bounds, and the one line that reports print under the table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from vdf_bench.core.interfaces import Measurement

if TYPE_CHECKING:
    import numpy as np

    from vdf_bench.core.interfaces import Stage


@dataclass(frozen=True)
class Metric:
    """One column of the result table.

    Attributes:
        name: as in the table.
        stage: which part of the story it judges.
        unit: of ``value``; empty for plain ratios.
        better: direction, as of :class:`vdf_bench.core.interfaces.Measurement`.
        lower, upper: closed bounds of the value.
        aggregation: how single observations become the value.
        definition: one line, printed in reports.
        weights: entry of :mod:`vdf_bench.assets.third_party` without which the column is left out; empty where what
            ships suffices.
    """

    name: str
    stage: Stage
    unit: str
    better: Literal["up", "down"]
    lower: float
    upper: float
    aggregation: str
    definition: str
    weights: str = ""


#: PSNR of identical pictures, dB.
PSNR_CAP: Final = 100.0
#: Ratios to a nearly still reference would grow without meaning.
RATIO_CAP: Final = 10.0
_INF: Final = math.inf
_HELD: Final = "mean over held-out frames"
_SHARE: Final = "share of held-out frames"
_EDITS: Final = "mean over the editor's changes"

_TABLE: Final = (
    # What the protection did to the picture.
    Metric("psnr", "protect", "dB", "up", 0, PSNR_CAP, "mean over frames",
           "mean over frames of 10 log10(255²/MSE), MSE over all RGB pixels; identical frames count 100 dB"),
    Metric("ssim", "protect", "", "up", -1, 1, "mean over frames",
           "Wang 2004: Gaussian σ 1.5 in an 11 px window, population covariance, K1 .01, K2 .03, range 255, "
           "mean of R, G, B and of pixels 5 px from the border"),
    Metric("ms_ssim", "protect", "", "up", 0, 1, "mean over frames",
           "Wang 2003 on up to 5 dyadic scales, as many as keep 11 px; weights of absent scales are shared out"),
    Metric("lpips_alex", "protect", "", "down", 0, _INF, "mean over frames",
           "LPIPS v0.1, AlexNet backbone, RGB in [-1,1]", "alexnet"),
    Metric("lpips_vgg", "protect", "", "down", 0, _INF, "mean over frames",
           "LPIPS v0.1, VGG-16 backbone, RGB in [-1,1]", "vgg16"),
    Metric("lpips_squeeze", "protect", "", "down", 0, _INF, "mean over frames",
           "LPIPS v0.1, SqueezeNet 1.1 backbone, RGB in [-1,1]", "squeezenet"),
    Metric("flicker", "protect", "/255", "down", 0, 510, "root mean square over pixels and frame pairs",
           "RMS change of the perturbation from one frame to the next, 8-bit levels"),
    Metric("linf", "protect", "/255", "down", 0, 255, "maximum over pixels and frames",
           "largest change of any channel of any pixel, 8-bit levels, as measured"),
    Metric("bitrate_ratio", "protect", "", "down", 0, _INF, "ratio over the clip",
           "bytes of the protected clip over those of the clean one, x264 CRF 23, one thread"),
    # What the attacker's preprocessing made of it. Reference: the clean twin's capture; for undefended frames the
    # rendered truth where it exists.
    Metric("parse_iou", "capture", "", "up", 0, 1, "mean over groups, pixels pooled over the clip",
           "mean IoU over background, head, hair, neck, torso and lips against the reference parsing"),
    Metric("head_recall", "capture", "", "up", 0, 1, "pixels pooled over the clip",
           "share of the reference's head pixels (face and hair) still parsed as head"),
    Metric("face_recall", "capture", "", "up", 0, 1, "pixels pooled over the clip",
           "share of the reference's face pixels (classes 1-13) still parsed as face"),
    Metric("landmark_nme", "capture", "", "down", 0, 1, "mean over frames and 68 points, capped at 1",
           "landmark distance to the reference over the distance of its outer eye corners"),
    Metric("detection_rate", "capture", "", "up", 0, 1, "share of frames",
           "share of frames in which the attacker's landmarker found a face"),
    Metric("pose_error_deg", "capture", "°", "down", 0, 180, "mean over frames",
           "rotation angle to the reference pose, after removing their constant offset"),
    Metric("plate_face_share", "capture", "", "down", 0, 1, "share of pixels",
           "share of the plate, where the head mostly is, that was copied from pixels showing the head"),
    # The field: held-out frames of the clone. Head: where the truth (else the clean capture) has face or hair.
    Metric("head_psnr", "field", "dB", "up", 0, PSNR_CAP, _HELD,
           "PSNR inside the head against the true clean frame; a failed fit counts as the empty backdrop"),
    Metric("head_ssim", "field", "", "up", -1, 1, _HELD,
           "SSIM map averaged inside the head, against the true clean frame"),
    Metric("frame_psnr", "field", "dB", "up", 0, PSNR_CAP, _HELD,
           "PSNR of the whole frame (head, torso and plate) against the true clean frame"),
    Metric("head_psnr_to_clean", "field", "dB", "up", 0, PSNR_CAP, _HELD,
           "PSNR inside the head against the clone made from the clean clip"),
    Metric("depth_mae", "field", "head units", "down", 0, _INF, "mean over head pixels",
           "depth error inside the head after removing each frame's median difference (distance and focal length "
           "cannot be told apart); transparent pixels count as a flat board"),
    Metric("alpha_head", "field", "", "up", 0, 1, "mean over head pixels",
           "mean opacity of the field inside the head"),
    Metric("alpha_outside", "field", "", "down", 0, 1, "mean over pixels of the room",
           "mean opacity of the field where the true frame shows neither head, neck nor cloth"),
    Metric("frame_change_ratio", "field", "", "up", 0, RATIO_CAP, "ratio of means over frame pairs of a block",
           "mean change inside the head from frame to frame, over that of the true frames"),
    # The clone as seen.
    Metric("identity", "clone", "", "up", -1, 1, _HELD,
           "cosine by id-synth to the owner's enrolment (mean embedding of clean training frames); faceless frames "
           "count 0"),
    Metric("identity_arcface", "clone", "", "up", -1, 1, _HELD,
           "the same by an ArcFace-like recogniser of real people, on the 112 px crop of five points; the run's notes "
           "name its file and threshold", "buffalo_l"),
    Metric("face_rate", "clone", "", "up", 0, 1, _SHARE, "share of frames in which a face is found"),
    Metric("m_lmd", "clone", "%", "down", 0, 100, "mean over frames and points 48-67",
           "mouth landmark distance to the true frame, each mouth centred, in % of the outer eye corners' distance; "
           "a faceless frame counts as a mouth shrunk to a point"),
    Metric("lip_correlation", "clone", "", "up", -1, 1, "pooled over blocks",
           "Pearson correlation of inner-lip opening with the true frames', each block's mean removed; still lips 0"),
    Metric("lip_correlation_low", "clone", "", "up", -1, 1, "pooled over blocks",
           "low end of the 95 % interval of lip_correlation: Fisher's z on the effective number of frames"),
    Metric("lip_correlation_high", "clone", "", "up", -1, 1, "pooled over blocks", "high end of that interval"),
    Metric("mouth_energy", "clone", "", "up", 0, RATIO_CAP, "pooled over blocks",
           "standard deviation of inner-lip opening over that of the true frames, each block's mean removed"),
    Metric("dsr", "clone", "", "up", 0, 1, _SHARE,
           "defense success rate: share of frames that fail as a clone (dsr_identity or dsr_lips or dsr_quality)"),
    Metric("dsr_identity", "clone", "", "up", 0, 1, _SHARE,
           "no face found, or cosine to the enrolment below the recogniser's threshold (FAR 1e-3)"),
    Metric("dsr_lips", "clone", "", "up", 0, 1, _SHARE,
           "frames of a frozen clone, faceless frames, and blocks whose lips move < .25 of the truth or correlate "
           "< .3 with it (mean of Fisher's z, a third the block's, two thirds the clip's)"),
    Metric("dsr_quality", "clone", "", "up", 0, 1, _SHARE,
           "head PSNR below 20 dB, or mean opacity in the head below .5"),
    Metric("dsr_l2", "clone", "", "up", 0, 1, _SHARE,
           "mean squared difference inside the head to the clean twin's clone > .05, RGB in [-1,1] (CMUA, GRASP); "
           "of edits: edit_l2_masked > .05, share of the changes"),
    Metric("sync_c", "clone", "", "up", 0, _INF, "distances averaged over windows of 5 held-out frames",
           "SyncNet v2, shifts of the sound by -15..15 frames: median of the mean distances minus the least; face "
           "crops by the true frames' landmarks", "syncnet"),
    Metric("sync_d", "clone", "", "down", 0, _INF, "distances averaged over windows of 5 held-out frames",
           "SyncNet v2: the least mean distance of lips and sound over those shifts", "syncnet"),
    Metric("fid", "clone", "", "down", 0, _INF, "over all held-out frames",
           "FID@n (pytorch-fid's Inception, 2048 features) of the clone to the true held-out frames, n of each; below "
           "2048 frames biased upwards, so compare equal n only; left out below 48", "inception"),
    Metric("fid_to_clean", "clone", "", "down", 0, _INF, "over all held-out frames",
           "FID@n of the clone to the clone made from the clean clip", "inception"),
    # What attribute editors make of a portrait. Reference: the clean twin's edits.
    Metric("edit_l1", "edit", "", "down", 0, 2, _EDITS, "mean absolute difference to the clean edit, RGB in [-1,1]"),
    Metric("edit_l2", "edit", "", "down", 0, 4, _EDITS, "mean squared difference to the clean edit, RGB in [-1,1]"),
    Metric("edit_l2_masked", "edit", "", "down", 0, 4, _EDITS,
           "the same where the clean edit changed the portrait by more than .5, summed over RGB in [-1,1] (CMUA); "
           "edits that changed nothing are left out"),
    Metric("edit_psnr", "edit", "dB", "up", 0, PSNR_CAP, _EDITS, "PSNR to the clean edit"),
    Metric("edit_ssim", "edit", "", "up", -1, 1, _EDITS, "SSIM to the clean edit"),
    Metric("edit_lpips", "edit", "", "down", 0, _INF, _EDITS,
           "LPIPS v0.1 to the clean edit, AlexNet backbone", "alexnet"),
    Metric("edit_area", "edit", "", "up", 0, 1, _EDITS,
           "share of pixels where the clean edit changed the portrait by more than .5, summed over RGB in [-1,1]"),
    Metric("edit_identity", "edit", "", "up", -1, 1, _EDITS,
           "cosine between the original portrait and the edit, by the clip's recogniser; faceless edits count 0"),
    Metric("identity_drop", "edit", "", "down", -2, 2, _EDITS,
           "cosine of the clean edit less that of this one: the change of identity beyond the editor's own drift "
           "(after CIDR of the ICML 2026 benchmark, as a difference)"),
    # What it costs.
    Metric("seconds_per_frame", "cost", "s", "down", 0, _INF, "mean over frames", "CPU seconds of protecting a frame"),
    Metric("iterations_per_frame", "cost", "", "down", 0, _INF, "mean over frames",
           "optimiser iterations that the defense spent on a frame"),
    Metric("peak_mib", "cost", "MiB", "down", 0, _INF, "maximum over steps",
           "peak resident memory of the cell's hungriest step"),
    Metric("attacker_seconds", "cost", "s", "down", 0, _INF, "sum over steps",
           "CPU seconds that the attacker spends: purify, capture, fit and drive"),
)  # fmt: skip

#: Every metric that the shipped judges can give, by name, in the order of the story.
METRICS: Final[dict[str, Metric]] = {metric.name: metric for metric in _TABLE}


def measurement(name: str, value: float | np.floating[Any], n: int, stage: Stage | None = None) -> Measurement:
    """A row that agrees with :data:`METRICS`.

    Args:
        name: a key of :data:`METRICS`.
        value: finite, within the metric's bounds but for rounding.
        n: frames behind it; 0 where the value follows from a definition alone.
        stage: of the few metrics that judge two stages; None takes the metric's own.

    Raises:
        ValueError: not finite or out of bounds, which is a bug of the judge.
    """
    metric = METRICS[name]
    number, slack = float(value), 1e-4
    if not math.isfinite(number) or not metric.lower - slack <= number <= metric.upper + slack:
        raise ValueError(f"{name} = {value} is outside [{metric.lower}, {metric.upper}]")
    return Measurement(
        stage=stage or metric.stage,
        metric=name,
        unit=metric.unit,
        better=metric.better,
        value=float(min(max(number, metric.lower), metric.upper)),
        n=int(n),
    )
