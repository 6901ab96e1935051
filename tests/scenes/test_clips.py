"""Named clips: truth, determinism, speech, and the photograph."""

import numpy as np
import pytest

from vdf_bench.core.clip import SAMPLE_RATE
from vdf_bench.core.errors import UserError
from vdf_bench.core.labels import GROUPS, HEAD, mask_of
from vdf_bench.scenes.photo import NAME, PhotoAstronaut
from vdf_bench.scenes.sheet import contact_sheet
from vdf_bench.scenes.speech import synthesise
from vdf_bench.scenes.synth import CAST, HELDOUT, PUBLIC, SynthClips
from vdf_bench.scenes.training import PARSER_HELDOUT_SEEDS, TRAIN_SEEDS


def test_clip_and_truth_agree(clip):
    truth = clip.truth
    assert clip.frames.shape == (30, 96, 96, 3)
    assert len(clip.audio) == 30 / 25 * SAMPLE_RATE
    assert truth.plate.shape == (96, 96, 3)
    for group in GROUPS.values():
        assert mask_of(truth.labels, group).any(axis=(1, 2)).all()
    assert ((truth.depth > 0) == (truth.labels > 0)).mean() > 0.995
    share = mask_of(truth.labels, HEAD).mean()
    assert 0.22 < share < 0.5
    # The background stands still and is the plate.
    empty = (truth.labels == 0).all(0)
    empty[1:-1, 1:-1] &= empty[:-2, 1:-1] & empty[2:, 1:-1] & empty[1:-1, :-2] & empty[1:-1, 2:]
    difference = np.abs(clip.frames[:, empty].astype(int) - truth.plate[empty].astype(int))
    assert difference.mean() < 3


def test_truth_pose_projects_the_nose_where_it_is_seen(clip):
    truth = clip.truth
    tip = truth.landmarks[:, 30]
    for t in range(0, len(clip), 7):
        x, y = tip[t].astype(int)
        assert truth.labels[t, y, x] == 10
        # Depth under the tip is the nearest of the face.
        assert truth.depth[t, y, x] < np.percentile(truth.depth[t][truth.labels[t] == 1], 5)
    turned = truth.pose.rotation
    np.testing.assert_allclose(turned @ np.swapaxes(turned, 1, 2), np.broadcast_to(np.eye(3), turned.shape), atol=1e-5)
    assert (np.linalg.det(turned) > 0.99).all()


def test_same_seed_same_bytes_other_seed_other_motion():
    provider = SynthClips()
    one, two, other = (provider.load("synth-heldout-2", 64, 6, seed) for seed in (0, 0, 1))
    assert one.frames.tobytes() == two.frames.tobytes()
    assert one.audio.tobytes() == two.audio.tobytes()
    assert not np.array_equal(one.frames, other.frames)
    assert one.identity == other.identity


def test_names_and_seeds_do_not_overlap():
    seeds = [cast.seed for cast in CAST.values()]
    assert len(set(seeds)) == len(seeds) == len(PUBLIC) + len(HELDOUT)
    assert not set(seeds) & (set(TRAIN_SEEDS) | set(PARSER_HELDOUT_SEEDS))
    with pytest.raises(UserError, match="did you mean 'synth-a'"):
        SynthClips().load("synth_a", 64, 4)
    with pytest.raises(UserError):
        SynthClips().load("synth-a", 8, 4)


def test_the_mouth_is_heard():
    audio, mouth = synthesise(250, 4)
    assert len(audio) == 250 * SAMPLE_RATE // 25
    assert np.abs(audio).max() <= 1
    assert mouth[:, 0].min() >= 0
    assert mouth[:, 0].max() <= 1
    loud = np.sqrt((audio.reshape(250, -1) ** 2).mean(1))
    assert np.corrcoef(loud, mouth[:, 0])[0, 1] > 0.4
    assert np.abs(np.diff(mouth, axis=0)).max() < 0.9


def test_photograph_in_motion():
    provider = PhotoAstronaut()
    clip, again = provider.load(NAME, 96, 8), provider.load(NAME, 96, 8)
    truth = clip.truth
    assert clip.frames.tobytes() == again.frames.tobytes()
    assert truth.depth is None
    assert truth.pose is None
    for t in range(len(clip)):
        x, y = truth.landmarks[t, 30].astype(int)
        assert truth.labels[t, y, x] == 10
        lips = truth.landmarks[t, [51, 57]].astype(int)
        assert all(np.isin(truth.labels[t, max(y - 1, 0) : y + 2, x], (11, 12, 13)).any() for x, y in lips)
    # Inner lips part as the mouth opens.
    parted = truth.landmarks[:, 66, 1] - truth.landmarks[:, 62, 1]
    assert np.corrcoef(parted, truth.mouth[:, 0])[0, 1] > 0.95
    with pytest.raises(UserError):
        provider.load("photo", 96, 8)


def test_contact_sheet_shows_truth(clip):
    assert contact_sheet(clip, 5).shape == (4 * 96, 5 * 96, 3)
