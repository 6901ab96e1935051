import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdf_bench.stats.curves import Curve, Point, common_budgets, common_psnr, ranks, without_common_psnr


def curve(name, *pairs, control=False):
    """A curve from (bound, PSNR, effect)."""
    return Curve(name, control, tuple(Point(linf, 0.0, psnr, effect) for linf, psnr, effect in pairs))


WEAK = curve("weak", (4, 40, 0.0), (8, 34, 0.2), (16, 28, 0.6))
STRONG = curve("strong", (4, 36, 0.5), (8, 30, 0.9))
FAR = curve("far", (32, 20, 1.0), (16, 26, 0.4))


def test_the_effect_is_linear_between_budgets_and_unknown_beyond():
    assert WEAK.at_psnr(37) == pytest.approx(0.1)
    assert WEAK.at_psnr(31) == pytest.approx(0.4)
    assert WEAK.at_psnr(28) == 0.6
    assert WEAK.at_psnr(27.99) is None
    assert WEAK.at_psnr(40.01) is None
    assert WEAK.at_budget(8) == 0.2
    assert WEAK.at_budget(8, 38) is None
    assert WEAK.at_budget(12) is None


def test_bounds_under_one_floor_are_averaged():
    floored = Curve("a", False, (Point(8, 38, 38, 0.2), Point(16, 38, 38, 0.4), Point(16, 34, 34, 0.5)))
    assert floored.at_psnr(38) == pytest.approx(0.3)
    assert floored.at_psnr(36) == pytest.approx(0.4)


def test_the_order_may_turn_between_equal_bound_and_equal_fidelity():
    """A defense that spends more of its bound wins at an equal bound and may lose at an equal PSNR."""
    thrifty = curve("thrifty", (4, 44, 0.1), (8, 38, 0.5), (16, 32, 0.9))
    lavish = curve("lavish", (4, 36, 0.3), (8, 30, 0.7))
    both = [thrifty, lavish]
    assert common_budgets(both) == [(4, 0), (8, 0)]
    assert ranks({c.defense: c.at_budget(8) for c in both}) == {"thrifty": 2, "lavish": 1}
    assert common_psnr(both) == [32, 33, 34, 35, 36]
    assert ranks({c.defense: c.at_psnr(34) for c in both}) == {"thrifty": 1, "lavish": 2}


def test_curves_that_do_not_meet_are_named_and_not_compared():
    assert [(a.defense, b.defense) for a, b in without_common_psnr([WEAK, STRONG, FAR])] == [
        ("weak", "far"),
        ("strong", "far"),
    ]
    assert common_psnr([WEAK, FAR]) == []
    assert common_budgets([WEAK, FAR]) == [(16, 0)]
    assert without_common_psnr([WEAK, curve("noise", (4, 10, 0), control=True)]) == []
    assert common_psnr([WEAK]) == []


def test_a_narrow_overlap_is_taken_at_its_middle():
    assert common_psnr([curve("a", (4, 30, 0), (8, 33.33, 1)), curve("b", (4, 33.31, 0), (8, 40, 1))]) == pytest.approx(
        [33.32]
    )


@given(st.lists(st.tuples(st.floats(10, 60), st.floats(0.1, 20)), min_size=2, max_size=4))
def test_every_compared_fidelity_is_reached_twice(spans):
    curves = [curve(str(i), (4, low + width, 0), (8, low, 1)) for i, (low, width) in enumerate(spans)]
    for at in common_psnr(curves):
        assert sum(c.at_psnr(at) is not None for c in curves) >= 2
    assert len(common_psnr(curves)) <= 5


def test_equal_effects_share_a_place():
    assert ranks({"a": 0.5, "b": 0.9, "c": 0.5, "d": None, "e": 0.1}) == {"a": 2, "b": 1, "c": 2, "e": 4}
