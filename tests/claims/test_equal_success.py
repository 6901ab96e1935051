"""The 47-fold claim: what is counted, what counts as equal, and what the verdict says."""

import json
import math

import pytest
from rich.console import Console

from vdf_bench.budget import Budget
from vdf_bench.claims.equal_success import BASELINES, METHOD, Timing, ratios, verdict
from vdf_bench.claims.report import print_speedup, write_speedup
from vdf_bench.claims.speed import measure_speed
from vdf_bench.errors import UserError

CLIPS = [f"clip-{k}" for k in range(6)]


def made_up(factors, success=1.0):
    """VDF at 0.1 s a frame on six clips, ``pgd`` slower by each clip's factor, ``warm-pgd`` twice as fast."""
    return {
        METHOD: {clip: Timing((0.1, 0.1), 1.0, 29.0) for clip in CLIPS},
        "pgd": {clip: Timing((0.1 * f, 0.1 * f), success, 30.0) for clip, f in zip(CLIPS, factors, strict=True)},
        "warm-pgd": {clip: Timing((0.05, 0.05), 1.0, 29.5) for clip in CLIPS},
    }


def test_ratios_are_geometric_means_over_clips():
    factors = [4, 5, 6, 7, 8, 9]
    pgd, warm = ratios(made_up(factors))
    assert pgd.value == pytest.approx(math.prod(factors) ** (1 / 6))
    assert pgd.low < pgd.value < pgd.high
    assert pgd.equal
    assert warm.value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        ([4, 5, 6, 7, 8, 9], "not reproduced"),
        ([40, 44, 46, 48, 50, 55], "reproduced"),
        ([90, 95, 99, 90, 92, 94], "exc"),
    ],
)
def test_verdict_follows_the_interval(factors, said):
    assert verdict(ratios(made_up(factors))).startswith(said)


def test_giving_up_early_is_no_speed():
    assert verdict(ratios(made_up([2, 2, 3, 3, 2, 3], success=0.5))).startswith("not decided")


def test_heirs_are_no_cold_baselines():
    """warm-pgd is faster here, and the verdict still speaks of pgd."""
    assert "as fast as pgd" in verdict(ratios(made_up([4, 5, 6, 7, 8, 9])))


def test_few_clips_decide_nothing():
    few = {name: dict(list(clips.items())[:3]) for name, clips in made_up([4, 5, 6, 7, 8, 9]).items()}
    assert verdict(ratios(few)).startswith("not decided")


def test_a_real_measurement_is_printed_and_kept(tmp_path, monkeypatch):
    for name in BASELINES:
        monkeypatch.setitem(BASELINES, name, {**BASELINES[name], "steps": "2"})
    found = measure_speed(("synth-a",), 64, 2, Budget(0.05), published=False)
    assert set(found.timings) == {METHOD, *BASELINES}
    assert all(timing.mean > 0 for clips in found.timings.values() for timing in clips.values())
    console = Console(record=True, width=110)
    print_speedup(found, console)
    text = console.export_text()
    assert "47x" in text
    assert "Verdict at equal success: not decided" in text
    kept = json.loads(write_speedup(found, tmp_path).read_text())
    assert kept["claim"]["factor"] == 47
    assert kept["timings"]["pgd"]["synth-a"]["seconds"]


def test_published_surrogates_say_what_they_need(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(UserError, match=r"vdf-bench\[diffusion\]"):
        measure_speed(("synth-a",), 64, 2, Budget(0.05), published=True)
