"""What judges declare is what they measure, and no two declare the same."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from vdf_bench.core.clip import split_frames
from vdf_bench.core.errors import UserError
from vdf_bench.core.interfaces import Evidence
from vdf_bench.core.metrics import EFFECT_PARTS, Definition, Measurement, Metric
from vdf_bench.core.registry import load
from vdf_bench.judges import judge_all
from vdf_bench.judges.declared import declared_metrics

SOURCE = """
from vdf_bench.core.cards import Card
from vdf_bench.core.metrics import Metric
from vdf_bench.judges.base import BaseJudge

class Grain(BaseJudge):
    card = Card(name="grain", title="Grain", summary="How grainy the published frames are.")
    stage = "protect"
    metrics = (Metric("grain", "protect", "levels", "down", 0, 255, "mean over frames", "how grainy"),)

    def measure(self, evidence):
        yield self.measurement("grain", 2.5, len(evidence.clip))
        yield from self.more

    more = ()

class Other(Grain):
    card = Card(name="other", title="Other", summary="Another one.")
    metrics = (Metric("grain", "protect", "", "up", 0, 1, "", "something else"),)

class Mute(Grain):
    card = Card(name="mute", title="Mute", summary="It declares nothing.")
    metrics = ()

class Each(Grain):
    card = Card(name="each", title="Each", summary="One metric for each of what is installed.")

    @classmethod
    def declared(cls):
        return tuple(Metric(f"grain_{name}", "protect", "", "up", 0, 1, "", f"by {name}") for name in ("a", "b-c"))

class Early(Grain):
    card = Card(name="early", title="Early", summary="It speaks of clones before there are any.")
    metrics = (Metric("early", "clone", "", "up", 0, 1, "", "of the clone"),)

class Clash(Grain):
    card = Card(name="clash", title="Clash", summary="Its column is another one's.")
    metrics = (
        Metric("charm", "protect", "", "up", 0, 1, "", "charm"),
        Metric("charm_low", "protect", "", "up", 0, 1, "", "little charm"),
    )
"""
CLASSES = {"grain": "Grain", "other": "Other", "mute": "Mute", "each": "Each", "early": "Early", "clash": "Clash"}


def some(install, *names):
    install("grainy", SOURCE, {name: CLASSES[name] for name in names})


def test_judges_of_other_packages_are_among_them(install):
    some(install, "grain", "each")
    found = declared_metrics()
    assert (found["grain"].judge, found["grain"].unit) == ("grain", "levels")
    assert {"grain_a", "grain_b-c"} <= found.keys()
    assert (found["psnr"].judge, found["dsr_l2"].judge) == ("fidelity", "dsr")
    assert list(found).index("grain") < list(found).index("parse_iou"), "in the order of the story"
    assert declared_metrics(["grain"]).keys() == {"grain"}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("other", "judges 'grain' and 'other' both declare the metric 'grain'"),
        ("mute", "judge 'mute' declares no metrics"),
        ("early", "judge 'early' sees no clone"),
        ("clash", "judge 'clash': the summary needs the name 'charm_low'"),
    ],
)
def test_declarations_that_cannot_stand_are_refused_by_name(install, name, told):
    some(install, "grain", name)
    with pytest.raises(UserError, match=told):
        declared_metrics()


def test_rows_that_are_not_declared_are_refused_by_judge_and_name(install, kit):
    some(install, "grain")
    clip, _ = kit["scene"](8)
    evidence = Evidence(clip, split_frames(len(clip)), clip.frames)
    judge = load("judges", "grain")()
    (row,) = judge_all(evidence, [judge], "protect")
    assert (row.metric, row.unit, row.value, row.n) == ("grain", "levels", 2.5, 8)
    judge.more = [Measurement("protect", "shine", "", "up", 1.0, 8)]
    with pytest.raises(UserError, match="judge 'grain' measured 'shine', which it does not declare"):
        judge_all(evidence, [judge], "protect")
    for unit, value in (("dB", 1.0), ("levels", 300.0), ("levels", math.nan)):
        judge.more = [Measurement("protect", "grain", unit, "down", value, 8)]
        with pytest.raises(UserError, match="judge 'grain' does not measure 'grain' as it declares it"):
            judge_all(evidence, [judge], "protect")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "Sharp ness"}, "lower-case"),
        ({"name": "verdict"}, "another column"),
        ({"stage": "later"}, "none of protect"),
        ({"better": "left"}, "not up or down"),
        ({"lower": 1}, "out of order"),
        ({"lower": math.nan}, "out of order"),
        ({"definition": "two\nlines"}, "not one line"),
        ({"definition": ""}, "not one line"),
    ],
)
def test_impossible_metrics_are_refused(change, told):
    sound = {"name": "charm", "stage": "clone", "unit": "", "better": "up", "lower": 0, "upper": 1}
    sound |= {"aggregation": "", "definition": "charm"}
    assert Metric(**sound).measurement(np.float32(0.5), 3).value == 0.5
    with pytest.raises(UserError, match=told):
        Metric(**sound | change)


def test_definitions_survive_the_record():
    for one in declared_metrics().values():
        kept = json.loads(json.dumps(one.record(), allow_nan=False))
        assert Definition.from_record({**kept, "of a later version": 1}) == one
    with pytest.raises(UserError, match="damaged"):
        Definition.from_record({"name": "psnr"})


def test_the_summary_needs_no_name_of_a_shipped_metric():
    found = declared_metrics()
    assert not {f"{name}_{part}" for name in found if found[name].shown for part in EFFECT_PARTS} & found.keys()
