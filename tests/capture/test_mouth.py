"""The map from sound to mouth: the shipped network, what a clip adds to it, and what is claimed of both."""

from __future__ import annotations

import numpy as np
import pytest

from vdf_bench.capture.mouth import _Candidate, _choose, _folds, _linear_kernel, _Residuals, mouth_from_sound
from vdf_bench.core.clip import split_frames
from vdf_bench.models.audio_mouth import load_audio_mouth
from vdf_bench.scenes.speech import synthesise

COUNT = 110
SPLIT = split_frames(COUNT)


@pytest.fixture(scope="module")
def listener():
    return load_audio_mouth()


def _speech(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sound, and the mouth in the units of the scalars as a landmarker would see it, with its error."""
    sound, lips = synthesise(COUNT, 900_000_000 + seed)
    noise = np.random.default_rng(seed).normal(0, 0.1, lips.shape)
    return sound, ((lips + noise) * [0.08, 0.05] + [0.03, 0.55]).astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_heldout_lips_follow_heldout_sound(listener, seed):
    sound, mouth = _speech(seed)
    heard = mouth_from_sound(sound, mouth, SPLIT.train, listener)
    assert heard.mouth.shape == (COUNT, 2) and heard.mouth.dtype == np.float32
    assert heard.trace["audio_r"] > 0.85 and heard.trace["audio_r_shipped"] > 0.8
    assert heard.trace["audio_r_low"] < heard.trace["audio_r"] < heard.trace["audio_r_high"]
    held = SPLIT.heldout
    assert np.corrcoef(heard.mouth[held, 0], mouth[held, 0])[0, 1] > 0.8
    np.testing.assert_allclose(heard.mouth[SPLIT.train].std(axis=0), mouth[SPLIT.train].std(axis=0), rtol=0.1)
    np.testing.assert_allclose(heard.mouth[SPLIT.train].mean(axis=0), mouth[SPLIT.train].mean(axis=0), rtol=0.1)


def test_late_sound_is_found_out(listener):
    sound, mouth = _speech(7)
    late = np.concatenate([np.zeros(6 * 640, np.float32), sound])[: len(sound)]
    trace = mouth_from_sound(late, mouth, SPLIT.train, listener).trace
    assert trace["audio_r"] > 0.8 > 0.5 > trace["audio_r_shipped"]


def test_a_clips_own_habits_are_learnt(listener):
    """Somebody who opens the mouth where others close it: only landmarks can tell."""
    sound, mouth = _speech(3)
    mouth = (2 * mouth.mean(axis=0) - mouth).astype(np.float32)
    trace = mouth_from_sound(sound, mouth, SPLIT.train, listener).trace
    assert trace["audio_r_shipped"] < -0.8
    assert trace["audio_r"] > 0.5


def test_heldout_landmarks_are_never_looked_at(listener):
    sound, mouth = _speech(1)
    spoiled = mouth.copy()
    spoiled[SPLIT.heldout] = 9
    one, two = (mouth_from_sound(sound, m, SPLIT.train, listener).mouth for m in (mouth, spoiled))
    np.testing.assert_array_equal(one, two)


def test_unrelated_sound_is_owned_up_to(listener):
    traces = []
    for seed in range(12):
        mouth = _speech(seed + 50)[1]
        traces.append(mouth_from_sound(_speech(seed)[0], mouth, SPLIT.train, listener).trace)
    found = np.array([trace["audio_r"] for trace in traces])
    assert abs(found.mean()) < 0.25, "choosing among candidates earns nothing"
    assert sum(trace["audio_r_low"] < 0 < trace["audio_r_high"] for trace in traces) >= 9


@pytest.mark.parametrize("sound", [np.zeros(0, np.float32), np.zeros(70_400, np.float32)])
def test_silence_shuts_the_mouth(listener, sound):
    mouth = _speech(0)[1]
    heard = mouth_from_sound(sound, mouth, SPLIT.train, listener)
    assert heard.trace["audio_r"] == heard.trace["audio_r_shipped"] == 0
    assert (heard.trace["audio_r_low"], heard.trace["audio_r_high"]) == (-1, 1)
    assert (heard.mouth[:, 0] < np.quantile(mouth[SPLIT.train, 0], 0.05)).all()


def test_a_pause_shuts_the_mouth(listener):
    sound, mouth = _speech(2)
    quiet = slice(40, 60)
    sound[40 * 640 : 60 * 640] = 0
    mouth[quiet, 0] = 0.03
    heard = mouth_from_sound(sound, mouth, SPLIT.train, listener).mouth[44:56, 0]
    assert heard.max() < np.quantile(mouth[:, 0], 0.4)


def test_left_out_errors_equal_those_of_fitting_again():
    rng = np.random.default_rng(0)
    train = np.arange(40)
    kernel = _linear_kernel(rng.standard_normal((40, 5)), train)
    candidate = _Candidate(np.zeros((40, 2)), kernel, 0.3)
    rest = rng.standard_normal((40, 2))
    for block, out in _folds(train)[::2]:
        kept = np.setdiff1d(train, out)
        weights = np.linalg.solve(kernel[np.ix_(kept, kept)] + 0.3 * np.eye(len(kept)), rest[kept])
        expected = rest[block] - kernel[np.ix_(block, kept)] @ weights
        np.testing.assert_allclose(_Residuals(candidate, rest, train)(out, block), expected, atol=1e-9)


def test_the_simple_wins_unless_clearly_beaten():
    even, better, noisy = np.full(5, 1.0), np.full(5, 0.9), np.array([0.2, 1.6, 0.3, 1.5, 0.9])
    assert _choose(np.stack([even, better])) == 1
    assert _choose(np.stack([even, noisy])) == 0
