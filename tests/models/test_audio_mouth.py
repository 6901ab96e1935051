"""The voices that audio-mouth learns from, and what it learnt."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vdf_bench.assets.shipped import card, load_shipped
from vdf_bench.capture.audio import log_mel
from vdf_bench.models.audio_mouth import FEATURES, AudioMouth, load_audio_mouth
from vdf_bench.scenes.synth import CAST
from vdf_bench.scenes.training import TRAIN_SEEDS
from vdf_bench.training import gates
from vdf_bench.training.common import UNSEEN
from vdf_bench.training.speech import bend, learn_audio_mouth, utterances
from vdf_bench.training.train import VOICES, train
from vdf_bench.training.voices import record, speak


def test_a_voice_is_a_function_of_its_generator():
    sound, lips = speak(2.0, np.random.default_rng(5))
    again, _ = speak(2.0, np.random.default_rng(5))
    np.testing.assert_array_equal(sound, again)
    assert sound.shape == (32_000,) and lips.shape == (201, 2)
    assert np.abs(sound).max() == pytest.approx(0.7)
    assert lips[:, 0].min() >= -0.01 and lips[:, 0].max() < 1.6 and np.abs(lips[:, 1]).max() <= 1


def test_lips_go_with_the_voice():
    """Wide mouths are loud, and where lips are shut little is heard above the nose's murmur."""
    found, shut, wide = [], [], []
    for seed in range(6):
        sound, lips = speak(4.0, np.random.default_rng(seed))
        mel = log_mel(sound)
        middle = mel[:, 20:50].mean(1)
        found.append(np.corrcoef(middle, lips[:, 0])[0, 1])
        shut.append(middle[lips[:, 0] < 0.08].mean() if (lips[:, 0] < 0.08).any() else 0.0)
        wide.append(middle[lips[:, 0] > 0.6].mean())
    assert np.mean(found) > 0.3
    assert np.mean(shut) < 0.6 * np.mean(wide)


def test_recording_changes_the_tone_and_not_the_time():
    sound, _ = speak(2.0, np.random.default_rng(1))
    for seed in range(4):
        heard = record(sound, np.random.default_rng(seed))
        assert heard.shape == sound.shape and np.isfinite(heard).all() and not np.array_equal(heard, sound)
        loud, louder = (log_mel(s).mean(1) for s in (sound, heard))
        shifts = [np.corrcoef(np.roll(loud, k)[20:-20], louder[20:-20])[0, 1] for k in range(-10, 11)]
        assert abs(int(np.argmax(shifts)) - 10) <= 3


def test_bending_keeps_shapes_and_silence_below_the_floor():
    mel = torch.rand(3, 240, 80, generator=torch.Generator().manual_seed(0))
    out = bend(mel, torch.Generator().manual_seed(1))
    assert out.shape == mel.shape and bool((out >= 0).all()) and not torch.equal(out, mel)
    assert torch.equal(out, bend(mel, torch.Generator().manual_seed(1)))


def test_no_clip_is_among_the_voices():
    seeds = {cast.seed for cast in CAST.values()}
    assert set(VOICES) <= set(TRAIN_SEEDS)
    assert not seeds & {*VOICES, *UNSEEN}


def test_the_shipped_network_hears_strangers():
    found = gates.audio_mouth_gates(load_audio_mouth(), utterances(UNSEEN[-15:]))
    assert found["voice_r"] > gates.GATES["voice_r"] - 0.05
    assert found["voice_r_width"] > gates.GATES["voice_r_width"] - 0.05


def test_hearing_is_at_the_asked_times():
    network = load_audio_mouth()
    mel = log_mel(speak(2.0, np.random.default_rng(3))[0])
    times = np.arange(40) / 25 + 0.02
    mouth, features = network.hear(mel, times)
    assert mouth.shape == (40, 2) and features.shape == (40, FEATURES) and mouth.dtype == np.float32
    later, _ = network.hear(mel, times + 0.04)
    np.testing.assert_allclose(later[:-1], mouth[1:], atol=1e-5)
    beyond, _ = network.hear(mel, np.array([-1.0, 0.0, 2.0, 9.0]))
    np.testing.assert_array_equal(beyond[[0, 2]], beyond[[1, 3]])


def test_learning_is_a_function_of_its_seed():
    data = utterances(range(1, 4))
    states = []
    for _ in range(2):
        torch.manual_seed(0)
        network = AudioMouth()
        learn_audio_mouth(network, data, 3, 7, lambda *_: None)
        states.append(torch.cat([p.flatten() for p in network.parameters()]))
    assert torch.equal(*states)


def test_training_writes_weights_and_card(tmp_path):
    found = train("audio-mouth", seed=3, out=tmp_path, scale=0.001)
    about = card("audio-mouth", tmp_path)
    assert about["gates"] == found and set(about["required"]) == set(found) == {"voice_r", "voice_r_width"}
    assert found["voice_r"] < gates.GATES["voice_r"], "two steps teach nothing"
    network = AudioMouth()
    network.load_state_dict(load_shipped("audio-mouth", tmp_path))
    assert about["parameters"] == sum(p.numel() for p in network.parameters()) < 300_000
