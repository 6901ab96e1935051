"""What attackers who know the defense do to a parser."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from vdf_bench.parsers.adaptive import ScaledParser, VotingParser, vote

SIZE = 48


@pytest.fixture(scope="module")
def slide():
    """A textured disc of class 1 that moves two pixels a frame over a still room: frames and true labels."""
    rng = np.random.default_rng(0)
    texture = gaussian_filter(rng.uniform(0, 255, (2, SIZE, 2 * SIZE, 3)), (0, 1.5, 1.5, 0))
    texture = (texture - texture.min()) / np.ptp(texture) * 255
    row, column = np.mgrid[:SIZE, :SIZE]
    labels = np.stack([(row - 24) ** 2 + (column - 14 - 2 * t) ** 2 < 100 for t in range(9)])
    discs = np.stack([texture[1, :, 2 * (9 - t) : 2 * (9 - t) + SIZE] for t in range(9)])
    frames = np.where(labels[..., None], discs, texture[0, :, :SIZE]).astype(np.uint8)
    return frames, labels.astype(np.uint8)


def share_right(found, labels):
    """Intersection over union of class 1."""
    return ((found == 1) & (labels == 1)).sum() / ((found == 1) | (labels == 1)).sum()


def test_flicker_is_voted_away_and_movement_kept(slide):
    frames, labels = slide
    broken = labels.copy()
    broken[[2, 6]] = 0
    voted = vote(frames, broken, 2)
    assert share_right(voted[[2, 6]], labels[[2, 6]]) > 0.85
    still = sum((np.roll(broken, k, axis=0)[2] == 1).astype(int) for k in (-2, -1, 0, 1, 2)) >= 3
    assert share_right(voted[2], labels[2]) > share_right(still, labels[2]), "without flow, votes lag behind"
    assert share_right(vote(frames, labels, 2), labels) > 0.9


def test_what_is_broken_in_most_frames_stays_broken(slide):
    frames, labels = slide
    broken = labels.copy()
    broken[1:8] = 0
    assert not vote(frames, broken, 2)[4].any()


def test_a_single_frame_has_nobody_to_ask(slide):
    frames, labels = slide
    np.testing.assert_array_equal(vote(frames[:1], labels[:1], 3), labels[:1])


class Bright:
    """Labels what is bright, and remembers the size that it was shown."""

    def __init__(self):
        self.size = 0

    def parse(self, frames):
        self.size = frames.shape[1]
        return (frames[..., 0] > 128).astype(np.uint8)


@pytest.mark.parametrize(("kernel", "scale"), [("lanczos", 0.6), ("area", 0.33), ("lanczos", 1.25)])
def test_a_scaled_parser_looks_at_another_size_and_answers_at_its_own(slide, kernel, scale):
    labels = slide[1]
    frames = np.repeat(labels[..., None] * np.uint8(255), 3, axis=3)
    parser = Bright()
    found = ScaledParser(parser, scale, kernel, (32, 160)).parse(frames)
    assert parser.size == round(scale * SIZE)
    assert found.shape == labels.shape
    assert share_right(found, labels) > 0.8
    assert abs(np.argwhere(found == 1).mean(0) - np.argwhere(labels == 1).mean(0)).max() < 0.3, "nothing is shifted"


def test_large_frames_are_scaled_from_where_the_parser_would_look():
    parser = Bright()
    found = ScaledParser(parser, 0.5, "lanczos", (32, 160)).parse(np.zeros((1, 400, 400, 3), np.uint8))
    assert (parser.size, found.shape) == (80, (1, 400, 400))


def test_a_voting_parser_votes_on_what_it_parsed(slide):
    frames, labels = slide

    class Flickering:
        def parse(self, frames):
            broken = labels.copy()
            broken[4] = 0
            return broken

    assert share_right(VotingParser(Flickering(), 2).parse(frames)[4], labels[4]) > 0.85
