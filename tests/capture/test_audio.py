"""Log-mel and its windows."""

from __future__ import annotations

import numpy as np
import pytest

from vdf_bench.capture.audio import log_mel, mel_filters, mel_windows


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
