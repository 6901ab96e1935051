"""A talking rectangle: a head whose position, mouth and colour can be read from its pixels, and readers for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vdf_bench.core.capture import Capture
from vdf_bench.core.clip import Clip, Pose, Truth, split_frames
from vdf_bench.core.interfaces import Evidence, Rendering
from vdf_bench.judges import observe
from vdf_bench.recognisers import synth

SIZE, COUNT = 48, 72
SKIN = np.array([200, 150, 120])
TOP, LEFT, HEIGHT, WIDTH = 8, 12, 30, 22


def draw(opening, shift, skin=SKIN):
    """Frame and labels of one moment; ``opening`` in rows of dark mouth, ``shift`` in columns."""
    y, x = np.mgrid[:SIZE, :SIZE]
    frame = np.stack([20 + x, 40 + y, np.full_like(x, 60)], -1).astype(np.uint8)
    labels = np.zeros((SIZE, SIZE), np.uint8)
    left = LEFT + shift
    head = np.s_[TOP : TOP + HEIGHT, left : left + WIDTH]
    shade = 1 + 0.15 * np.sin(np.arange(WIDTH))[None, :, None]
    frame[head] = np.clip(skin * shade, 0, 255)
    labels[head] = 1
    mouth = np.s_[TOP + 20 : TOP + 20 + opening, left + 6 : left + 16]
    frame[mouth] = 10
    labels[mouth] = 11
    return frame, labels


class PixelLandmarker:
    """Finds reddish pixels, and the dark rows below their middle."""

    def __init__(self):
        self.frames_seen = 0

    def detect(self, frames):
        self.frames_seen += len(frames)
        points, score = np.full((len(frames), 68, 2), np.nan, np.float32), np.zeros(len(frames), np.float32)
        for t, frame in enumerate(frames.astype(int)):
            skin = (frame[..., 0] > 140) & (frame[..., 0] > frame[..., 2] + 30)
            if skin.sum() < 100:
                continue
            rows, columns = np.nonzero(skin)
            top, left, right = rows.min(), columns.min(), columns.max() + 1
            middle = (left + right) // 2
            opening = np.count_nonzero(frame[top + 18 : top + 30, middle, 0] < 60)
            points[t] = [middle, top + 15]
            points[t, 36], points[t, 45] = [left + 2, top + 8], [right - 2, top + 8]
            angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
            points[t, 48:, 0] = middle + 5 * np.cos(angle)
            points[t, 48:, 1] = top + 20 + opening / 2 + (1 + opening / 2) * np.sin(angle)
            points[t, 61:64] = np.stack([middle + np.array([-2, 0, 2]), np.full(3, top + 20)], -1)
            points[t, [67, 66, 65]] = points[t, 61:64] + [0, opening]
            score[t] = 1
        return points, score


class ColourEmbedder:
    """Recognises people by the colour of the middle of their faces."""

    tau = 0.9

    def embed(self, frames, points):
        x, y = points[:, 33].astype(int).T
        colour = frames[np.arange(len(frames)), y - 2, x].astype(np.float32) - 128
        return colour / np.maximum(np.linalg.norm(colour, axis=1, keepdims=True), 1e-6)


@pytest.fixture
def landmarker(monkeypatch):
    fake = PixelLandmarker()
    monkeypatch.setattr(observe.Tools, "load_landmarker", lambda self: fake)
    monkeypatch.setattr(synth.IdSynth, "load", lambda self: synth.SynthModel(ColourEmbedder(), ColourEmbedder.tau))
    return fake


def scene(count=COUNT, with_truth=True, skin=SKIN):
    time = np.arange(count)
    opening = np.round(3 + 3 * np.sin(time * 0.9) * np.sin(time * 0.23 + 1)).astype(int)
    shift = np.round(3 * np.sin(time / 5)).astype(int)
    frames, labels = map(np.stack, zip(*[draw(o, s, skin) for o, s in zip(opening, shift, strict=True)], strict=True))
    landmarks, _ = PixelLandmarker().detect(frames)
    angles = 0.2 * np.sin(time / 7)
    cosine, sine, zero, one = np.cos(angles), np.sin(angles), 0 * angles, 0 * angles + 1
    rotation = np.stack([cosine, zero, sine, zero, one, zero, -sine, zero, cosine], -1).reshape(-1, 3, 3)
    pose = Pose(rotation.astype(np.float32), np.tile(np.float32([0, 0, 9]), (count, 1)), 2.0 * SIZE)
    depth = np.where(labels > 0, 9 - 0.5 * np.cos(np.linspace(-1, 1, SIZE)), 0).astype(np.float32)
    plate = background()
    truth = Truth(labels, landmarks, plate, np.zeros((count, 2), np.float32), zero.astype(np.float32), depth, pose)
    audio = np.zeros(16000 * count // 25, np.float32)
    return Clip("rectangle", frames, audio, "rectangle", truth=truth if with_truth else None), truth


def background():
    y, x = np.mgrid[:SIZE, :SIZE]
    return np.stack([20 + x, 40 + y, np.full_like(x, 60)], -1).astype(np.uint8)


def captured(clip, truth):
    count = len(clip)
    return Capture(
        frames=clip.frames,
        labels=truth.labels,
        plate=truth.plate,
        plate_source=np.full((SIZE, SIZE), -1),
        gt=clip.frames,
        torso=np.zeros((count, SIZE, SIZE, 4), np.uint8),
        landmarks=truth.landmarks,
        valid=np.ones(count, bool),
        pose=truth.pose,
        mouth=np.zeros((count, 2), np.float32),
        eyes=np.zeros(count, np.float32),
        mel=np.zeros((count, 16, 80), np.float32),
        mouth_audio=np.zeros((count, 2), np.float32),
        split=split_frames(count),
    )


def rendered(rgb, heads, truth_depth):
    return Rendering(rgb, np.where(heads, truth_depth, 0).astype(np.float32), heads.astype(np.float32))


def perfect(clip, truth, split):
    held = split.heldout
    return rendered(clip.frames[held], truth.labels[held] > 0, truth.depth[held])


@pytest.fixture
def evidence():
    """A defended cell whose defense achieved nothing: the clone is perfect."""
    clip, truth = scene()
    split = split_frames(len(clip))
    capture = captured(clip, truth)
    protected = clip.frames ^ np.uint8(1)
    perfectly = perfect(clip, truth, split)
    twin = replace(perfectly, rgb=perfectly.rgb.copy())
    return Evidence(clip, split, protected, capture, replace(capture), perfectly, twin)


@pytest.fixture
def kit():
    """The scene's makers, for tests that need several cells."""
    return {"scene": scene, "captured": captured, "perfect": perfect, "draw": draw, "background": background}
