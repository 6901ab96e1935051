"""Scores, places, and what is never rewarded."""

import math

import pytest

from vdf_bench.leaderboard.ranking import rows, score
from vdf_bench.leaderboard.suites import SUITES

SUITE = SUITES["vdf-bench-v1"]


def row(record, track="all attackers"):
    return score(record, SUITE, 12.75, track)


def places(records, track="all attackers"):
    return {r.record.entry.name: r.place for r in rows(records, SUITE) if r.track == track}


def test_the_worst_attacker_of_each_clip_counts(draw):
    nets = {"as published": 0.9, "other parser": [0.1, 0.9, 0.9, 0.9, 0.9], "landmark hull": [0.9, 0.2, 0.9, 0.9, 0.9]}
    found = row(draw("a", {**nets, "H.264": 0.8}))
    assert found.worst == pytest.approx((0.1 + 0.2 + 0.8 * 3) / 5)
    assert found.by == "H.264"
    assert found.mean == pytest.approx((0.9 + (0.1 + 0.9 * 4) / 5 + (0.2 + 0.9 * 4) / 5 + 0.8) / 4)
    assert found.low < found.worst < found.high


def test_tracks_have_attackers_of_their_own(draw):
    record = draw("a", {"as published": 0.9, "H.264": 0.8, "other parser": 0.0, "landmark hull": 0.1})
    assert row(record, "white-box").worst == pytest.approx(0.8)
    assert row(record, "transfer").worst == 0.0
    assert row(record).worst == 0.0


def test_what_is_missing_counts_as_no_protection(draw):
    whole, holey = draw("whole", 0.9), draw("holey", 0.9, lacking=("other parser",))
    assert row(holey).missing == 5
    assert row(holey).worst == 0.0 and row(whole).worst == pytest.approx(0.9)
    assert row(holey).mean < row(whole).mean
    # A missing cell does not make up for harm that another one does.
    harmful = draw("harmful", {"as published": -0.3}, lacking=("other parser",))
    assert row(harmful).worst == pytest.approx(-0.3)


def test_void_is_void_for_everybody_and_costs_nobody(draw):
    nets = {"as published": 0.9, "H.264": 0.9, "landmark hull": 0.9, "other parser": "void"}
    found = row(draw("a", nets))
    assert (found.void, found.missing) == (5, 0) and found.worst == pytest.approx(0.9)
    empty = row(draw("b", dict.fromkeys((a.name for a in SUITE.attacks), "void")))
    assert math.isnan(empty.worst) and empty.why == "no valid cell"


def test_a_machine_that_gave_up_gives_no_score(draw):
    found = row(draw("a", {"as published": 1.0, "other parser": "infrastructure"}))
    assert math.isnan(found.worst) and found.why == "infrastructure failure" and found.broken == 5
    assert places([draw("a", {"other parser": "infrastructure"}), draw("b", 0.1)]) == {"b": 1, "a": None}


def test_places_are_shared_where_intervals_overlap(draw):
    records = [
        draw(
            "best",
            {
                "other parser": [0.95, 0.9, 0.92, 0.96, 0.91],
                "as published": 1.0,
                "landmark hull": 1.0,
                "H.264": 1.0,
            },
        ),
        draw("second", {"other parser": [0.5, 0.6, 0.55, 0.52, 0.58]}),
        draw("as-good", {"other parser": [0.52, 0.58, 0.5, 0.6, 0.51]}),
        draw("none-of-it", {"other parser": [0.0, 0.01, 0.0, 0.02, 0.01]}),
    ]
    assert places(records) == {"best": 1, "second": 2, "as-good": 2, "none-of-it": 4}
    assert {r.record.entry.name: r.tied for r in rows(records, SUITE) if r.track == "all attackers"}["second"]


def test_one_figure_for_all_people_is_its_own_interval(draw):
    assert places([draw("all", 1.0), draw("none-of-it", 0.0), draw("half", 0.5)]) == {
        "all": 1,
        "half": 2,
        "none-of-it": 3,
    }


def test_few_people_tell_nobody_apart(draw):
    smoke = SUITES["vdf-bench-v1-smoke"]
    records = [draw("a", 1.0, suite=smoke), draw("b", 0.0, suite=smoke)]
    assert {r.place for r in rows(records, smoke)} == {1}
    assert rows(records, SUITE) == []


@pytest.mark.parametrize("changes, why", [({"role": "control"}, "control"), ({"tier": "reported"}, "reported only")])
def test_controls_and_reports_have_no_place(draw, changes, why):
    (found, *_) = rows([draw("a", 1.0, **changes)], SUITE)
    assert found.place is None and found.why == why


def test_what_was_contested_stays_without_a_place(draw):
    from vdf_bench.leaderboard.records import Event

    event = Event(status="withdrawn", date="2026-01-02", reason="a mistake")
    (found, *_) = rows([draw("a", 1.0, events=[event])], SUITE)
    assert (found.place, found.why) == (None, "withdrawn")
