"""The shipped networks still do what their cards say, on a few people that they never saw."""

import numpy as np
import pytest
import torch

from vdf_bench.assets.shipped import card
from vdf_bench.core.errors import UserError
from vdf_bench.models.embedder import load_embedder
from vdf_bench.models.landmarker import load_landmarker
from vdf_bench.parsers.network import load_parser, new_parser
from vdf_bench.training import gates
from vdf_bench.training.train import RECIPES


@pytest.mark.parametrize("name", ["builtin", "heldout"])
def test_parser_finds_every_group(name, unseen):
    groups = gates.grouped_iou(load_parser(name), unseen)
    # The card's gate is measured on 240 views of 256 px; these are 24 of 128 px, harder and few.
    assert np.mean(list(groups.values())) > gates.GATES["grouped_iou"] - 0.06, groups


@pytest.mark.parametrize("name", ["surrogate-b", "surrogate-c"])
def test_a_surrogate_finds_faces_and_is_no_other_parser(name, unseen):
    frames, labels = gates.downscaled(unseen, 96)
    assert min(gates.face_recall(load_parser(name), frames, labels, scale) for scale in (0.5, 1.0, 2.0)) > 0.8
    recipe, held_out = RECIPES[name], RECIPES["heldout"]
    others = {person for other in RECIPES if other != name for person in RECIPES[other].identities}
    assert not others & set(recipe.identities)
    assert recipe.shift != held_out.shift
    assert type(new_parser(name).network) is not type(new_parser("heldout").network)


@pytest.mark.parametrize("scale", gates.SCALES)
def test_builtin_finds_the_face_at_every_scale_of_the_attack(scale, unseen):
    frames, labels = gates.downscaled(unseen, 96)
    assert gates.face_recall(load_parser("builtin"), frames, labels, scale) > 0.87


def test_parser_is_frozen_yet_differentiable():
    parser = load_parser("builtin")
    assert not parser.training and not any(p.requires_grad for p in parser.parameters())
    x = torch.rand(1, 3, 70, 50, requires_grad=True)
    logits = parser(x)
    assert logits.shape == (1, 19, 70, 50)
    logits.square().mean().backward()
    assert x.grad.abs().sum() > 0


def test_parsing_does_not_depend_on_the_batch(unseen):
    parser = load_parser("builtin")
    assert np.mean(parser.parse(unseen.rgb[:5], batch=2) == parser.parse(unseen.rgb[:5], batch=5)) > 0.9999


def test_landmarks_at_small_and_large_frames(unseen):
    landmarker = load_landmarker()
    for size in (64, 128, 320):
        points, score = landmarker.detect(gates.resize(unseen.rgb, size))
        error = gates.normalised_error(points, unseen.landmarks * (size / 128))
        assert error.mean() < gates.GATES["landmark_nme"] + 0.015
        assert np.mean(score > 0.5) > 0.9
        assert points.dtype == score.dtype == np.float32


def test_score_knows_an_empty_plate(unseen):
    _, score = load_landmarker().detect(gates.without_faces(unseen))
    assert np.mean(score < 0.5) > 0.8


def test_identities_are_told_apart(unseen):
    embedder = load_embedder()
    vectors = embedder.embed(unseen.rgb, unseen.landmarks)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    cosine = vectors @ vectors.T
    same = unseen.identity[:, None] == unseen.identity[None]
    upper = np.triu(np.ones_like(same), 1)
    assert gates.equal_error(cosine[same & upper], cosine[~same & upper]) < 0.06
    assert embedder.tau == card("id-synth")["tau"]
    assert np.mean(cosine[~same & upper] > embedder.tau) < 0.02


@pytest.mark.parametrize(
    "name", ["builtin", "heldout", "surrogate-b", "surrogate-c", "landmarker", "id-synth", "audio-mouth"]
)
def test_cards_meet_their_gates(name):
    content = card(name)
    for gate, required in content["required"].items():
        measured = content["gates"][gate]
        assert measured <= required if gate.endswith(("nme", "eer")) else measured >= required, gate


def test_unknown_parser_is_the_users_error():
    with pytest.raises(UserError, match="unknown parser 'nobody'"):
        load_parser("nobody")
