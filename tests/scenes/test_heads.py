"""Rendered heads: what is drawn, labelled and projected agrees."""

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from vdf_bench.core.clip import Pose
from vdf_bench.scenes.head import Head
from vdf_bench.scenes.identity import sample_identity
from vdf_bench.scenes.render import default_focal, head_rotation, place, render_view
from vdf_bench.scenes.shape import EXPRESSIONS, landmark_shape
from vdf_bench.scenes.training import PARSER_HELDOUT_SEEDS, TRAIN_SEEDS, sample_views


def at(labels, points, reach):
    """Classes within ``reach`` pixels of each point."""
    size = labels.shape[0]
    found = []
    for x, y in points:
        rows = slice(max(0, int(y) - reach), min(size, int(y) + reach + 1))
        columns = slice(max(0, int(x) - reach), min(size, int(x) + reach + 1))
        found.append(set(np.unique(labels[rows, columns]).tolist()))
    return found


@pytest.mark.parametrize("seed", [3, 11, 24])
def test_landmarks_lie_on_their_classes(seed):
    head = Head.build(sample_identity(seed))
    rotation = head_rotation(0.1, 0.03, 0.0)
    view = render_view(head, rotation, place(rotation), (0.6, 0.0), 0.0, size=256)
    marks, labels = view.landmarks, view.labels
    # Image-left features carry the lower class numbers.
    assert sum(4 in s for s in at(labels, marks[36:42], 2)) >= 5
    assert sum(5 in s for s in at(labels, marks[42:48], 2)) >= 5
    assert sum(2 in s for s in at(labels, marks[17:22], 2)) >= 3
    assert sum(3 in s for s in at(labels, marks[22:27], 2)) >= 3
    assert all(s & {11, 12, 13} for s in at(labels, marks[48:68], 2))
    assert all(10 in s for s in at(labels, marks[28:36], 3))
    mouth = np.argwhere(labels == 11)
    assert marks[61:64, 1].min() - 1 <= mouth[:, 0].min() + 0.5
    assert mouth[:, 0].max() + 0.5 <= marks[65:68, 1].max() + 1.5


def test_jaw_line_follows_the_face(head):
    rotation = head_rotation(0.0, 0.0, 0.0)
    view = render_view(head, rotation, place(rotation), size=256)
    face = np.isin(view.labels, range(1, 14))
    edge = binary_dilation(face) & binary_dilation(~face)
    rows, columns = np.nonzero(edge)
    away = [np.hypot(columns + 0.5 - x, rows + 0.5 - y).min() for x, y in view.landmarks[4:13]]
    # The line runs a little inside the silhouette: measured, at most 0.055 of the outer eye distance.
    assert np.max(away) < 0.08 * np.linalg.norm(view.landmarks[45] - view.landmarks[36])


def test_a_blink_closes_the_lids_and_an_open_mouth_shows_its_inside(head):
    rotation = head_rotation(0.0, 0.0, 0.0)
    shut = render_view(head, rotation, place(rotation), blink=1.0, size=192)
    wide = render_view(head, rotation, place(rotation), mouth=(1.0, 0.0), size=192)
    eyes = (np.isin(wide.labels, (4, 5)).sum(), np.isin(shut.labels, (4, 5)).sum())
    assert eyes[1] < 0.35 * eyes[0]
    assert (wide.labels == 11).sum() > 50
    assert (shut.labels == 11).sum() < 0.1 * (wide.labels == 11).sum()
    assert wide.landmarks[8, 1] > shut.landmarks[8, 1] + 1


def test_proportions_are_human():
    mean, modes = landmark_shape(range(40), components=6)
    assert modes.shape == (6 + EXPRESSIONS, 68, 3)
    width = mean[16, 0] - mean[0, 0]
    pupils = mean[42:48, 0].mean() - mean[36:42, 0].mean()
    assert 0.40 < pupils / width < 0.52
    assert 0.33 < (mean[54, 0] - mean[48, 0]) / width < 0.45
    # Lips lie about two thirds down from the eyes to the chin.
    assert 0.5 < mean[48:68, 1].mean() / mean[8, 1] < 0.68
    # Opening the jaw lowers the chin and leaves the brows.
    jaw = modes[-3]
    assert jaw[8, 1] < -0.05
    assert np.abs(jaw[17:27]).max() < 1e-6


def test_training_views_are_reproducible_and_varied():
    first = list(sample_views(5, TRAIN_SEEDS, 6, 48, per_identity=3))
    again = list(sample_views(5, TRAIN_SEEDS, 6, 48, per_identity=3))
    for a, b in zip(first, again, strict=True):
        assert a.rgb.tobytes() == b.rgb.tobytes()
        assert a.labels.tobytes() == b.labels.tobytes()
        assert np.array_equal(a.landmarks, b.landmarks)
        assert a.rgb.dtype == np.float32
        assert a.rgb.min() >= 0
        assert a.rgb.max() <= 1
    assert first[0].identity == first[2].identity != first[3].identity
    assert not set(TRAIN_SEEDS) & set(PARSER_HELDOUT_SEEDS)


def test_projection_of_landmarks(head):
    rotation = head_rotation(-0.3, 0.1, 0.1)
    translation = place(rotation, (0.1, 0.0))
    view = render_view(head, rotation, translation, (0.4, -0.5), 0.3, size=128)
    pose = Pose(rotation[None], translation[None], default_focal(128))
    np.testing.assert_allclose(pose.project(head.landmarks((0.4, -0.5), 0.3), 128)[0], view.landmarks, atol=1e-3)
