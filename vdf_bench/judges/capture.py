"""What the attacker's preprocessing made of the protected frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vdf_bench import labels as classes
from vdf_bench.cards import Card
from vdf_bench.judges.base import BaseJudge
from vdf_bench.judges.definitions import measurement
from vdf_bench.judges.observe import observe
from vdf_bench.judges.points import normalised_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vdf_bench.clip import Pose
    from vdf_bench.interfaces import Evidence, Measurement
    from vdf_bench.judges.observe import Observation

#: A plate pixel nearer than this (max over channels) to the true plate is background.
PLATE_TOLERANCE = 10
#: One nearer than this to a head pixel of the clean clip is head; leaves room for a perturbation of .05 and a codec.
HEAD_TOLERANCE = 25


class Reference(NamedTuple):
    """What a capture should have found."""

    labels: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    pose: Pose
    plate: NDArray[np.uint8]


class CaptureTrace(BaseJudge):
    """Parsing, landmarks, pose and plate against the clean twin's capture."""

    card = Card(
        name="capture",
        title="Capture trace",
        summary="Parsing, landmarks, pose and background plate of the capture against its clean twin's; of undefended "
        "frames against the rendered truth, where there is one. A refused capture counts as the worst of each.",
    )
    stage = "capture"

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        seen = observe(evidence)
        count = len(seen.clip)
        capture = seen.capture
        if capture is None:
            worst = {"detection_rate": 0, "parse_iou": 0, "head_recall": 0, "face_recall": 0}
            worst |= {"landmark_nme": 1, "pose_error_deg": 180, "plate_face_share": 0}
            for name, value in worst.items():
                yield measurement(name, value, 0)
            return
        yield measurement("detection_rate", capture.valid.mean(), count)
        reference = reference_of(seen)
        if reference is None:  # the clean twin was refused and nothing else is known
            return
        yield measurement("parse_iou", grouped_iou(capture.labels, reference.labels), count)
        for name, group in (("head_recall", classes.HEAD), ("face_recall", classes.FACE)):
            yield measurement(name, recall(capture.labels, reference.labels, group), count)
        nme = np.nan_to_num(normalised_error(capture.landmarks, reference.landmarks), nan=1.0)
        yield measurement("landmark_nme", min(float(nme.mean()), 1.0), count)
        yield measurement("pose_error_deg", pose_error(capture.pose.rotation, reference.pose.rotation), count)
        heads = classes.mask_of(reference.labels, classes.HEAD)
        yield measurement(
            "plate_face_share", plate_face_share(capture.plate, reference.plate, seen.clip.frames, heads), count
        )


def reference_of(seen: Observation) -> Reference | None:
    """Truth for undefended frames where it exists, else the clean capture; the exact plate wherever it is known."""
    truth, capture = seen.clip.truth, seen.capture if seen.undefended else seen.clean_capture
    if truth is not None and truth.pose is not None and (seen.undefended or capture is None):
        return Reference(truth.labels, truth.landmarks, truth.pose, truth.plate)
    if capture is None:
        return None
    if truth is not None and seen.undefended:  # animated photographs know all but the pose
        return Reference(truth.labels, truth.landmarks, capture.pose, truth.plate)
    return Reference(capture.labels, capture.landmarks, capture.pose, capture.plate if truth is None else truth.plate)


def grouped_iou(labels: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """Mean IoU over the groups of :data:`vdf_bench.labels.GROUPS` that occur in either parsing."""
    scores = []
    for group in classes.GROUPS.values():
        found, true = classes.mask_of(labels, group), classes.mask_of(reference, group)
        union = np.count_nonzero(found | true)
        if union:
            scores.append(np.count_nonzero(found & true) / union)
    return float(np.mean(scores))


def recall(labels: NDArray[np.uint8], reference: NDArray[np.uint8], group: tuple[int, ...]) -> float:
    """Share of the reference's pixels of ``group`` that are still parsed as ``group``; 1 where it has none."""
    true = classes.mask_of(reference, group)
    total = np.count_nonzero(true)
    return np.count_nonzero(classes.mask_of(labels, group) & true) / total if total else 1.0


def pose_error(rotation: NDArray[np.floating], reference: NDArray[np.floating]) -> float:
    """Mean angle in degrees between two (T, 3, 3) tracks that may differ by a constant rotation of the head frame.

    Two trackers put "frontal" at different angles, which no victim minds. That offset is the chordal mean of the
    relative rotations, projected to SO(3).
    """
    relative = np.nan_to_num(np.einsum("tji,tjk->tik", np.asarray(reference, np.float64), rotation))
    left, _, right = np.linalg.svd(relative.mean(0))
    offset = left @ np.diag([1.0, 1.0, np.linalg.det(left @ right)]) @ right
    traces = np.einsum("ji,tji->t", offset, relative)
    return float(np.degrees(np.arccos(np.clip((traces - 1) / 2, -1, 1))).mean())


def plate_face_share(
    plate: NDArray[np.uint8], true_plate: NDArray[np.uint8], frames: NDArray[np.uint8], heads: NDArray[np.bool_]
) -> float:
    """Share of the head region of a background plate that shows the head.

    The region is where the head is in more than half of the frames. A pixel shows the head when it differs from the
    true plate by more than 10/255, lies within 25/255 of a head pixel that some clean frame has at that place, and
    is nearer to that than to the true plate (largest difference over channels). Plates are patched together from
    single frames, so single frames, not their mean, tell what was copied.

    Args:
        plate: (S, S, 3), as captured.
        true_plate: (S, S, 3), what it should be.
        frames: (T, S, S, 3) clean frames.
        heads: (T, S, S) head masks of ``frames``.
    """
    region = heads.mean(0) > 0.5
    if not region.any():
        return 0.0
    there = plate[region].astype(np.int16)
    to_plate = np.abs(there - true_plate[region]).max(-1)
    to_head = np.full(len(there), 256, np.int16)
    for frame, head in zip(frames, heads, strict=True):
        distance = np.abs(there - frame[region]).max(-1)
        to_head = np.where(head[region], np.minimum(to_head, distance), to_head)
    shows = (to_plate > PLATE_TOLERANCE) & (to_head <= HEAD_TOLERANCE) & (to_head < to_plate)
    return float(shows.mean())
