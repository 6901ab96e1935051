"""Log-mel and the map from sound to mouth."""

from __future__ import annotations

import numpy as np
import pytest

from vdf_bench.capture.audio import log_mel, mel_filters, mel_windows, mouth_from_sound
from vdf_bench.clip import split_frames

COUNT = 110


def _speech(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A voice whose loudness is the opening and whose second formant is the width: sound and (T, 2) truth."""
    rng = np.random.default_rng(seed)
    t = np.arange(COUNT * 640) / 16_000
    knots = rng.random((40, 2))
    opening, width = (np.interp(t, np.linspace(0, t[-1], 40), knots[:, k]) for k in range(2))
    phase = 2 * np.pi * np.cumsum(800 + 1600 * width) / 16_000
    sound = opening * (np.sin(2 * np.pi * 150 * t) + np.sin(phase)) + 0.02 * rng.standard_normal(len(t))
    middle = ((np.arange(COUNT) + 0.5) * 640).astype(int)
    return (0.3 * sound).astype(np.float32), np.stack([opening, width], 1)[middle].astype(np.float32)


def test_a_tone_lights_its_own_bin():
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    mel = log_mel(tone)
    assert mel.shape == (101, 80)
    centres = np.fft.rfftfreq(800, 1 / 16_000)[mel_filters().argmax(axis=1)]
    assert abs(centres[mel[50].argmax()] - 1000) < 40
    np.testing.assert_allclose(log_mel(tone * 0.01), mel, atol=1e-3)


def test_windows_are_centred_on_frames():
    click = np.zeros(25 * 640, np.float32)
    click[10 * 640 + 320] = 1
    window = mel_windows(click, 25)
    assert window.shape == (25, 16, 80)
    energy = window[10].sum(axis=1)
    assert np.average(np.arange(16), weights=energy) == pytest.approx(7.5, abs=1)
    assert not window[20].any()


def test_reads_the_mouth_in_the_sound():
    sound, mouth = _speech()
    split = split_frames(COUNT)
    heard = mouth_from_sound(mel_windows(sound, COUNT), mouth, split.train)
    assert heard.trace["audio_r"] > 0.8 and heard.trace["audio_r_width"] > 0.6
    held = [np.corrcoef(heard.mouth[split.heldout, k], mouth[split.heldout, k])[0, 1] for k in range(2)]
    assert held[0] > 0.75 and held[1] > 0.75
    np.testing.assert_allclose(heard.mouth[split.train].std(axis=0), mouth[split.train].std(axis=0), rtol=1e-3)
    np.testing.assert_allclose(heard.mouth[split.train].mean(axis=0), mouth[split.train].mean(axis=0), rtol=1e-3)


def test_heldout_landmarks_are_never_looked_at():
    sound, mouth = _speech()
    split = split_frames(COUNT)
    mel = mel_windows(sound, COUNT)
    spoiled = mouth.copy()
    spoiled[split.heldout] = 9
    one, two = (mouth_from_sound(mel, m, split.train).mouth for m in (mouth, spoiled))
    np.testing.assert_array_equal(one, two)


def test_unrelated_sound_is_owned_up_to():
    split = split_frames(COUNT)
    found = []
    for seed in range(8):
        mouth = _speech(seed + 50)[1]
        found.append(mouth_from_sound(mel_windows(_speech(seed)[0], COUNT), mouth, split.train).trace["audio_r"])
    assert abs(np.mean(found)) < 0.3 and max(found) < 0.6


@pytest.mark.parametrize("sound", [np.zeros(0, np.float32), np.zeros(70_400, np.float32)])
def test_silence(sound):
    mouth = _speech()[1]
    split = split_frames(COUNT)
    mel = mel_windows(sound, COUNT)
    heard = mouth_from_sound(mel, mouth, split.train)
    assert not mel.any() and heard.trace == {"audio_r": 0, "audio_r_width": 0}
    np.testing.assert_allclose(heard.mouth, np.tile(mouth[split.train].mean(axis=0), (COUNT, 1)), rtol=1e-5)
