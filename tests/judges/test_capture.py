"""The capture trace against brute force, and its behaviour under the attacks it exists for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vdf_bench.core import labels as classes
from vdf_bench.core.clip import Pose
from vdf_bench.judges import judge_all
from vdf_bench.judges.capture import CaptureTrace, grouped_iou, pose_error, recall


def traced(evidence):
    return {row.metric: row.value for row in judge_all(evidence, [CaptureTrace()], "capture")}


def test_untouched_capture_is_faithful(evidence):
    values = traced(evidence)
    expected = {"parse_iou": 1, "head_recall": 1, "face_recall": 1, "landmark_nme": 0, "detection_rate": 1}
    expected |= {"pose_error_deg": 0, "plate_face_share": 0}
    assert values.keys() == expected.keys()
    for name, value in expected.items():
        assert values[name] == pytest.approx(value, abs=0.05 if name == "pose_error_deg" else 1e-9), name


def test_erased_parsing_shows_in_recall_and_plate_but_not_in_pose(evidence):
    labels = evidence.capture.labels.copy()
    labels[:, :, :24] = 0
    source = evidence.capture.plate_source.copy()
    source[:, :24] = 7
    values = traced(replace(evidence, capture=replace(evidence.capture, labels=labels, plate_source=source)))
    head = evidence.capture.labels > 0
    assert values["head_recall"] == pytest.approx(head[:, :, 24:].sum() / head.sum())
    assert values["parse_iou"] < 0.8
    region = head.mean(0) > 0.5
    assert values["plate_face_share"] == pytest.approx((region & head[7])[:, :24].sum() / region.sum())
    assert values["pose_error_deg"] < 0.05


def test_refused_capture_has_the_worst_values(evidence):
    values = traced(replace(evidence, capture=None, outcome="refused"))
    assert values["detection_rate"] == values["head_recall"] == 0
    assert (values["pose_error_deg"], values["landmark_nme"]) == (180, 1)


def test_undefended_frames_are_judged_by_the_truth(evidence):
    labels = evidence.capture.labels.copy()
    labels[:, 20:] = 0
    capture = replace(evidence.capture, labels=labels)
    clean = replace(evidence, protected=evidence.clip.frames, capture=capture, clean_capture=capture)
    assert traced(clean)["head_recall"] < 1
    assert traced(replace(clean, clip=replace(clean.clip, truth=None)))["head_recall"] == 1


def test_grouped_iou_by_brute_force():
    rng = np.random.default_rng(0)
    found, true = rng.integers(0, 19, (2, 3, 8, 8)).astype(np.uint8)
    scores = []
    for group in classes.GROUPS.values():
        a = np.array([v in group for v in found.ravel()])
        b = np.array([v in group for v in true.ravel()])
        scores.append((a & b).sum() / (a | b).sum())
    assert grouped_iou(found, true) == pytest.approx(np.mean(scores))
    blank = np.zeros((1, 4, 4), np.uint8)
    assert grouped_iou(blank, blank) == 1
    assert recall(blank, blank, classes.HEAD) == 1


def test_pose_error_forgives_a_constant_offset_only():
    rng = np.random.default_rng(0)
    track = Rotation.from_euler("xyz", rng.normal(0, 15, (40, 3)), degrees=True)
    offset = Rotation.from_euler("xyz", [20, -10, 5], degrees=True)
    assert pose_error((track * offset).as_matrix(), track.as_matrix()) == pytest.approx(0, abs=1e-4)
    angles = 6.0 * np.where(np.arange(40) % 2, 1, -1)
    wobble = Rotation.from_euler("y", angles[:, None], degrees=True)
    assert pose_error((track * wobble * offset).as_matrix(), track.as_matrix()) == pytest.approx(6, abs=1e-3)
    assert np.isfinite(pose_error(np.full((40, 3, 3), np.nan), track.as_matrix()))


def test_landmark_error_is_in_inter_ocular_distances(evidence):
    moved = evidence.capture.landmarks + np.float32([3, 4])
    values = traced(replace(evidence, capture=replace(evidence.capture, landmarks=moved)))
    eyes = evidence.capture.landmarks[:, 45] - evidence.capture.landmarks[:, 36]
    assert values["landmark_nme"] == pytest.approx(np.mean(5 / np.linalg.norm(eyes, axis=-1)), rel=1e-5)
    lost = replace(evidence.capture, landmarks=np.full_like(moved, np.nan), pose=Pose(*_nan_pose(evidence)))
    assert traced(replace(evidence, capture=lost))["landmark_nme"] == 1


def _nan_pose(evidence):
    pose = evidence.capture.pose
    return np.full_like(pose.rotation, np.nan), pose.translation, pose.focal
