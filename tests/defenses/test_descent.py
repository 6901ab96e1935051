import torch

from vdf_bench.defenses.common.parameters import ParsingParameters
from vdf_bench.defenses.common.parsing import ParsingObjective
from vdf_bench.defenses.descent import MiFgsm, MiFgsmParameters, Pgd, PgdParameters


def run(frames, setting, **parameters):
    defense = Pgd(PgdParameters(**parameters))
    out = list(defense.protect(iter(frames), setting))
    return out, defense.log()


def test_one_step_is_one_level_against_the_gradient(frames, setting, parser):
    out, log = run(frames[:1], setting, steps=1)
    picture = frames[0].clone().requires_grad_()
    objective = ParsingObjective(parser, ParsingParameters())
    objective.judge(picture, objective.prepare(frames[0])).loss.backward()
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


def test_momentum_is_the_published_sum_of_normalised_gradients(frames, setting, parser):
    bound = 12
    parameters = MiFgsmParameters(steps=2, success_share=1)
    out = next(MiFgsm(parameters).protect(iter(frames[:1]), setting))
    objective = ParsingObjective(parser, ParsingParameters())
    prepared = objective.prepare(frames[0])
    delta, total = torch.zeros_like(frames[0]), torch.zeros_like(frames[0])
    for _ in range(2):
        picture = (((frames[0] + delta) * 255).round() / 255).requires_grad_()
        (gradient,) = torch.autograd.grad(objective.judge(picture, prepared).loss, picture)
        total = total + gradient / gradient.abs().mean()
        delta = delta - bound / 2 / 255 * total.sign()
    assert torch.equal((out * 255).round(), ((frames[0] + delta) * 255).round())


def test_the_log_holds_every_scale(frames, setting):
    _, log = run(frames[:2], setting)
    scales = [log[f"share@{scale:g}"] for scale in ParsingParameters().scales]
    assert log["share"] == [min(shares) for shares in zip(*scales, strict=True)]
    assert all(loss > 0 for loss in log["loss"])
