"""What the victims that ship do beyond the contract, on a head that is exactly known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vdf_bench.core import registry
from vdf_bench.core.clip import Pose
from vdf_bench.core.interfaces import Drive, FitSetting

STEPS = 150
SMALL = {
    "gaussian": {"count": "600"},
    "hashgrid": {"rays": "512", "levels": "2"},
    "triplane": {"rays": "512", "resolution": "24"},
}


def victim(name):
    return registry.create("victims", name, SMALL[name])


def drive_of(capture, frames):
    pose = Pose(capture.pose.rotation[frames], capture.pose.translation[frames], capture.pose.focal)
    return Drive(pose, capture.mouth[frames], capture.eyes[frames], capture.backdrop(frames))


def head_psnr(rgb, capture, frames):
    error = (rgb / 255.0 - capture.frames[frames] / 255.0) ** 2
    return -10 * np.log10(error[capture.head[frames]].mean())


@pytest.fixture(scope="module")
def trained(capture):
    return {name: victim(name).fit(capture, FitSetting(iterations=STEPS)) for name in SMALL}


@pytest.mark.parametrize("name", SMALL)
def test_clone_of_a_clean_capture_beats_the_plate(name, trained, capture):
    frames = capture.split.heldout
    drive = drive_of(capture, frames)
    rendering = trained[name].render(drive)
    assert head_psnr(rendering.rgb, capture, frames) > head_psnr(drive.backdrop, capture, frames) + 8
    head = capture.head[frames]
    assert rendering.alpha[head].mean() > 0.8
    assert rendering.alpha[~head].mean() < 0.2
    solid = rendering.depth > 0
    np.testing.assert_array_equal(solid, rendering.alpha > 0.5)
    assert abs(np.median(rendering.depth[solid]) - 6.2) < 0.3  # the front of a head that is 7 units away


@pytest.mark.parametrize("name", SMALL)
def test_mouth_follows_the_code(name, trained, capture):
    frames = np.array([int(np.abs(capture.pose.rotation[:, 0, 2]).argmin())] * 2)
    mouth = np.stack([capture.mouth[capture.mouth[:, 0].argmin()], capture.mouth[capture.mouth[:, 0].argmax()]])
    shut, open_ = trained[name].render(replace(drive_of(capture, frames), mouth=mouth)).rgb.astype(float)
    left, top = capture.landmarks[frames[0], 60:68].min(0).astype(int)
    right, bottom = capture.landmarks[frames[0], 60:68].max(0).astype(int) + 1
    box = (slice(top, bottom), slice(left, right))
    assert shut[box].mean() > open_[box].mean() + 15  # the inside of the mouth is dark
    forehead = (slice(top - 12, top - 9), slice(left, right))
    assert abs(shut[forehead] - open_[forehead]).mean() < 8


@pytest.mark.parametrize("name", SMALL)
def test_poisoned_masks_freeze_the_composite_target_only(name, poisoned):
    frames = poisoned.split.heldout
    alpha = {}
    for target in ("composite", "full"):
        head = victim(name).fit(poisoned, FitSetting(target=target, iterations=STEPS))
        alpha[target] = head.render(drive_of(poisoned, frames)).alpha[:, 12:20, 13:19].mean()
    assert alpha["composite"] < 0.3 < 0.6 < alpha["full"]
