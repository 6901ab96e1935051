"""The checks let sound components through, and name what a broken one breaks."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from vdf_bench import testing


@pytest.fixture(scope="module", autouse=True)
def module():
    """Found by its name, in new processes too."""
    sys.path.insert(0, str(Path(__file__).parent))
    yield
    sys.path.remove(str(Path(__file__).parent))


def component(name, module="broken"):
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize(
    ("check", "name", "held"),
    [
        (testing.check_defense, "Shifted", "it stays within its budget"),
        (testing.check_purifier, "Blur", "pixels are in [0, 1]"),
        (testing.check_judge, "Judge", "it gives each metric once"),
        (testing.check_recogniser, "Recogniser", "embeddings are finite and not zero"),
        (testing.check_parser, "Parser", "the largest logit is the class that it parses"),
    ],
)
def test_sound_components_get_a_report(check, name, held):
    report = check(component(name))
    assert held in report.properties
    assert len(set(report.properties)) == len(report.properties)
    assert held in str(report) and "'broken'" in str(report)


@pytest.mark.parametrize(
    ("check", "name", "broken"),
    [
        (testing.check_defense, "TooFar", "it stays within its budget.\n  Found: a pixel changes by 13 levels"),
        (testing.check_defense, "BetweenLevels", "whole 8-bit levels"),
        (testing.check_defense, "Writes", "leaves the frames that it is given"),
        (testing.check_defense, "Collects", "before the next frame is asked for"),
        (testing.check_defense, "Forgetful", "one finite number for each frame"),
        (testing.check_defense, "Remembers", "protecting again with the same object"),
        (testing.check_defense, "Random", "the same seed gives the same bytes"),
        (testing.check_defense, "Drops", "one frame for each"),
        (testing.check_defense, "Silent", "every parameter has a description.\n  Found: strength"),
        (testing.check_defense, "Free", "has a bound.\n  Found: strength"),
        (testing.check_defense, "Untitled", "a title, a summary and a licence"),
        (testing.check_defense, "Misnamed", "its name is of a-z"),
        (testing.check_defense, "Needy", "needs are of known forms"),
        (testing.check_defense, "Seer", "is no component"),
        (testing.check_purifier, "Harmful", "at its harmless parameters it does nothing"),
        (testing.check_purifier, "Shifted", "it has the methods of its kind.\n  Found: no purify"),
        (testing.check_purifier, "Bright", r"pixels are in [0, 1]"),
        (testing.check_purifier, "Hoards", "it streams"),
        (testing.check_purifier, "Crops", "odd size"),
        (testing.check_judge, "NotANumber", "finite and as declared"),
        (testing.check_judge, "Undeclared", "declares its metrics"),
        (testing.check_judge, "Secretive", "'wonder', which it does not declare"),
        (testing.check_judge, "Placeless", "names the stage"),
        (testing.check_recogniser, "OtherColumn", "a column of their own"),
        (testing.check_recogniser, "OfTheBatch", "does not depend on the frames beside it"),
        (testing.check_parser, "Wide", "uint8 classes"),
        (testing.check_parser, "Foreign", "CelebAMask-HQ"),
        (testing.check_parser, "OtherHead", "the largest logit is the class"),
        (testing.check_parser, "Opaque", "gradients"),
    ],
)
def test_a_broken_one_is_told_what_it_breaks(check, name, broken):
    with pytest.raises(AssertionError) as failure:
        check(component(name))
    assert broken in str(failure.value)
    assert "To fix: " in str(failure.value)


def test_heavy_imports_are_named():
    with pytest.raises(AssertionError, match="Found: scipy"):
        testing.check_component(component("Heavy", "heavy_module"), "defenses")
