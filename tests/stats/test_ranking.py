"""Rankings: no false order, true orders found, and how well rankings agree."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from vdf_bench.stats import agreement, rank, sign_flip_test


def effects(people, **means):
    """Defenses whose effects differ by their means on people who are unlike each other."""
    rng = np.random.default_rng(1)
    person = rng.normal(0, 0.2, people)
    return pd.DataFrame({name: mean + person + rng.normal(0, 0.05, people) for name, mean in means.items()})


def test_clear_differences_are_places_and_small_ones_are_ties():
    found = rank(effects(8, strong=0.8, alike=0.8, weak=0.1))
    assert found.tested
    assert found.places == {"strong": 1, "alike": 1, "weak": 3}
    assert found.text("strong") == "1="
    assert found.text("weak") == "3"
    assert found.p_values["strong", "weak"] <= 0.05


def test_five_people_cannot_separate_anybody_and_six_can():
    assert set(rank(effects(5, a=0.9, b=0.5, c=0.0)).places.values()) == {1}
    assert rank(effects(6, a=0.9, b=0.5, c=0.0)).places == {"a": 1, "b": 2, "c": 3}


def test_fewer_people_are_ranked_as_observed_and_say_so():
    found = rank(effects(2, a=0.9, b=0.5, c=0.0))
    assert not found.tested
    assert found.places == {"a": 1, "b": 2, "c": 3}
    assert found.units == 2


def test_what_was_measured_on_few_people_is_told_apart_from_nobody():
    table = effects(8, a=0.9, b=0.5)
    table["c"] = [0.0] * 2 + [math.nan] * 6
    assert not rank(table).tested
    table["c"] = math.nan
    assert rank(table).places == {"a": 1, "b": 2}
    assert rank(table[["c"]]).places == {}
    assert rank(table[["a"]]).places == {"a": 1}


@pytest.mark.parametrize("people", [6, 8, 20])
def test_false_orders_are_at_most_five_percent_of_tables(people):
    """Ten pairs of five equal defenses, all or nothing: intervals pair by pair would be wrong in half of the tables."""
    rng = np.random.default_rng(people)
    pairs = [(a, b) for a in range(5) for b in range(a)]
    false = 0
    for _ in range(300):
        values = (rng.random((people, 5)) < 0.5) * 1.0
        differences = np.stack([values[:, a] - values[:, b] for a, b in pairs], 1)
        false += bool((sign_flip_test(differences, np.random.default_rng(0)) <= 0.05).any())
    assert false / 300 <= 0.09  # 5 % and three standard errors


def test_the_test_is_the_plain_sign_flip_test_of_one_pair():
    differences = np.array([0.3, 0.1, 0.4, -0.05, 0.2, 0.6, 0.1])[:, None]
    flips = np.array(np.meshgrid(*[[-1, 1]] * 7)).reshape(7, -1)
    expected = (np.abs(differences[:, 0] @ flips) >= differences.sum() - 1e-9).mean()
    assert sign_flip_test(differences, np.random.default_rng(0))[0] == pytest.approx(expected)


def test_more_pairs_raise_no_p_value_to_nothing_and_lower_none():
    rng = np.random.default_rng(2)
    one = rng.normal(0.5, 0.3, (10, 1))
    many = np.concatenate([one, rng.normal(0, 0.3, (10, 6))], 1)
    alone = sign_flip_test(one, np.random.default_rng(0))[0]
    beside = sign_flip_test(many, np.random.default_rng(0))[0]
    assert alone <= beside <= 7 * alone


def test_agreement_is_kendalls_tau_over_all_pairs_of_rankings():
    up = {"a": 1.0, "b": 2.0, "c": 3.0}
    down = {name: -value for name, value in up.items()}
    assert agreement([up, up]).mean == pytest.approx(1)
    three = agreement([up, up, down])
    assert three.mean == pytest.approx(-1 / 3)
    assert three.low == pytest.approx(-1)
    assert (three.rankings, three.defenses) == (3, 3)
    tied = agreement([up, {"a": 1.0, "b": 1.0, "c": 3.0, "d": 9.0}])
    assert tied.mean == pytest.approx(2 / math.sqrt(6))


def test_agreement_needs_three_defenses_two_rankings_and_an_order():
    two = {"a": 1.0, "b": 2.0}
    assert agreement([two, two]) is None
    assert agreement([two | {"c": 0.0}]) is None
    assert agreement([]) is None
    assert agreement([dict.fromkeys("abc", 0.0)] * 2) is None
