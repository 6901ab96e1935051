import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdf_bench.core.budget import Budget
from vdf_bench.core.errors import UserError


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("0.05", [12.75]),
        ("8/255", [8]),
        ("0", [0]),
        ("linf=8", [8]),
        (" linf = 12.75 ", [12.75]),
        ("linf=4,8,12.75,25.5", [4, 8, 12.75, 25.5]),
        ("0.05,linf=8/255,8", [12.75, 8]),
    ],
)
def test_bounds_are_read_in_both_scales(text, levels):
    found = Budget.parse_all(text)
    assert [budget.levels for budget in found] == pytest.approx(levels)
    assert {budget.psnr for budget in found} == {0}


def test_every_bound_meets_every_floor():
    assert Budget.parse("linf=8/255,psnr>=38") == Budget(8 / 255, 38)
    found = Budget.parse_all("linf=8,16,psnr>=0,38")
    assert found == (Budget(8 / 255), Budget(8 / 255, 38), Budget(16 / 255), Budget(16 / 255, 38))
    assert [str(budget) for budget in found[:2]] == ["8/255", "8/255, PSNR ≥ 38 dB"]


@pytest.mark.parametrize(
    "text",
    ["", "x", "8/0", "-0.1", "300", "nan", "8/255/2", "linf=", "l2=3", "linf>=8", "psnr=38", "psnr>=38",
     "linf=8,psnr>=-1", "linf=8,psnr>=101", "linf=1,2,4", "linf=4,,8"],
)  # fmt: skip
def test_bad_budgets_are_one_line(text):
    with pytest.raises(UserError, match="--budget") as error:
        Budget.parse_all(text)
    assert "\n" not in str(error.value)


def test_one_budget_is_asked_where_one_is_meant():
    with pytest.raises(UserError, match="2 budgets"):
        Budget.parse("linf=4,8")


@given(st.integers(0, 255))
def test_whole_levels_survive_the_other_scale(level):
    assert Budget(level / 255).whole_levels == Budget.parse(f"{level}/255").whole_levels == level
    assert Budget(0.05).whole_levels == 12
