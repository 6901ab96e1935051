"""What the attacker's preprocessing made of the protected frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from vdf_bench.core import labels as classes
from vdf_bench.core.cards import Card
from vdf_bench.core.metrics import Metric
from vdf_bench.judges.base import BaseJudge
from vdf_bench.judges.observe import observe
from vdf_bench.judges.points import normalised_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vdf_bench.core.clip import Pose
    from vdf_bench.core.interfaces import Evidence
    from vdf_bench.core.metrics import Measurement
    from vdf_bench.judges.observe import Observation


class Reference(NamedTuple):
    """What a capture should have found."""

    labels: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    pose: Pose


METRICS: Final = (
    Metric("parse_iou", "capture", "", "up", 0, 1, "mean over groups, pixels pooled over the clip",
           "mean IoU over background, head, hair, neck, torso and lips against the reference parsing", shown=False),
    Metric("head_recall", "capture", "", "up", 0, 1, "pixels pooled over the clip",
           "share of the reference's head pixels (face and hair) still parsed as head", shown=False),
    Metric("face_recall", "capture", "", "up", 0, 1, "pixels pooled over the clip",
           "share of the reference's face pixels (classes 1-13) still parsed as face", shown=False),
    Metric("landmark_nme", "capture", "", "down", 0, 1, "mean over frames and 68 points, capped at 1",
           "landmark distance to the reference over the distance of its outer eye corners", shown=False),
    Metric("detection_rate", "capture", "", "up", 0, 1, "share of frames",
           "share of frames in which the attacker's landmarker found a face", shown=False),
    Metric("pose_error_deg", "capture", "°", "down", 0, 180, "mean over frames",
           "rotation angle to the reference pose, after removing their constant offset", shown=False),
    Metric("plate_face_share", "capture", "", "down", 0, 1, "share of pixels",
           "share of the plate, where the head mostly is, that was copied from pixels showing the head", shown=False),
)  # fmt: skip


class CaptureTrace(BaseJudge):
    """Parsing, landmarks, pose and plate against the clean twin's capture."""

    card = Card(
        name="capture",
        title="Capture trace",
        summary="Parsing, landmarks, pose and background plate of the capture against its clean twin's; of undefended "
        "frames against the rendered truth, where there is one. A refused capture counts as the worst of each.",
    )
    stage = "capture"
    metrics = METRICS

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        from vdf_bench.capture.plate import face_share

        seen = observe(evidence)
        count = len(seen.clip)
        capture = seen.capture
        if capture is None:
            worst = {"detection_rate": 0, "parse_iou": 0, "head_recall": 0, "face_recall": 0}
            worst |= {"landmark_nme": 1, "pose_error_deg": 180, "plate_face_share": 0}
            for name, value in worst.items():
                yield self.measurement(name, value, 0)
            return
        yield self.measurement("detection_rate", capture.valid.mean(), count)
        reference = reference_of(seen)
        if reference is None:  # the clean twin was refused and nothing else is known
            return
        yield self.measurement("parse_iou", grouped_iou(capture.labels, reference.labels), count)
        for name, group in (("head_recall", classes.HEAD), ("face_recall", classes.FACE)):
            yield self.measurement(name, recall(capture.labels, reference.labels, group), count)
        nme = np.nan_to_num(normalised_error(capture.landmarks, reference.landmarks), nan=1.0)
        yield self.measurement("landmark_nme", min(float(nme.mean()), 1.0), count)
        yield self.measurement("pose_error_deg", pose_error(capture.pose.rotation, reference.pose.rotation), count)
        truth = seen.clip.truth
        heads = classes.mask_of(reference.labels if truth is None else truth.labels, classes.HEAD)
        yield self.measurement("plate_face_share", face_share(capture.plate_source, heads), count)


def reference_of(seen: Observation) -> Reference | None:
    """Truth for undefended frames where it exists, else the clean capture."""
    truth, capture = seen.clip.truth, seen.capture if seen.undefended else seen.clean_capture
    if truth is not None and truth.pose is not None and (seen.undefended or capture is None):
        return Reference(truth.labels, truth.landmarks, truth.pose)
    if capture is None:
        return None
    if truth is not None and seen.undefended:  # animated photographs know all but the pose
        return Reference(truth.labels, truth.landmarks, capture.pose)
    return Reference(capture.labels, capture.landmarks, capture.pose)


def grouped_iou(labels: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """Mean IoU over the groups of :data:`vdf_bench.core.labels.GROUPS` that occur in either parsing."""
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
