"""The registry finds, suggests and validates, and loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vdf_bench.core import registry
from vdf_bench.core.cards import Card
from vdf_bench.core.errors import UserError

EVERY = [(kind, name) for kind in registry.KINDS for name in registry.names(kind)]


def test_the_components_that_ship_are_found():
    assert {"vdf", "pgd", "none", "noise", "occlude"} <= set(registry.names("defenses"))
    assert {"gaussian", "triplane"} <= set(registry.names("victims"))
    assert {"identity", "jpeg", "resize", "h264"} <= set(registry.names("purifiers"))


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_every_card_is_filled_in(kind, name):
    component = registry.load(kind, name)
    card = component.card
    assert isinstance(card, Card)
    assert card.name == name
    assert card.title
    assert card.summary
    for field_name, field in component.parameters_model.model_fields.items():
        assert field.description, f"{name}.{field_name} says nothing of itself"
    assert component.configured({}).parameters == component().parameters


@pytest.mark.parametrize(("kind", "typed", "meant"), [("defenses", "vfd", "vdf"), ("victims", "gausian", "gaussian")])
def test_a_wrong_name_gets_a_suggestion(kind, typed, meant):
    with pytest.raises(UserError, match=f"did you mean '{meant}'"):
        registry.load(kind, typed)


def test_an_unknown_parameter_names_the_known_ones():
    with pytest.raises(UserError, match=r"parameters of vdf: .*scales"):
        registry.create("defenses", "vdf", {"scalse": "1"})


def test_cards_need_no_torch():
    code = (
        "import sys; from vdf_bench import registry\n"
        "for kind in registry.KINDS:\n"
        "    for name in registry.names(kind): registry.load(kind, name).card\n"
        "heavy = {'torch', 'numba', 'pandas', 'matplotlib', 'skimage', 'scipy', 'av', 'lpips', 'insightface'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
