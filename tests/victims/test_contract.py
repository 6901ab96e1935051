"""What every victim must do, whatever field it trains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vdf_bench.assets.needs import unmet
from vdf_bench.core import registry
from vdf_bench.core.clip import Pose
from vdf_bench.core.interfaces import Drive, FitFailed, FitSetting
from vdf_bench.victims.common import training

STEPS = {"gaussian": 150, "hashgrid": 150, "triplane": 150}
SMALL = {
    "gaussian": {"count": "600"},
    "hashgrid": {"rays": "512", "levels": "2"},
    "triplane": {"rays": "512", "resolution": "24"},
}


def _case(name):
    """The victim, or why it is not run here; one that could run and is not listed above fails."""
    card = registry.load("victims", name).card
    lack = unmet(card) or ("official systems are tested on stand-ins" if "official" in card.tags else None)
    return pytest.param(name, marks=pytest.mark.skip(reason=f"{name} {lack}")) if lack else name


NAMES = [_case(name) for name in registry.names("victims") if "editor" not in registry.load("victims", name).card.tags]


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
    return {name: victim(name).fit(capture, FitSetting(iterations=STEPS[name])) for name in STEPS}


@pytest.mark.parametrize("name", NAMES)
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


@pytest.mark.parametrize("name", NAMES)
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


@pytest.mark.parametrize("name", NAMES)
def test_restored_head_renders_the_same_bytes(name, trained, capture):
    drive = drive_of(capture, capture.split.heldout[:3])
    state = {key: value.copy() for key, value in trained[name].state().items()}
    again = victim(name).restore(state).render(drive)
    first = trained[name].render(drive)
    for field in ("rgb", "depth", "alpha"):
        assert getattr(first, field).tobytes() == getattr(again, field).tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_bytes(name, capture):
    one, two, other = (victim(name).fit(capture, FitSetting(iterations=12, seed=s)).state() for s in (3, 3, 4))
    assert one.keys() == two.keys()
    assert all(one[key].tobytes() == two[key].tobytes() for key in one)
    assert any(one[key].tobytes() != other[key].tobytes() for key in one)


@pytest.mark.parametrize("name", NAMES)
def test_poisoned_masks_freeze_the_composite_target_only(name, poisoned):
    frames = poisoned.split.heldout
    alpha = {}
    for target in ("composite", "full"):
        head = victim(name).fit(poisoned, FitSetting(target=target, iterations=STEPS[name]))
        alpha[target] = head.render(drive_of(poisoned, frames)).alpha[:, 12:20, 13:19].mean()
    assert alpha["composite"] < 0.3 < 0.6 < alpha["full"]


@pytest.mark.parametrize("name", NAMES)
def test_capture_without_any_head_still_trains(name, capture):
    empty = replace(capture, labels=np.zeros_like(capture.labels))
    drive = drive_of(empty, empty.split.heldout[:1])
    rendering = victim(name).fit(empty, FitSetting(iterations=8)).render(drive)
    assert np.isfinite(rendering.alpha).all() and np.isfinite(rendering.depth).all()


@pytest.mark.parametrize("name", NAMES)
def test_nan_in_the_capture_ends_the_fit(name, capture):
    lost = replace(capture, pose=replace(capture.pose, translation=np.full_like(capture.pose.translation, np.nan)))
    silent = replace(capture, mouth=np.full_like(capture.mouth, np.nan))
    for broken in (lost, silent):
        with pytest.raises(FitFailed, match="nan@capture") as failure:
            victim(name).fit(broken, FitSetting(iterations=20))
        assert failure.value.outcome == "diverged"


@pytest.mark.parametrize("name", NAMES)
def test_timeout_ends_the_fit(name, capture):
    with pytest.raises(FitFailed) as failure:
        victim(name).fit(capture, FitSetting(iterations=5000, timeout=0.05))
    assert failure.value.outcome == "timed-out"


@pytest.mark.parametrize("name", NAMES)
def test_a_fit_that_was_cut_off_goes_on_to_the_same_bytes(name, capture, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    whole = victim(name).fit(capture, FitSetting(iterations=20, seed=1)).state()

    class Cut(Exception):
        pass

    def cut(share):
        if share > 0.6:
            raise Cut

    monkeypatch.setattr(training, "TELL_SECONDS", 0.0)
    scratch = tmp_path / "checkpoint"
    with pytest.raises(Cut):
        victim(name).fit(capture, FitSetting(iterations=20, seed=1, scratch=scratch, tell=cut))
    shares = []
    again = victim(name).fit(capture, FitSetting(iterations=20, seed=1, scratch=scratch, tell=shares.append)).state()
    assert min(shares) > 0.6, "it began again"
    assert all(whole[key].tobytes() == again[key].tobytes() for key in whole)


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_checkpoint_is_as_good_as_none(name, capture, tmp_path):
    scratch = tmp_path / "checkpoint"
    scratch.write_bytes(b"not a checkpoint")
    whole = victim(name).fit(capture, FitSetting(iterations=5)).state()
    again = victim(name).fit(capture, FitSetting(iterations=5, scratch=scratch)).state()
    assert all(whole[key].tobytes() == again[key].tobytes() for key in whole)
