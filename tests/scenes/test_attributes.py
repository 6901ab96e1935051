"""Attributes are set and taken off exactly, and portraits are of people who have none."""

import numpy as np
import pytest

from vdf_bench.core.errors import UserError
from vdf_bench.scenes.attributes import ATTRIBUTES, editable, has, with_attribute, with_attributes
from vdf_bench.scenes.head import Head
from vdf_bench.scenes.identity import sample_identity
from vdf_bench.scenes.portraits import NAMES, Portraits, edited_truths, plain_people, sample_sitting, take_portrait
from vdf_bench.scenes.render import head_rotation, place, render_view
from vdf_bench.scenes.synth import CAST
from vdf_bench.scenes.training import PARSER_HELDOUT_SEEDS, TRAIN_SEEDS
from vdf_bench.training import train_editors
from vdf_bench.training.editor_data import editable_seeds, plain_seeds


@pytest.fixture(scope="module")
def plain():
    return next(plain_people(310_000))


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_an_attribute_is_set_alone_and_taken_off(name, plain):
    on = with_attribute(plain, name)
    assert [other for other in ATTRIBUTES if has(on, other)] == [name]
    assert with_attribute(on, name) is on and with_attribute(plain, name, False) is plain
    off = with_attribute(on, name, False)
    assert not any(has(off, other) for other in ATTRIBUTES)
    assert off.seed == on.seed == plain.seed


def test_every_state_of_many_people_can_be_reached():
    for seed in range(40):
        person = sample_identity(seed)
        for bits in (0, 31, 13, 22):
            wanted = tuple(bool(bits >> k & 1) for k in range(len(ATTRIBUTES)))
            assert tuple(has(with_attributes(person, wanted), name) for name in ATTRIBUTES) == wanted


def test_a_dressed_head_is_the_head_that_would_be_built(plain):
    wanted = with_attributes(plain, (True, False, True, True, True))
    built, dressed = Head.build(wanted), Head.build(plain).dressed(wanted)
    rotation = head_rotation(0.1, 0, 0)
    views = [render_view(head, rotation, place(rotation), (0.3, 0.5), size=64) for head in (built, dressed)]
    assert views[0].rgb.tobytes() == views[1].rgb.tobytes()
    assert np.array_equal(views[0].landmarks, views[1].landmarks)
    undressed = built.dressed(plain)
    assert len(undressed.vertices) < len(built.vertices)
    with pytest.raises(ValueError, match="another body"):
        built.dressed(sample_identity(5))


def test_edits_change_their_part_of_the_picture_and_nothing_else(plain):
    head, sitting = Head.build(plain), sample_sitting(plain.seed)
    before = take_portrait(head, sitting, 96)
    top, middle = before.landmarks[27, 1], before.landmarks[33, 1]
    rows = {}
    for name in ATTRIBUTES:
        after = take_portrait(head.dressed(with_attribute(plain, name)), sitting, 96)
        difference = np.abs(after.rgb - before.rgb).max(2)
        assert (difference > 0.05).mean() > 0.005, name
        # Compression alone touches what lies beside the edit.
        assert np.median(difference) < 0.02, name
        rows[name] = np.average(np.arange(96), weights=difference.sum(1))
    assert rows["blond-hair"] < middle < rows["beard"]
    assert top - 15 < rows["glasses"] < middle < rows["smile"]


def test_portraits_are_of_plain_people_whom_nothing_was_trained_on():
    people = [Portraits().load(name, 32).source["identity"] for name in NAMES[:2]]
    assert len(NAMES) == 100 and len(set(people)) == 2
    portraits = set(plain_seeds(300_000, len(NAMES)))
    assert {int(person) for person in people} <= portraits
    assert all(editable(sample_identity(seed)) for seed in portraits)
    learnt = set(editable_seeds(train_editors.FIRST_SEED, train_editors.PEOPLE))
    judged = set(plain_seeds(train_editors.GATE_SEED, train_editors.GATE_PEOPLE))
    others = {*TRAIN_SEEDS, *PARSER_HELDOUT_SEEDS, *(cast.seed for cast in CAST.values())}
    assert not portraits & (learnt | judged | others) and not learnt & (judged | others)


def test_a_portrait_and_its_truth_are_the_same_bytes_again():
    clip = Portraits().load("portrait-007", 64, 25)
    assert clip.frames.shape == (1, 64, 64, 3) and len(clip.audio) == 0 and clip.identity == "portrait-007"
    assert clip.truth.labels.shape == (1, 64, 64) and clip.truth.landmarks.shape == (1, 68, 2)
    again, edited = edited_truths("portrait-007", [(), ("glasses",)], 64)
    assert again.tobytes() == clip.frames[0].tobytes()
    assert not np.array_equal(edited, again)
    other = Portraits().load("portrait-007", 64, 1, seed=1)
    assert not np.array_equal(other.frames, clip.frames)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Portraits().load("portrait-100", 64), "portrait-10"),
        (lambda: Portraits().load("portrait-001", 8), "at least 32"),
        (lambda: edited_truths("portrait-001", [("hat",)], 64), "unknown attribute 'hat'"),
    ],
)
def test_a_users_mistake_is_one_line(call, said):
    with pytest.raises(UserError, match=said):
        call()
