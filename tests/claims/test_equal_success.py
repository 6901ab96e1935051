"""The 47-fold claim: what is counted, what counts as equal, and what the verdict says."""

import json
import math
import sys

import pytest
from rich.console import Console

from vdf_bench.claims.equal_success import BASELINES, METHOD, Timing, ratios, spread, verdict
from vdf_bench.claims.report import print_speedup, write_speedup
from vdf_bench.claims.speed import measure_speed
from vdf_bench.commands.cli import main
from vdf_bench.core.budget import Budget
from vdf_bench.core.errors import UserError

CLIPS = [f"clip-{k}" for k in range(6)]


def made_up(factors, *, success=1.0, method=1.0, capped=60.0):
    """VDF at 0.1 s a frame on six clips, ``pgd`` slower by each clip's factor, ``grasp`` given up, ``warm-pgd`` faster.

    Args:
        factors: of ``pgd``, a clip each.
        success: share of ``pgd``'s frames that succeed.
        method: share of VDF's frames that succeed.
        capped: ``grasp``'s factor when it is given up.
    """
    spread = (0.97, 0.98, 1.0, 1.01, 1.02, 1.03)
    return {
        METHOD: {clip: Timing((0.3, 0.05, 0.05, 0.0), 1, method, 29.0) for clip in CLIPS},
        "pgd": {clip: Timing((0.1 * f,) * 2, 8, success, 30.0) for clip, f in zip(CLIPS, factors, strict=True)},
        "grasp": {clip: Timing((0.1 * capped * f,) * 2, 100, 0.5, 30.0) for clip, f in zip(CLIPS, spread, strict=True)},
        "warm-pgd": {clip: Timing((0.05, 0.05), 1, 1.0, 29.5) for clip in CLIPS},
    }


SLOWER = [4, 5, 6, 7, 8, 9]
AS_CLAIMED = [40, 44, 46, 48, 50, 55]
MUCH_SLOWER = [90, 95, 99, 90, 92, 94]


def test_ratios_are_geometric_means_over_clips():
    pgd, grasp, warm = ratios(made_up(SLOWER))
    assert pgd.value == pytest.approx(math.prod(SLOWER) ** (1 / 6))
    assert pgd.later == pytest.approx(3 * pgd.value)  # VDF's first frame is two thirds of its time
    assert pgd.low < pgd.value < pgd.high
    assert (pgd.relation, grasp.relation, warm.relation) == ("=", ">=", "=")
    assert warm.value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        (SLOWER, "not reproduced"),
        (AS_CLAIMED, "reproduced"),
        (MUCH_SLOWER, "exceeded"),
        ([8, 20, 45, 50, 90, 200], "not"),
    ],
)
def test_verdict_follows_the_interval(factors, said):
    assert verdict(ratios(made_up(factors, capped=200))).startswith(said)


def test_an_interval_that_holds_everything_decides_nothing():
    assert "and much else" in verdict(ratios(made_up([8, 20, 45, 60, 150, 300], capped=400)))


def test_giving_up_early_is_no_speed():
    """Two given up at a few times VDF's time: both would have needed longer, nobody knows how much."""
    found = ratios(made_up([2, 2, 3, 3, 2, 3], success=0.5))
    assert found[0].text.startswith(">= 2.")
    assert verdict(found).startswith("not decided")


@pytest.mark.parametrize(
    ("factors", "capped", "said"),
    [
        (SLOWER, 2, "not reproduced"),  # the fastest is at most pgd, whoever it is
        (MUCH_SLOWER, 2, "not decided"),  # grasp might have succeeded at once after the cap
        (MUCH_SLOWER, 70, "exceeded"),  # even then it is slower than claimed
        (AS_CLAIMED, 2, "not decided"),
        (AS_CLAIMED, 70, "reproduced"),
    ],
)
def test_a_bound_counts_for_what_it_bounds(factors, capped, said):
    assert verdict(ratios(made_up(factors, capped=capped))).startswith(said)


def test_a_method_that_fails_is_not_fast():
    found = ratios(made_up(MUCH_SLOWER, method=0.9))
    assert {ratio.baseline: ratio.relation for ratio in found} == {"pgd": "<=", "grasp": "?", "warm-pgd": "<="}
    assert verdict(found).startswith("not decided")


def test_heirs_are_no_cold_baselines():
    """warm-pgd is faster here, and the verdict still speaks of pgd."""
    assert "as fast as pgd" in verdict(ratios(made_up(SLOWER)))


def test_few_clips_decide_nothing():
    few = {name: dict(list(clips.items())[:3]) for name, clips in made_up(SLOWER).items()}
    assert verdict(ratios(few)).startswith("not decided")


@pytest.mark.parametrize(("frames", "taken"), [(2, [0, 1]), (3, [0, 1, 2]), (24, [0, 12, 23])])
def test_cold_baselines_are_timed_all_over_the_clip(frames, taken):
    assert spread(frames).tolist() == taken


def test_a_real_measurement_is_printed_and_kept(tmp_path):
    told = []
    found = measure_speed(("synth-a",), 64, 5, Budget(0.05), cap=2, tell=lambda text, share: told.append(share))
    assert set(found.timings) == {METHOD, *BASELINES}
    assert all(timing.mean > 0 for clips in found.timings.values() for timing in clips.values())
    assert len(found.timings["pgd"]["synth-a"].seconds) == 3
    assert len(found.timings["warm-pgd"]["synth-a"].seconds) == 5
    assert all(clips["synth-a"].iterations == 2 for name, clips in found.timings.items() if name in ("pgd", "grasp"))
    assert told == sorted(told)
    assert len(told) == 5
    console = Console(record=True, width=110)
    print_speedup(found, console)
    text = console.export_text()
    assert "47x" in text
    assert ">= " in text
    assert "given up at 2 steps" in text
    assert "verdict at equal success: not decided" in text
    kept = json.loads(write_speedup(found, tmp_path).read_text())
    assert kept["claim"]["factor"] == 47
    assert kept["timings"]["pgd"]["synth-a"]["seconds"]


def test_an_interrupt_is_a_line_and_130(monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("vdf_bench.claims.speed.measure_speed", interrupted)
    monkeypatch.setattr(sys, "argv", ["vdf-bench", "reproduce", "speedup"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "interrupted: nothing was saved; run the same command again to start over\n"


def test_published_surrogates_say_what_they_need(monkeypatch):
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(UserError, match=r"vdf-bench\[diffusion\]"):
        measure_speed(("synth-a",), 64, 2, Budget(0.05), published=True)
