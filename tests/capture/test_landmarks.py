"""Policies for face-less frames; scalars; the hull parser."""

from __future__ import annotations

import numpy as np
import pytest

from vdf_bench.capture.landmarks import detect_landmarks, nearest_valid, usable
from vdf_bench.capture.parsing import colour_code, parse_frames
from vdf_bench.capture.scalars import eye_scalar, interocular, mouth_scalars
from vdf_bench.core.clip import split_frames
from vdf_bench.core.interfaces import CaptureRefused
from vdf_bench.parsers.hull import HullParser, hull_labels


def test_strict_names_the_first_faceless_frame(person):
    person.score[[7, 9]] = 0.2
    with pytest.raises(CaptureRefused) as refusal:
        detect_landmarks(person.frames, person, "strict")
    assert refusal.value.code == "no_face@frame 7"


def test_repair_copies_the_nearest(person):
    person.score[[7, 8]] = 0.2
    person.points[10] = np.nan
    found = detect_landmarks(person.frames, person, "repair")
    assert list(np.nonzero(~found.valid)[0]) == [7, 8, 10]
    np.testing.assert_array_equal(found.points[7], person.points[6])
    np.testing.assert_array_equal(found.points[8], person.points[9])
    np.testing.assert_array_equal(found.points[10], person.points[9])
    assert found.trace["detection_rate"] == 1 - 3 / len(person.frames)


def test_nearest_valid_prefers_the_past():
    valid = np.array([False, True, False, True, False, False])
    np.testing.assert_array_equal(nearest_valid(valid), [1, 1, 1, 3, 3, 3])


def test_drop_leaves_frames_out_of_training_only():
    split = split_frames(110)
    valid = np.ones(110, bool)
    valid[[3, split.heldout[0]]] = False
    dropped = usable(split, valid, "drop")
    assert set(split.train) - set(dropped.train) == {3}
    np.testing.assert_array_equal(dropped.heldout, split.heldout)
    assert usable(split, valid, "repair") is split
    valid[split.train] = False
    with pytest.raises(CaptureRefused, match="training frames"):
        usable(split, valid, "drop")


@pytest.mark.parametrize("policy", ["repair", "drop"])
def test_no_face_anywhere(person, policy):
    person.score[:] = 0
    with pytest.raises(CaptureRefused, match="no_face@all frames"):
        detect_landmarks(person.frames, person, policy)


def test_scalars_do_not_depend_on_size_or_place(person):
    open_mouth = person.points.copy()
    open_mouth[:, 65:68, 1] += 3
    assert (mouth_scalars(open_mouth)[:, 0] > mouth_scalars(person.points)[:, 0]).all()
    np.testing.assert_allclose(mouth_scalars(open_mouth)[:, 1], mouth_scalars(person.points)[:, 1])
    gaps = open_mouth[0, 65:68, 1][::-1] - open_mouth[0, 61:64, 1]
    np.testing.assert_allclose(mouth_scalars(open_mouth)[0, 0], gaps.mean() / interocular(open_mouth)[0], rtol=0.05)
    np.testing.assert_allclose(mouth_scalars(open_mouth * 2 + 5), mouth_scalars(open_mouth), rtol=1e-4)
    shut = person.points.copy()
    shut[:, [40, 41, 46, 47]] = shut[:, [38, 37, 44, 43]]
    assert (eye_scalar(person.points) > 0.2).all()
    np.testing.assert_allclose(eye_scalar(shut), 0, atol=1e-6)


def test_hull_is_the_head(person):
    labels = HullParser(person).parse(person.frames)
    for label, points in zip(labels[::9], person.points[::9], strict=True):
        nose, mouth = points[30].astype(int), points[60:68].mean(axis=0).astype(int)
        assert label[nose[1], nose[0]] == 1
        assert label[mouth[1], mouth[0]] in (11, 12)
        assert label[0, 0] == 0 and label[-1, -1] == 0
    rows = np.nonzero((hull_labels(person.points[0], 64) > 0).any(axis=1))[0]
    assert rows[-1] == pytest.approx(person.points[0, 8, 1], abs=1.5)
    person.score[:] = 0
    assert not HullParser(person).parse(person.frames).any()


def test_colours(person):
    parsing = parse_frames(person.frames, person)
    shares = [parsing.trace[f"{name}_share"] for name in ("background", "head", "neck", "torso")]
    assert sum(shares) == pytest.approx(1)
    coded = colour_code(parsing.labels[0])
    for value, colour in (
        (0, [255, 255, 255]),
        (1, [0, 0, 255]),
        (14, [0, 255, 0]),
        (16, [255, 0, 0]),
        (17, [0, 0, 255]),
    ):
        assert (coded[parsing.labels[0] == value] == colour).all()
