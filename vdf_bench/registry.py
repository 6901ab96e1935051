"""Finds defenses, victims, purifiers, judges and clips through entry points, and loads them when asked.

The project's own components and third-party ones come the same way: a distribution names them in its entry-point
groups ``vdf_bench.defenses``, ``vdf_bench.victims`` and so on. Nothing is imported before it is used.
"""

from __future__ import annotations

import difflib
import importlib.util
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vdf_bench.errors import UserError

if TYPE_CHECKING:
    from vdf_bench.cards import Card

Kind = Literal["defenses", "victims", "purifiers", "judges", "clips"]
KINDS: tuple[Kind, ...] = ("defenses", "victims", "purifiers", "judges", "clips")


@cache
def _points(kind: Kind) -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=f"vdf_bench.{kind}"))}


def names(kind: Kind) -> list[str]:
    """Names registered for ``kind``, sorted."""
    return sorted(_points(kind))


def suggest(name: str, known: list[str]) -> str:
    """The tail of an error about an unknown name: the nearest known one, or all of them."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"


def load(kind: Kind, name: str) -> type[Any]:
    """Import the class registered under ``name``.

    Raises:
        UserError: no such name, or its package cannot be imported.
    """
    points = _points(kind)
    if name not in points:
        raise UserError(f"unknown {kind[:-1]} {name!r}: {suggest(name, names(kind))}")
    try:
        loaded: type[Any] = points[name].load()
    except (ImportError, AttributeError) as error:
        raise UserError(f"{kind[:-1]} {name!r} cannot be loaded from {points[name].value}: {error}") from error
    return loaded


def create(kind: Kind, name: str, overrides: dict[str, str] | None = None) -> Any:
    """An instance of the component ``name`` with parameters from ``overrides`` (texts, as of ``--set``).

    Raises:
        UserError: unknown component, unknown parameter, or a value out of bounds.
    """
    return load(kind, name).configured(overrides or {})


def _no_checkout(system: str) -> str | None:
    """What keeps the user's file from telling where ``system`` is; None where it tells."""
    from vdf_bench.checkouts import find_checkout

    try:
        checkout = find_checkout(system)
    except UserError as error:
        return f" ({error})"
    if checkout is None:
        return ""
    return None if checkout.repo.is_dir() else f" (no folder {checkout.repo})"


def _no_user_weights(name: str) -> str | None:
    """What to do where the user has no weights of this file or folder name; None where they lie there."""
    from vdf_bench.models.third_party import THIRD_PARTY, how_to_get
    from vdf_bench.models.weights import WEIGHTS_VARIABLE, user_folder

    if (user_folder() / name).exists():
        return None
    known = next((entry.name for entry in THIRD_PARTY.values() if entry.file == name), None)
    get = how_to_get(known) if known else f"copy them to ${WEIGHTS_VARIABLE}"
    return f"needs your own weights {name}: {get}"


def unmet(card: Card) -> str | None:
    """Why a component cannot run here, or None."""
    for need in card.needs:
        kind, _, name = need.partition(":")
        if kind == "extra" and importlib.util.find_spec(name) is None:
            extra = {"diffusers": "diffusion"}.get(name, name)
            return f"needs the Python package {name}: pip install 'vdf-bench[{extra}]'"
        if kind == "user" and (lack := _no_user_weights(name)) is not None:
            return lack
        if kind == "weights" and not (Path(__file__).parent / "models" / "weights" / f"{name}.safetensors").is_file():
            return f"needs the weights {name}: vdf-bench models train {name}"
        if kind == "checkout" and (lack := _no_checkout(name)) is not None:
            return f"needs a checkout{lack}: vdf-bench doctor {card.name}"
        if kind == "gpu":
            return "needs a GPU"
    return None
