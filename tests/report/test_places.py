"""Places in reports: tested where there are people enough, as observed where there are not, and how stable they are."""

from __future__ import annotations

import pandas as pd
import pytest

from vdf_bench.report.curves import equal_budget, reading
from vdf_bench.report.load import load_run
from vdf_bench.report.places import OBSERVED, TESTED, seed_agreement, stability


@pytest.mark.parametrize(
    ("people", "places", "told"), [(2, ["1", "2"], OBSERVED), (5, ["1=", "1="], TESTED), (7, ["1", "2"], TESTED)]
)
def test_places_are_tested_over_people(make, tmp_path, people, places, told):
    clips = [f"synth-{letter}" for letter in "abcdefg"[:people]]
    panel, *_ = load_run(make.write_run(tmp_path / "run", clips, seeds=1, purifiers=("identity",))).panels
    _, rows = equal_budget(panel)
    assert [row[0] for row in rows] == ["vdf", "pgd", "noise (c)"]
    assert [row[1].partition("(")[2].rstrip(")") for row in rows[:2]] == places
    assert len(panel.people["vdf"]) == people
    assert told in reading(panel)


def test_rank_agreement_needs_three_defenses(make, tmp_path):
    panel, *_ = load_run(make.write_run(tmp_path / "run", ["a", "b"], purifiers=("identity",))).panels
    assert panel.seeds is None
    assert "Kendall" not in reading(panel)


def test_seeds_that_turn_the_order_round_show_in_the_agreement():
    rows = [(name, 8.0, 0.0, seed, "a", "a", effect * (1 - 2 * (seed == 2))) for seed in range(3)
            for name, effect in (("x", 0.1), ("y", 0.5), ("z", 0.9), ("noise", 0.0))]  # fmt: skip
    effects = pd.DataFrame(rows, columns=["defense", "linf", "floor", "seed", "clip", "person", "effect"])
    found = seed_agreement(effects, ["noise"])
    assert (found.defenses, found.rankings) == (3, 3)
    assert (found.mean, found.low) == pytest.approx((-1 / 3, -1))
    assert "-0.33, lowest pair -1.00" in stability(found, "seeds")
