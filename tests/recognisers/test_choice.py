"""Landmarkers and recognisers are chosen by name, and what they change is in the keys of what they change."""

from dataclasses import replace

import pytest

from vdf_bench.core import registry
from vdf_bench.core.errors import UserError
from vdf_bench.landmarkers.shipped import Builtin
from vdf_bench.plan import Request, build_plan
from vdf_bench.plan.presets import preset

REQUEST = Request(preset("quick"), ("vdf",), ("gaussian",))


class Other(Builtin):
    """A stranger's landmarker."""


@pytest.fixture
def other(monkeypatch):
    known, load = registry.names, registry.load
    monkeypatch.setattr(registry, "names", lambda kind: [*known(kind), *(["other"] if kind == "landmarkers" else [])])
    monkeypatch.setattr(registry, "load", lambda *asked: Other if asked == ("landmarkers", "other") else load(*asked))


def kinds_changed(request):
    before, after = (sorted((s.name, s.key) for s in build_plan(each).steps.values()) for each in (REQUEST, request))
    return {name for name, _ in set(after) - set(before)}


def test_another_recogniser_changes_judgements_alone():
    assert kinds_changed(replace(REQUEST, recogniser="id-synth")) == {"judge"}
    assert kinds_changed(replace(REQUEST, overrides={"id-synth": {"threshold": "0.5"}})) == {"judge"}


def test_another_landmarker_changes_captures_and_what_follows(other):
    assert kinds_changed(replace(REQUEST, landmarker="other")) == {"capture", "fit", "drive", "judge"}


@pytest.mark.parametrize("kind", ["landmarker", "recogniser"])
def test_unknown_names_are_refused(kind):
    with pytest.raises(UserError, match=f"unknown {kind}"):
        build_plan(replace(REQUEST, **{kind: "nobody"}))
