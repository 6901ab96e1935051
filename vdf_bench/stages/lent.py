"""What a defense is lent: its setting, with the network that it may differentiate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vdf_bench.core import registry
from vdf_bench.core.budget import Budget
from vdf_bench.core.interfaces import Setting

if TYPE_CHECKING:
    from vdf_bench.core.interfaces import EditorModel
    from vdf_bench.stages import Params


def setting_of(params: Params, size: int, **more: Any) -> Setting:
    """The setting that a step's parameters describe."""
    budget = Budget(params.get("linf", 0.0), params.get("floor", 0.0))
    return Setting(budget=budget, size=size, seed=params["seed"], **more)


def lent(params: Params) -> dict[str, Any]:
    """The network that a defense may differentiate, as :class:`vdf_bench.core.interfaces.Setting` names it."""
    if "editor" in params:
        return {"editor": load_editor(params["editor"])}
    return {"surrogate": registry.create("parsers", params["surrogate"]).load()} if params["surrogate"] else {}


def load_editor(victim: Params, device: str = "cpu") -> EditorModel:
    """An attribute editor from its name and parameters."""
    editor = registry.load("victims", victim["victim"]).configured(victim["parameters"])
    model: EditorModel = editor.load(device)
    return model
