"""Lip synchrony: the arithmetic on embeddings made up for it, the network on random weights of the official format."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.fft import dct

from vdf_bench.capture.cepstra import cepstra, filter_bank
from vdf_bench.core.errors import UserError
from vdf_bench.judges import judge_all
from vdf_bench.judges.sync import SHIFTS, Sync, face_crops, mean_distances, synchrony, windows
from vdf_bench.models.syncnet import EDGE, SyncNet, load_syncnet


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("VDF_BENCH_WEIGHTS", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def state():
    """Random weights under the official names, without the counters that older files lack."""
    torch.manual_seed(0)
    full = SyncNet().state_dict()
    return {key: value for key, value in full.items() if not key.endswith("num_batches_tracked")}


@pytest.mark.parametrize("late", [-4, 0, 7])
def test_the_offset_is_found(late):
    """Lips that repeat the sound's embedding, ``late`` frames off, are found there and nowhere else."""
    rng = np.random.default_rng(0)
    sound = rng.normal(size=(80, 16)).astype(np.float32)
    times = np.arange(20, 50)
    found = synchrony(mean_distances(sound[times + late], sound, times))
    assert found.offset == -late
    assert found.distance < 1e-4
    assert found.confidence == pytest.approx(np.sqrt(2 * 16), rel=0.1)


def test_distances_by_brute_force():
    rng = np.random.default_rng(1)
    lips, sound = rng.normal(size=(4, 8)).astype(np.float32), rng.normal(size=(18, 8)).astype(np.float32)
    times = np.array([0, 5, 12, 17])
    by_hand = []
    for shift in range(-SHIFTS, SHIFTS + 1):
        there = [k for k, t in enumerate(times) if 0 <= t + shift < 18]
        pairs = torch.from_numpy(lips[there]), torch.from_numpy(sound[times[there] + shift])
        by_hand.append(torch.nn.functional.pairwise_distance(*pairs).mean().item())
    means = mean_distances(lips, sound, times)
    assert means == pytest.approx(by_hand, rel=1e-5)
    found = synchrony(means)
    assert found.distance == min(means)
    assert found.confidence == pytest.approx(torch.tensor(means).median().item() - min(means))


def test_lips_that_do_not_follow_have_no_confidence():
    rng = np.random.default_rng(2)
    sound, times = rng.normal(size=(200, 64)).astype(np.float32), np.arange(40, 140)
    still = np.broadcast_to(rng.normal(size=64).astype(np.float32), (100, 64))
    assert synchrony(mean_distances(still, sound, times)).confidence < 0.5
    one = mean_distances(sound[:1], sound[:1], np.array([0]))  # a single moment
    assert np.isfinite(one).all()


def test_windows_stay_within_blocks_and_faces():
    frames = np.array([10, 11, 12, 13, 14, 15, 40, 41, 42, 43, 44])
    seen = np.ones(11, bool)
    assert windows(frames, seen, 5).tolist() == [0, 1, 6]
    seen[5] = False
    assert windows(frames, seen, 5).tolist() == [0, 6]
    assert windows(frames[:3], seen[:3], 5).tolist() == []


def test_cepstra_follow_the_formulas():
    """Written out for one frame; the sound is a rising tone."""
    time = np.arange(8000) / 16000
    audio = (0.3 * np.sin(2 * np.pi * (300 + 900 * time) * time)).astype(np.float32)
    found = cepstra(audio)
    assert found.shape == (13, 49)  # 1 + ceil((8000 - 400) / 160)
    signal = audio.astype(np.float64) * 32768
    signal[1:] -= 0.97 * (audio[:-1].astype(np.float64) * 32768)
    power = np.abs(np.fft.rfft(signal[1600:2000], 512)) ** 2 / 512
    mel = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 28)
    corner = [int(513 * (700 * (10 ** (m / 2595) - 1)) / 16000) for m in mel]
    bands = []
    for low, mid, high in zip(corner, corner[1:], corner[2:], strict=False):
        rise = sum(power[k] * (k - low) / (mid - low) for k in range(low, mid))
        bands.append(rise + sum(power[k] * (high - k) / (high - mid) for k in range(mid, high)))
    by_hand = dct(np.log(bands), norm="ortho")[:13] * [1 + 11 * np.sin(np.pi * n / 22) for n in range(13)]
    by_hand[0] = np.log(power.sum())
    assert found[:, 10] == pytest.approx(by_hand, rel=1e-6)
    assert np.isfinite(cepstra(np.zeros(640, np.float32))).all()
    assert cepstra(np.zeros(0, np.float32)).shape == (13, 0)
    assert filter_bank().max() == 1


def test_the_network_has_the_official_files_size(state):
    """54 573 114 bytes are published; the tensors' own, and what the format adds to each."""
    size = sum(value.numel() * value.element_size() for value in state.values())
    assert 0 < 54_573_114 - size < 200 * len(state)


def test_official_format_loads_and_is_deterministic(state, folder):
    torch.save(state, folder / "syncnet_v2.model")
    network = load_syncnet()
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (6, EDGE, EDGE, 3)).astype(np.uint8)
    lips = network.embed_faces(crops, np.array([0, 1]), batch=2)
    sound = network.embed_sound(rng.normal(size=(13, 28)))
    assert lips.shape == (2, 1024) and sound.shape == (3, 1024)
    assert network.embed_faces(crops, np.array([1]))[0] == pytest.approx(lips[1], abs=1e-4)
    assert not np.allclose(lips[0], lips[1])
    torch.save({"netcnnaud.0.weight": torch.zeros(1)}, folder / "syncnet_v2.model")
    with pytest.raises(UserError, match="not a state dict of syncnet"):
        load_syncnet()


def test_crops_take_the_face_and_grey_beyond_the_picture():
    frames = np.zeros((3, 60, 80, 3), np.uint8)
    frames[:, 20:40, 30:50] = 255
    points = np.zeros((3, 68, 2), np.float32)
    points[:, ::2] = 30, 24
    points[:, 1::2] = 50, 40
    crops = face_crops(frames, points, np.zeros(3, np.int64), edge=56)
    assert crops.shape == (3, 56, 56, 3)
    # The box of 20 px lies in a crop of 28: 4 px beside it, none above, 8 below.
    assert (crops[0, 2:38, 10:46] == 255).all()
    assert (crops[0, 44:, :] == 0).all() and (crops[0, :, :6] == 0).all()
    outside = face_crops(frames, points - 60, np.zeros(3, np.int64), edge=56)
    assert (outside == 110).all()


def test_columns_come_and_go_with_the_weights(evidence, landmarker, state, folder):
    spoken = replace(evidence.clip, audio=np.random.default_rng(0).normal(0, 0.1, 70_400).astype(np.float32))
    cell = replace(evidence, clip=spoken)
    assert judge_all(cell, [Sync()], "clone") == []
    assert "vdf-bench weights fetch syncnet" in Sync().missing()
    torch.save(state, folder / "syncnet_v2.model")
    rows = judge_all(cell, [Sync()], "clone")
    assert [row.metric for row in rows] == ["sync_c", "sync_d"]
    assert all(row.n > 0 for row in rows)
    assert Sync().missing() is None
    assert judge_all(replace(evidence, clip=replace(spoken, audio=spoken.audio[:0])), [Sync()], "clone") == []
