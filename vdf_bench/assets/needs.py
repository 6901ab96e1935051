"""What a component needs on this machine, and whether it is here."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from vdf_bench.assets.checkouts import find_checkout
from vdf_bench.assets.folders import WEIGHTS_VARIABLE, user_folder
from vdf_bench.assets.shipped import SHIPPED
from vdf_bench.assets.third_party import THIRD_PARTY, how_to_get
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from vdf_bench.core.cards import Card


def unmet(card: Card) -> str | None:
    """Why a component cannot run here, in words that say what to do; None where it can."""
    for need in card.needs:
        kind, _, name = need.partition(":")
        if kind == "extra" and importlib.util.find_spec(name) is None:
            extra = {"diffusers": "diffusion"}.get(name, name)
            return f"needs the Python package {name}: pip install 'vdf-bench[{extra}]'"
        if kind == "user" and (missing := _no_user_weights(name)) is not None:
            return missing
        if kind == "weights" and not (SHIPPED / f"{name}.safetensors").is_file():
            return f"needs the weights {name}: run `vdf-bench models train {name}`"
        if kind == "checkout" and (missing := _no_checkout(name)) is not None:
            return f"needs a checkout{missing}: run `vdf-bench doctor {card.name}`"
        if kind == "gpu":
            return "needs a GPU"
    return None


def _no_checkout(system: str) -> str | None:
    """What keeps the user's file from saying where ``system`` is; None where it does."""
    try:
        checkout = find_checkout(system)
    except UserError as error:
        return f" ({error})"
    if checkout is None:
        return ""
    return None if checkout.repo.is_dir() else f" (folder {checkout.repo} not found)"


def _no_user_weights(name: str) -> str | None:
    """What to do where the user has no weights of this file or folder name; None where they are present."""
    if (user_folder() / name).exists():
        return None
    known = next((entry.name for entry in THIRD_PARTY.values() if entry.file == name), None)
    get = how_to_get(known) if known else f"copy them to ${WEIGHTS_VARIABLE}"
    return f"needs the weights {name}: {get}"
