"""Ways to capture: one canonical text for all ways to write them, and errors that help."""

from __future__ import annotations

import pytest

from vdf_bench.attackers.spec import CaptureSpec
from vdf_bench.core.errors import UserError


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("builtin", "builtin/repair"),
        ("heldout/strict", "heldout/strict"),
        ("builtin/vote", "builtin/vote/repair"),
        ("builtin/vote=2/drop", "builtin/vote/drop"),
        ("builtin/vote=3", "builtin/vote=3/repair"),
        ("builtin/scale=.60", "builtin/scale=0.6/repair"),
        ("builtin/scale=0.6:lanczos", "builtin/scale=0.6/repair"),
        ("builtin/scale=0.33:area", "builtin/scale=0.33:area/repair"),
        ("builtin/scale=1:area", "builtin/repair"),
        ("builtin/on=identity", "builtin/repair"),
        ("builtin/vote/on=jpeg+resize:.5", "builtin/on=jpeg:75+resize:0.5/vote/repair"),
        (" builtin / vote / scale=0.6 ", "builtin/scale=0.6/vote/repair"),
        ("builtin/finetuned=vdf", "builtin/finetuned=vdf/repair"),
        ("heldout/vote/finetuned=vdf@12.75", "heldout/finetuned=vdf/vote/repair"),
        ("builtin/finetuned=vdf@8", "builtin/finetuned=vdf@8/repair"),
        ("ensemble", "ensemble/repair"),
    ],
)
def test_equal_ways_have_one_text(text, canonical):
    spec = CaptureSpec.parse(text)
    assert str(spec) == canonical
    assert CaptureSpec.parse(canonical) == spec


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "parser ''"),
        ("buildin", "did you mean 'builtin'"),
        ("builtin/vots", "did you mean 'vote'"),
        ("builtin/repare", "modifier 'repare'"),
        ("builtin/repair/vote", "modifier 'repair'"),
        ("builtin/vote/vote=3", "vote twice"),
        ("builtin/vote=", "vote needs a value"),
        ("builtin/vote=0", "out of range"),
        ("builtin/vote=1.5", "not a whole number"),
        ("builtin/vote=nan", "out of range"),
        ("builtin/scale", "scale needs a value, such as scale=0.6"),
        ("builtin/scale=half", "not a number"),
        ("builtin/scale=9", "give 0.1 to 2"),
        ("builtin/scale=0.6:cubic", "choose one of lanczos, area"),
        ("builtin/on=jpg", "did you mean 'jpeg'"),
        ("builtin/on=jpeg:0", "jpeg"),
        ("builtin/finetuned=vfd", "did you mean 'vdf'"),
        ("builtin/finetuned=none", "'none' is not allowed"),
        ("builtin/finetuned=vdf@big", "not a number"),
        ("landmark-hull/finetuned=vdf", "cannot be trained"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text, said):
    with pytest.raises(UserError, match=said) as refusal:
        CaptureSpec.parse(text)
    assert "\n" not in str(refusal.value)


def test_a_text_may_leave_the_policy_to_an_option():
    assert CaptureSpec.parse("builtin", "strict").policy == "strict"
    assert CaptureSpec.parse("builtin/drop", "strict").policy == "drop"


def test_a_step_is_told_of_modifiers_alone():
    assert CaptureSpec.parse("builtin").params() == {"parser": "builtin", "policy": "repair"}
    told = CaptureSpec.parse("builtin/on=jpeg/scale=0.5:area/vote=3/finetuned=vdf").params()
    assert told == {"parser": "builtin", "policy": "repair", "scale": 0.5, "kernel": "area", "vote": 3}
