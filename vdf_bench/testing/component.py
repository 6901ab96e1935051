"""What components of every kind have in common: a card, parameters, and a module that is quickly imported."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final

from vdf_bench.assets.needs import unmet
from vdf_bench.core.cards import Card, Component, Parameters
from vdf_bench.testing.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic.fields import FieldInfo

    from vdf_bench.core.registry import Kind

#: What no component's module may import at its top: `list` and `info` import every one of them.
HEAVY: Final = frozenset({
    "av", "diffusers", "insightface", "lpips", "matplotlib", "mediapipe", "numba", "onnxruntime", "pandas",
    "pytorch_fid", "ray", "scipy", "skimage", "torch", "torchvision", "transformers",
})  # fmt: skip
#: Names stand in texts such as ``jpeg:75+resize:0.5`` and ``vdf@builtin``, which are split at other characters.
_NAME: Final = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
_NEED: Final = re.compile(r"(weights|user|extra|checkout):.+|gpu")


def check_component(component: type[Component] | Component, kind: Kind) -> Report:
    """Check card, parameters, registration and imports, which all kinds have.

    Args:
        component: class or instance.
        kind: of the registry, such as ``"suites"``.

    Raises:
        AssertionError: a property does not hold.
    """
    cls = component if isinstance(component, type) else type(component)
    card = getattr(cls, "card", None)
    if not (issubclass(cls, Component) and isinstance(card, Card)):
        raise AssertionError(
            f"{cls.__qualname__} is no component. To fix: derive it from vdf_bench.core.cards.Component and give it a "
            "class attribute `card`, a vdf_bench.core.cards.Card."
        )
    report = Report(f"{kind.removesuffix('s')} {card.name!r}")
    _check_card(report, card)
    _check_parameters(report, cls)
    where = f"{cls.__module__}:{cls.__qualname__}"
    registered = {point.name for point in entry_points(group=f"vdf_bench.{kind}") if point.value == where}
    report.require(
        registered <= {card.name},
        "the entry point has the name on the card",
        f"{sorted(registered)}",
        f'write {card.name} = "{where}" under [project.entry-points."vdf_bench.{kind}"] and install again',
    )
    heavy = _imported_by(cls.__module__)
    report.require(
        not heavy,
        "its module imports nothing heavy at its top",
        heavy,
        "import these inside the methods that use them, or under `if TYPE_CHECKING:`",
    )
    return report


def begin(component: type[Component] | Component, kind: Kind, *methods: str) -> tuple[Report, Callable[[], Any]]:
    """Check what all kinds have, that it has the ``methods`` of its own kind, and that it can run here.

    Returns:
        the report so far, and what makes new instances with the same parameters.

    Raises:
        AssertionError: a property does not hold.
    """
    report = check_component(component, kind)
    cls, parameters = (component, None) if isinstance(component, type) else (type(component), component.parameters)
    require_methods(report, cls, *methods)
    missing = unmet(cls.card)
    report.require(missing is None, "what its card needs is present", str(missing), "provide it, or skip this check")
    return report, lambda: cls(parameters)


def require_methods(report: Report, cls: type[Any], *methods: str) -> None:
    """Note that a class has ``methods``.

    Raises:
        AssertionError: one is missing.
    """
    absent = [method for method in methods if not callable(getattr(cls, method, None))]
    report.require(
        not absent, "it has the methods of its kind", f"no {', '.join(absent)}", "see vdf_bench.core.interfaces"
    )


def _check_card(report: Report, card: Card) -> None:
    report.require(
        _NAME.fullmatch(card.name) is not None,
        "its name is of a-z, 0-9, '-' and '.'",
        repr(card.name),
        "choose another card.name",
    )
    lines = {part: getattr(card, part) for part in ("title", "summary", "licence")}
    empty = [part for part, text in lines.items() if not text.strip() or "\n" in text]
    report.require(
        not empty,
        "its card has a title, a summary and a licence, one line each",
        ", ".join(empty),
        "fill them in",
    )
    unknown = [need for need in card.needs if not _NEED.fullmatch(need)]
    report.require(
        not unknown,
        "its card's needs are of known forms",
        ", ".join(unknown),
        "write weights:NAME, user:FILE, extra:PACKAGE, checkout:NAME or gpu",
    )
    report.require(card.version >= 1, "its card has a version", str(card.version), "count from 1")


def _check_parameters(report: Report, cls: type[Component]) -> None:
    model = cls.parameters_model
    report.require(
        issubclass(model, Parameters),
        "its parameters are frozen and closed to unknown names",
        model.__qualname__,
        "derive parameters_model from vdf_bench.core.cards.Parameters",
    )
    silent = [name for name, field in model.model_fields.items() if not field.description]
    report.require(
        not silent,
        "every parameter has a description",
        ", ".join(silent),
        "give each Field(..., description=...), with its unit",
    )
    free = [name for name, field in model.model_fields.items() if _is_number(field) and not field.metadata]
    report.require(
        not free,
        "every number among the parameters has a bound",
        ", ".join(free),
        "give each Field(..., ge=..., le=...)",
    )
    short = cls.card.short
    report.require(
        not short or short in model.model_fields,
        "the short parameter of its card exists",
        short,
        f"name one of {', '.join(model.model_fields) or 'none: leave card.short empty'}",
    )
    report.require(
        cls.configured({}).parameters == cls().parameters,
        "its defaults are valid values",
        "configured({}) differs from the defaults",
        "leave __init__ to Component",
    )


def _is_number(field: FieldInfo) -> bool:
    return field.annotation in (int, float)


@cache
def _imported_by(module: str) -> str:
    """Which of :data:`HEAVY` a new process imports with ``module``, or why it cannot; empty where all is well."""
    code = f"import sys, {module}; print(*sorted({set(HEAVY)!r} & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(  # noqa: S603 - this interpreter, and a module that is already loaded
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip().rpartition("\n")[2]
