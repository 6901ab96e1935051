"""What a step's result depends on besides parameters and inputs: code, weights, and versions of libraries."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vdf_bench.assets.folders import user_folder
from vdf_bench.assets.record import file_state, weights_state
from vdf_bench.core import registry
from vdf_bench.core.artifact import digest
from vdf_bench.plan.closure import Closure, Reader, packages_of

if TYPE_CHECKING:
    from collections.abc import Iterable


class Keys:
    """Digests of what is behind steps. One serves one plan: it believes that no file changes while it lives.

    Args:
        versions: whether versions of libraries count. Without them a store serves results of other versions.

    Attributes:
        components: kind and name of every component that a digest was asked for.
    """

    def __init__(self, versions: bool = True) -> None:
        self._versions = versions
        self._reader = Reader(_plugin_packages())
        self._found: dict[Any, str] = {}
        self.components: dict[tuple[registry.Kind, str], None] = {}

    def of(self, stage: str, *components: tuple[registry.Kind, str], files: Iterable[str] = ()) -> str:
        """Digest of all that a step's result depends on.

        Args:
            stage: the step's module in :mod:`vdf_bench.stages`.
            components: those that it runs.
            files: paths of weights that parameters name.

        Raises:
            UserError: no such component.
        """
        self.components.update(dict.fromkeys(components))
        asked = (stage, components, tuple(files))
        if asked not in self._found:
            marks = [_marks(*component) for component in components]
            known = [file_state(Path(file)) for file in asked[2]]
            self._found[asked] = digest([self.closure(stage, *components).digest(self._versions), marks, known])
        return self._found[asked]

    def closure(self, stage: str, *components: tuple[registry.Kind, str]) -> Closure:
        """The closure of a step's module and of the components that it runs."""
        modules = (registry.load(kind, name).__module__ for kind, name in components)
        return self._reader.closure(f"vdf_bench.stages.{stage}", *modules)


def code_digest(*modules: str) -> str:
    """Digest of everything that ``modules`` import, as of now."""
    return Reader().closure(*modules).digest()


def _marks(kind: registry.Kind, name: str) -> list[Any]:
    """Of a component: its version, its own mark, and the weights that its card names."""
    component = registry.load(kind, name)
    needs = [need.partition(":")[::2] for need in component.card.needs]
    shipped = [weights_state(weights) for what, weights in needs if what == "weights"]
    users = [file_state(user_folder() / weights) for what, weights in needs if what == "user"]
    return [kind, name, component.card.version, component.fingerprint(), shipped, users]


@cache
def _plugin_packages() -> tuple[str, ...]:
    """Top-level packages of the distributions that register components beside this one."""
    found = {registry.distribution(kind, name).name for kind in registry.KINDS for name in registry.names(kind)}
    return tuple(sorted(package for name in found - {"vdf-bench"} for package in packages_of(name)))
