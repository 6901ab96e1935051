import numpy as np
import pytest
import torch

from vdf_bench.claims.official_loop import OfficialLoop, OfficialSeconds
from vdf_bench.claims.speedup import CountingParser, Look, Speedup, Work, measure_work, price_looks
from vdf_bench.core.budget import Budget
from vdf_bench.defenses.vdf.perturbation import Painter, Variables
from vdf_bench.defenses.vdf.variants import OfficialParameters
from vdf_bench.parsers.network import load_parser


def test_reference_paints_what_the_official_variant_paints():
    loop = OfficialLoop(32)
    clean = loop._clean[0]
    drawn = Variables(loop._noise[0].detach(), loop._mask[0, 0].detach())
    painted = Painter(clean, 0.05 * 255, OfficialParameters()).paint(drawn)
    picture = loop.paint()[0].detach()
    ours = loop._parser.normalise(painted[None])[0]
    # Where black or white is passed the loop goes on, and a rounding may fall the other way.
    inside = (painted > 0.06) & (painted < 0.94)
    assert ((picture - ours).abs()[inside] < 1e-4).float().mean() > 0.999


def test_an_iteration_changes_both_variables():
    loop = OfficialLoop(64)
    before = [loop._noise.detach().clone(), loop._mask.detach().clone()]
    picture = loop.paint()
    loop.update(picture, loop.visual(picture))
    assert all(not torch.equal(a, b) for a, b in zip(before, (loop._noise, loop._mask), strict=True))
    assert loop.check(picture) in (True, False)


def test_a_frame_adds_up():
    parts = OfficialSeconds(masks=1, paint=2, visual=4, check=8, update=16)
    assert parts.frame(0) == 1 + 14
    assert parts.frame(2) == 1 + 3 * 14 + 2 * 16
    assert parts.frame(2, succeeds=False) == 1 + 2 * 14 + 2 * 16


def test_a_reference_that_fails_does_not_look_once_more():
    parts = OfficialSeconds(masks=1, paint=2, visual=4, check=8, update=16)

    def work(success):
        return Work(looks={}, besides=0, iterations=2, success=success, worst=0, psnr=30)

    assert Speedup(32, parts, work(1.0), work(1.0), 1).reference_seconds == parts.frame(2)
    failed = Speedup(32, parts, work(0.0), work(1.0), 0.5)
    assert failed.reference_seconds == parts.frame(2, succeeds=False)
    assert failed.ratio == 2 * parts.frame(2, succeeds=False)


def test_looks_are_counted_once():
    counting = CountingParser(load_parser("builtin"))
    x = torch.rand(1, 3, 48, 48)
    counting(x)
    counting(x.clone().requires_grad_()).sum().backward()
    counting(x.clone().requires_grad_())
    with torch.autocast("cpu", torch.bfloat16):
        counting(x)
    looks = {look: count for look, count in counting.looks.items() if count}
    assert looks == {Look(48, False, False): 2, Look(48, False, True): 1, Look(48, True, False): 1}
    assert counting.seconds > 0


@pytest.mark.parametrize("iterations", [0, 2])
def test_work_of_later_frames(iterations):
    rng = np.random.default_rng(0)
    frames = np.repeat(rng.integers(0, 256, (1, 32, 32, 3), np.uint8), 3, 0)
    settings = {"max_iterations": str(iterations), "max_iterations_first": "0", "success_share": "1", "region": "face"}
    work = measure_work("vdf", settings, frames, Budget(0.05))
    assert work.iterations in (0, iterations)  # 0 where random pixels show no face
    assert 15 < work.psnr < 60
    assert set(price_looks(load_parser("builtin"), set(work.looks), 1)) == set(work.looks)
    assert work.seconds(dict.fromkeys(work.looks, 1.0)) >= sum(work.looks.values())
