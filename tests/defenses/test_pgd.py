import torch

from vdf_bench.defenses.common.parameters import ParsingParameters
from vdf_bench.defenses.common.parsing import ParsingObjective
from vdf_bench.defenses.pgd import Pgd, PgdParameters


def run(frames, setting, **parameters):
    defense = Pgd(PgdParameters(**parameters))
    out = list(defense.protect(iter(frames), setting))
    return out, defense.log()


def test_one_step_is_one_level_against_the_gradient(frames, setting, parser):
    out, log = run(frames[:1], setting, steps=1)
    picture = frames[0].clone().requires_grad_()
    objective = ParsingObjective(parser, ParsingParameters())
    objective.judge(picture, objective.sights(frames[0])).loss.backward()
    expected = (frames[0] * 255).round() - picture.grad.sign()
    assert torch.equal((out[0] * 255).round(), expected)
    assert log["iterations"] == [1]


def test_hides_the_face(frames, setting, parser):
    out, log = run(frames, setting)
    assert log["success"] == [1.0] * len(frames)
    for clean, protected in zip(frames, out, strict=True):
        face = parser(clean[None])[0].argmax(0) == 1
        assert (parser(protected[None])[0].argmax(0)[face] == 0).float().mean() > 0.8


def test_cold_frames_do_not_know_each_other(frames, setting):
    whole, _ = run(frames, setting)
    alone, _ = run(frames[5:6], setting)
    assert torch.equal(whole[5], alone[0])


def test_warm_frames_inherit(frames, setting):
    _, cold = run(frames, setting)
    _, warm = run(frames, setting, warm=True)
    assert warm["success"] == cold["success"] == [1.0] * len(frames)
    assert warm["iterations"][0] == cold["iterations"][0]
    assert sum(warm["iterations"][1:]) < sum(cold["iterations"][1:])


def test_stops_at_the_last_step(frames, setting):
    _, log = run(frames[:2], setting, steps=2)
    assert log["iterations"] == [2, 2]
    assert log["success"] == [0, 0]
