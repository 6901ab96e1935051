"""gt and torso pictures, and the published constants."""

from __future__ import annotations

import numpy as np

from vdf_bench.capture.composites import Constants, composite


def test_published_constants_at_the_official_size():
    assert Constants.at(512) == Constants(
        torso_rows=8 + 1, neck_dilation=3, push_down=4, neck_rows=48 + 4 + 1, blur_radius=2
    )
    assert Constants.at(128) == Constants(3, 1, 1, 12 + 1 + 1, 1)


def _figure():
    """512 px: head down to row 299, neck of 20 columns below it, torso from row 360, wider than the neck."""
    labels = np.zeros((1, 512, 512), np.uint8)
    labels[0, 360:, 100:400] = 16
    labels[0, 350:360, 150:180] = 1
    labels[0, 100:300, 200:300] = 1
    labels[0, 300:360, 240:260] = 14
    frames = np.zeros((1, 512, 512, 3), np.uint8)
    frames[labels == 16] = 200
    frames[labels == 14] = 100
    frames[labels == 1] = 50
    plate = np.full((512, 512, 3), 9, np.uint8)
    return frames, labels, plate


def test_gt_takes_background_from_the_plate():
    frames, labels, plate = _figure()
    gt, _ = composite(frames, labels, plate)
    assert (gt[labels == 0] == 9).all()
    np.testing.assert_array_equal(gt[labels > 0], frames[labels > 0])


def test_torso_continues_behind_the_head():
    frames, labels, plate = _figure()
    _, torso = composite(frames, labels, plate)
    rgb, alpha = torso[0, ..., :3], torso[0, ..., 3]
    assert set(np.unique(alpha)) == {0, 255}
    assert (rgb[alpha == 0] == 0).all()

    # Neck: dilated to row 297, colour from four rows below its top, 53 rows upwards from there, darkening.
    column = alpha[:, 250]
    top = 297 + 4 - (53 - 1)
    assert column[top:360].all() and not column[:top].any()
    middle = rgb[top + 2 : 295, 250, 0].astype(float)
    expected = 100 * 0.98 ** (301 - np.arange(top + 2, 295))
    np.testing.assert_allclose(middle, expected, atol=2)
    # Beside the neck the head leaves nothing.
    assert not alpha[100:300, 205:235].any()

    # Torso under the head's fringe: its top row and eight above; elsewhere no row above.
    assert alpha[352:360, 160].all() and not alpha[:352, 160].any()
    np.testing.assert_array_equal(rgb[352, 160], np.uint8(200 * 0.98**8))
    assert not alpha[:360, 120].any()


def test_edges_of_the_frame_do_not_wrap():
    labels = np.zeros((1, 64, 64), np.uint8)
    labels[0, 2:, 20:40] = 14
    labels[0, :2] = 1
    frames = np.full((1, 64, 64, 3), 120, np.uint8)
    _, torso = composite(frames, labels, np.zeros((64, 64, 3), np.uint8))
    assert torso[0, :, 20:40, 3].all() and not torso[0, :, :20, 3].any()
    np.testing.assert_array_equal(torso[0, 40:, 20:40, :3], 120)
