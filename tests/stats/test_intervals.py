"""Do nominal 95 % intervals cover the truth? People with three seeds each, on several distributions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vdf_bench.stats import bootstrap_interval, interval_ends

SEEDS = 3
#: Held-out frames behind a success rate.
FRAMES = 24


def normal(rng, people):
    return 0.0, people_and_seeds(rng, rng.normal(0, 1, people))


def skewed(rng, people):
    return 1.0, people_and_seeds(rng, rng.exponential(1, people))


def lognormal(rng, people):
    person = rng.lognormal(0, 0.5, people)[..., None]
    return math.exp(0.125), person * rng.lognormal(-0.02, 0.2, (*people, SEEDS))


def split_rates(rng, people):
    """DSR where a defense mostly wins or loses a person: U-shaped."""
    return 0.5, rates(rng, rng.beta(0.5, 0.5, people))


def high_rates(rng, people):
    """Net DSR of a defense that mostly works, less what clean clones fail by themselves."""
    clean = rng.binomial(FRAMES, 0.03, (*people, SEEDS)) / FRAMES
    return 2 / 2.7 - 0.03, rates(rng, rng.beta(2, 0.7, people)) - clean


def low_rates(rng, people):
    return 0.7 / 2.7, rates(rng, rng.beta(0.7, 2, people))


def all_or_none(rng, people):
    """A clone fails whole or not at all, and seeds mostly agree."""
    fails = np.where(rng.random(people) < 0.7, 0.97, 0.03)
    return 0.7 * 0.97 + 0.3 * 0.03, (rng.random((*people, SEEDS)) < fails[..., None]) * 1.0


def people_and_seeds(rng, person):
    return person[..., None] + rng.normal(0, 0.5, (*person.shape, SEEDS))


def rates(rng, person):
    return rng.binomial(FRAMES, person[..., None], (*person.shape, SEEDS)) / FRAMES


DISTRIBUTIONS = (normal, skewed, lognormal, split_rates, high_rates, low_rates)


def coverage(draw, people, trials, resamples):
    rng = np.random.default_rng(people)
    truth, values = draw(rng, (trials, people))
    means = values.mean(-1)
    means = means[np.ptp(means, axis=1) > 1e-12]  # of equal values nothing is said
    low, high = interval_ends(means, rng, resamples=resamples).T
    return float(((low <= truth) & (truth <= high)).mean())


@pytest.mark.parametrize("people", [5, 8, 16, 40])
@pytest.mark.parametrize("draw", DISTRIBUTIONS)
def test_nominal_95_percent_covers_90_to_98(draw, people):
    # Coverage of 1200 trials is known to 0.9 percentage points at best (one standard error at 90 %).
    assert 0.885 <= coverage(draw, people, 1200, 999) <= 0.985


@pytest.mark.parametrize("people", [5, 8, 16, 40])
def test_clips_that_fail_whole_or_not_at_all_are_covered_too(people):
    """So few values exist that no interval hits 95 %; it must not fall short."""
    assert 0.92 <= coverage(all_or_none, people, 1200, 999) <= 0.995


@pytest.mark.slow
@pytest.mark.parametrize("people", [5, 6, 8, 12, 16, 24, 40])
@pytest.mark.parametrize("draw", DISTRIBUTIONS)
def test_coverage_to_half_a_percentage_point(draw, people):
    # The hull of two intervals errs on the safe side: U-shaped rates of 12 people are covered 97.7 % of the time.
    assert 0.895 <= coverage(draw, people, 8000, 4999) <= 0.98


def test_seeds_as_people_would_cover_far_too_little():
    """Why seeds are nested: taken as units of their own they make an interval look twice as sure as it is."""
    rng = np.random.default_rng(0)
    values = people_and_seeds(rng, rng.normal(0, 1, (1200, 8)))
    low, high = interval_ends(values.reshape(1200, -1), rng, resamples=999).T
    assert ((low <= 0) & (high >= 0)).mean() < 0.85


def test_an_interval_does_not_leave_what_is_possible():
    values = [1.0, 1.0, 1.0, 0.9, 1.0, 0.4]
    free = bootstrap_interval(values, np.random.default_rng(0))
    held = bootstrap_interval(values, np.random.default_rng(0), bounds=(-1.0, 1.0))
    assert free.high > 1.0
    assert held.high == 1.0
    assert held.low == free.low


def test_shifting_and_scaling_values_shifts_and_scales_the_interval():
    values = np.random.default_rng(3).exponential(size=(1, 9))
    one = interval_ends(values, np.random.default_rng(1))[0]
    other = interval_ends(5 - 2 * values, np.random.default_rng(1))[0]
    assert other == pytest.approx((5 - 2 * one)[::-1], abs=0.05)
