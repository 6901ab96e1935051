import math

import numpy as np
import pandas as pd
import pytest

from vdf_bench.stats import bootstrap_interval, effect_sizes, paired_differences, worst_case


def table(values: dict[tuple[str, str, int, str], tuple[float, float]], outcome: str = "trained") -> pd.DataFrame:
    """Rows of ``dsr`` from (clip, defense, seed, purifier) -> (clean, defended)."""
    rows = []
    for (clip, defense, seed, purifier), (clean, defended) in values.items():
        cell = {
            "clip": clip, "purifier": purifier, "capture": "builtin/strict", "target": "full", "victim": "gaussian",
            "seed": seed, "stage": "clone", "metric": "dsr", "unit": "", "better": "up", "n": 28, "code": "",
        }  # fmt: skip
        rows.append(
            cell | {"defense": "none", "linf": 0.0, "floor": 0.0, "arm": "clean", "outcome": "trained", "value": clean}
        )
        rows.append(
            cell
            | {"defense": defense, "linf": 8.0, "floor": 0.0, "arm": "defended", "outcome": outcome, "value": defended}
        )
    return pd.DataFrame(rows).drop_duplicates(ignore_index=True)


def test_intervals_need_five_units_and_say_when_they_are_few():
    values = np.random.default_rng(0).normal(size=16)
    make = np.random.default_rng
    assert bootstrap_interval(values[:4], make(0)) is None
    assert bootstrap_interval(values[:5], make(0)).wide
    assert not bootstrap_interval(values, make(0)).wide
    assert bootstrap_interval(values, make(0)) == bootstrap_interval(values, make(0))


def test_equal_and_nearly_equal_values_give_no_false_certainty():
    assert bootstrap_interval([1.0] * 8, np.random.default_rng(0)) is None
    interval = bootstrap_interval([1.0] * 7 + [0.2], np.random.default_rng(0), bounds=(-1.0, 1.0))
    assert interval is None or (interval.low < 0.9 and interval.high <= 1.0 and math.isfinite(interval.low))


def test_pairs_share_clip_attacker_and_seed():
    df = table({("a", "vdf", 0, "identity"): (0.1, 0.9), ("a", "vdf", 1, "identity"): (0.3, 0.5)})
    pairs = paired_differences(df, "dsr")
    assert pairs["delta"].tolist() == pytest.approx([0.8, 0.2])
    assert paired_differences(df[~((df["arm"] == "clean") & (df["seed"] == 1))], "dsr")["seed"].tolist() == [0]


def test_void_cells_do_not_count():
    good = table({("a", "vdf", 0, "identity"): (0.0, 0.2)})
    void = table({("b", "vdf", 0, "identity"): (0.9, 1.0)}, outcome="void")
    effect = effect_sizes(pd.concat([good, void]), "dsr").iloc[0]
    assert effect["clips"] == 1
    assert effect["delta"] == pytest.approx(0.2)


def test_seeds_are_averaged_within_a_clip_and_their_spread_told_apart():
    values = {
        (clip, "vdf", seed, "identity"): (0.0, 0.1 * i + 0.02 * seed)
        for i, clip in enumerate("abcdef")
        for seed in (0, 1)
    }
    # An extra seed of one clip must not give that clip more weight.
    values["a", "vdf", 2, "identity"] = (0.0, 0.01)
    effect = effect_sizes(table(values), "dsr").iloc[0]
    assert effect["delta"] == pytest.approx(np.mean([0.01, 0.11, 0.21, 0.31, 0.41, 0.51]))
    assert effect["units"] == 6
    assert effect["seed_sd"] == pytest.approx(math.sqrt((5 * 0.02**2 / 2 + 2 * 0.01**2) / 7))
    assert effect["low"] < effect["delta"] < effect["high"]


def test_clips_of_one_person_are_one_unit():
    df = table(
        {
            (clip, "vdf", 0, "identity"): (0.0, value)
            for clip, value in zip("abcdef", (0.1, 0.2, 0.3, 0.4, 0.5, 0.9), strict=True)
        }
    )
    assert effect_sizes(df, "dsr").iloc[0]["units"] == 6
    paired = effect_sizes(df, "dsr", identities={"e": "same", "f": "same", "a": "one", "b": "one"}).iloc[0]
    assert paired["units"] == 4
    assert math.isnan(paired["low"])
    assert paired["delta"] == pytest.approx(np.mean([0.15, 0.3, 0.4, 0.7]))


def test_groups_do_not_sway_each_other():
    one = {(clip, "vdf", 0, "identity"): (0.0, i / 9) for i, clip in enumerate("abcdef")}
    two = {(clip, "pgd", 0, "identity"): (0.0, i / 20) for i, clip in enumerate("abcdef")}
    alone, beside = effect_sizes(table(one), "dsr"), effect_sizes(table(one | two), "dsr")
    pd.testing.assert_frame_equal(alone, beside[beside["defense"] == "vdf"].reset_index(drop=True))


def test_worst_case_is_taken_cell_by_cell():
    df = table(
        {
            ("a", "vdf", 0, "identity"): (0.0, 0.9), ("a", "vdf", 0, "jpeg"): (0.1, 0.3),
            ("b", "vdf", 0, "identity"): (0.0, 0.1), ("b", "vdf", 0, "jpeg"): (0.0, 0.1),
        }
    )  # fmt: skip
    worst = worst_case(paired_differences(df, "dsr")).set_index("clip")
    assert worst["purifier"].to_dict() == {"a": "jpeg", "b": "identity"}
    assert worst["delta"].tolist() == pytest.approx([0.2, 0.1])
