"""Finds components of every kind through entry points, and loads them when asked.

The project's own components and third-party ones come the same way: a distribution names them in its entry-point
groups ``vdf_bench.defenses``, ``vdf_bench.parsers`` and so on. Nothing is imported before it is used. Two distributions
that register one name are refused, so that no package takes the place of another's component unseen.
"""

from __future__ import annotations

import difflib
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, NamedTuple, get_args

from vdf_bench.core.errors import UserError

Kind = Literal["defenses", "victims", "purifiers", "judges", "clips", "parsers", "landmarkers", "recognisers", "suites"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Distribution(NamedTuple):
    """The installed package that a component comes from."""

    name: str
    version: str


@cache
def _points(kind: Kind) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=f"vdf_bench.{kind}")):
        other = found.setdefault(point.name, point)
        if (other.value, _distribution(other)) != (point.value, _distribution(point)):
            both = " and ".join(
                f"{dist.name} {dist.version} ({each.value})"
                for each, dist in ((each, _distribution(each)) for each in (other, point))
            )
            raise UserError(f"two packages register the {kind[:-1]} {point.name!r}: {both}; uninstall one of them")
    return found


def _distribution(point: EntryPoint) -> Distribution:
    return Distribution(point.dist.name, point.dist.version) if point.dist else Distribution("unknown", "0")


def names(kind: Kind) -> list[str]:
    """Names registered for ``kind``, sorted.

    Raises:
        UserError: two distributions register one name.
    """
    return sorted(_points(kind))


def suggest(name: str, known: list[str]) -> str:
    """The tail of an error about an unknown name: the nearest known one, or all of them."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(known)}"


def _point(kind: Kind, name: str) -> EntryPoint:
    points = _points(kind)
    if name not in points:
        raise UserError(f"unknown {kind[:-1]} {name!r}: {suggest(name, names(kind))}")
    return points[name]


def load(kind: Kind, name: str) -> type[Any]:
    """Import the class registered under ``name``.

    Raises:
        UserError: no such name, two distributions register it, or its package cannot be imported.
    """
    point = _point(kind, name)
    try:
        return _loaded(point)
    except (ImportError, AttributeError) as error:
        raise UserError(
            f"{kind[:-1]} {name!r} cannot be imported from {point.value}: {error}; reinstall or uninstall its package"
        ) from error


@cache
def _loaded(point: EntryPoint) -> type[Any]:
    loaded: type[Any] = point.load()
    return loaded


def create(kind: Kind, name: str, overrides: dict[str, str] | None = None) -> Any:
    """An instance of the component ``name`` with parameters from ``overrides`` (texts, as of ``--set``).

    Raises:
        UserError: unknown component, unknown parameter, or a value out of bounds.
    """
    return load(kind, name).configured(overrides or {})


def distribution(kind: Kind, name: str) -> Distribution:
    """The installed package that registers ``name``.

    Raises:
        UserError: no such name.
    """
    return _distribution(_point(kind, name))


def provider_of(clip: str) -> str | None:
    """The component of kind ``clips`` that offers a named clip; None where none does."""
    return next((name for name in names("clips") if clip in create("clips", name).names()), None)
