"""The registry finds, suggests and validates, and says who registers what twice."""

from __future__ import annotations

import pytest

from vdf_bench.core import registry
from vdf_bench.core.errors import UserError

EVERY = [(kind, name) for kind in registry.KINDS for name in registry.names(kind)]


def test_the_components_that_ship_are_found():
    assert {"vdf", "pgd", "none", "noise", "occlude"} <= set(registry.names("defenses"))
    assert {"gaussian", "triplane"} <= set(registry.names("victims"))
    assert {"identity", "jpeg", "resize", "h264"} <= set(registry.names("purifiers"))


@pytest.mark.parametrize(("kind", "typed", "meant"), [("defenses", "vfd", "vdf"), ("victims", "gausian", "gaussian")])
def test_a_wrong_name_gets_a_suggestion(kind, typed, meant):
    with pytest.raises(UserError, match=f"did you mean '{meant}'"):
        registry.load(kind, typed)


def test_an_unknown_parameter_names_the_known_ones():
    with pytest.raises(UserError, match=r"parameters of vdf: .*scales"):
        registry.create("defenses", "vdf", {"scalse": "1"})
