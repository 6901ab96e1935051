"""Every registered component keeps the contract of its kind, those of installed plug-ins too.

``pytest tests/test_contract.py -k NAME`` checks one of them.
"""

from __future__ import annotations

import pytest

from vdf_bench import testing
from vdf_bench.assets.needs import unmet
from vdf_bench.core import registry

EVERY = [(kind, name) for kind in registry.KINDS for name in registry.names(kind)]
CHECKS = {
    "clips": testing.check_clips,
    "defenses": testing.check_defense,
    "judges": testing.check_judge,
    "landmarkers": testing.check_landmarker,
    "parsers": testing.check_parser,
    "purifiers": testing.check_purifier,
    "recognisers": testing.check_recogniser,
    "victims": testing.check_victim,
}
#: Iterative methods take few steps here, and fields are small: the contract is the same.
FEWER = {
    "steps": 8, "editor_steps": 6, "draws": 2, "people": 2, "max_iterations_first": 6, "max_iterations": 2,
    "count": 600, "rays": 512, "levels": 2, "resolution": 24,
}  # fmt: skip
#: Frames that the project's own purifiers may have taken when the first one comes; all others take one.
WINDOWS = {"h264": 53, "h265": 40, "vp9": 25, "temporal-median": 3, "frame-average": 2}


@pytest.fixture(autouse=True)
def _one_thread(one_thread):
    """Every test here."""


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_card(kind, name):
    testing.check_component(registry.load(kind, name), kind)


def component(kind, name):
    """As it is checked; where it cannot run here, the test is skipped with the reason."""
    found = registry.load(kind, name)
    if lack := unmet(found.card):
        pytest.skip(lack)
    if "official" in found.card.tags and "editor" not in found.card.tags:
        pytest.skip("official systems are tested on stand-ins")
    if (kind, name) == ("recognisers", "arcface") and found().file() is None:
        pytest.skip("no recogniser of real faces in the weights folder")
    if kind not in ("defenses", "victims"):
        return found
    known = found.parameters_model.model_fields
    return found.configured({key: value for key, value in FEWER.items() if key in known})


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, name in EVERY if kind in CHECKS])
def test_contract(kind, name):
    window = {"window": WINDOWS.get(name, 1)} if kind == "purifiers" else {}
    assert CHECKS[kind](component(kind, name), **window).properties


@pytest.mark.parametrize("name", ["gaussian", "hashgrid", "triplane"])
def test_a_fit_goes_on_from_its_checkpoint(name, monkeypatch):
    """Where every step leaves a checkpoint; equal bytes alone say little, as a fit may also begin again."""
    from vdf_bench.victims.common import training

    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(training, "TELL_SECONDS", 0.0)
    assert testing.check_victim(component("victims", name)).facts["resumed_at"] > 0.5
