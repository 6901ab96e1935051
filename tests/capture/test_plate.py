"""The max-distance rule: what it is, and that it swallows an attacked face."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import cKDTree

from vdf_bench.capture.plate import STRIDE, distance_to_foreground, extract_plate, face_share
from vdf_bench.core import labels as classes
from vdf_bench.core.interfaces import CaptureRefused


@settings(max_examples=40, deadline=None)
@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_distance_is_that_of_the_nearest_neighbour(background):
    distance = distance_to_foreground(background)
    foreground = np.argwhere(~background)
    if not len(foreground):
        assert np.isinf(distance).all()
        return
    expected, _ = cKDTree(foreground).query(np.argwhere(np.ones_like(background)))
    np.testing.assert_allclose(distance.ravel(), expected, rtol=1e-6)


def _long(person, count=400):
    repeat = np.arange(count) % len(person.frames)
    return person.frames[repeat], person.labels[repeat]


def test_a_clean_clip_leaves_no_face_on_the_plate(person):
    frames, labels = _long(person)
    plate = extract_plate(frames, labels)
    assert face_share(plate.source, classes.mask_of(labels, classes.HEAD)) == 0
    np.testing.assert_array_equal(plate.image[plate.source >= 0], person.plate[plate.source >= 0])


def test_one_attacked_frame_in_ten_puts_the_face_on_the_plate(person):
    frames, labels = _long(person)
    sampled = np.arange(0, len(frames), STRIDE)
    attacked = labels.copy()
    for k in sampled[::10]:
        attacked[k][classes.mask_of(attacked[k], classes.FACE)] = 0
    assert len(sampled[::10]) * 10 == len(sampled)
    plate = extract_plate(frames, attacked)
    always_face = classes.mask_of(labels[sampled], classes.FACE).all(axis=0)
    skin = (plate.image == [220, 170, 150]).all(axis=-1)
    assert skin[always_face].mean() > 0.9
    assert face_share(plate.source, classes.mask_of(labels, classes.HEAD)) > 0.05
    # Frames that are not sampled have no say.
    attacked = labels.copy()
    attacked[1][:] = 0
    np.testing.assert_array_equal(extract_plate(frames, attacked).image, extract_plate(frames, labels).image)


def test_unseen_pixels_take_their_nearest_seen_one(person):
    plate = extract_plate(person.frames, person.labels)
    seen = np.argwhere(plate.source >= 0)
    for row, column in np.argwhere(plate.source < 0)[::97]:
        nearest = np.hypot(*(seen - [row, column]).T).min()
        near = seen[np.isclose(np.hypot(*(seen - [row, column]).T), nearest)]
        assert any((plate.image[row, column] == plate.image[r, c]).all() for r, c in near)


def test_threshold_scales_with_the_frame():
    labels = np.zeros((1, 64, 64), np.uint8)
    labels[0, :, 32] = 1
    seen = extract_plate(np.zeros((1, 64, 64, 3), np.uint8), labels).source >= 0
    # 5 px at 512 are 0.625 px at 64: every background pixel lies farther.
    np.testing.assert_array_equal(seen, labels[0] == 0)


def test_frames_without_foreground_stop_only_the_stock_pipeline(person):
    labels = person.labels.copy()
    labels[20] = 0
    with pytest.raises(CaptureRefused, match="empty_foreground@frame 20"):
        extract_plate(person.frames, labels, "strict")
    plate = extract_plate(person.frames, labels, "repair")
    assert not (plate.source == 20).any()
    nothing = extract_plate(person.frames, np.zeros_like(labels), "repair")
    np.testing.assert_array_equal(nothing.image, person.frames[0])
    everything = np.ones_like(labels)
    with pytest.raises(CaptureRefused, match="no_background"):
        extract_plate(person.frames, everything, "strict")
    np.testing.assert_array_equal(extract_plate(person.frames, everything).image, person.frames[0])
