"""Digests of code by what it imports, so that a changed method is never answered from the store.

The closure of some modules is what they import, directly or through each other: inside functions too, but not for type
checking alone. Modules of vdf-bench, of a plug-in's own distribution, and modules that no distribution owns are read;
their syntax trees count, without comments and docstrings. Of every other distribution the version counts, and so does
that of Python. A module that writes the name of weights as a text depends on these weights
(:mod:`vdf_bench.assets` only describes them, and is exempt).

Nothing is imported to find this out.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.machinery
import sys
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vdf_bench.assets.record import weights_state
from vdf_bench.assets.shipped import SHIPPED
from vdf_bench.assets.third_party import THIRD_PARTY
from vdf_bench.core.artifact import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OWN: Final = "vdf_bench"
#: Describes every weights file; only who uses one depends on it.
_DESCRIBES_WEIGHTS: Final = "vdf_bench.assets."


@dataclass(frozen=True)
class Module:
    """A module as it is read.

    Attributes:
        code: digest of its syntax tree, or of its bytes where it is no Python source.
        imports: absolute names that it may import: modules, or attributes of modules.
        weights: names of weights that it writes as texts.
    """

    code: str
    imports: frozenset[str]
    weights: frozenset[str]


@dataclass(frozen=True)
class Closure:
    """What some modules depend on.

    Attributes:
        modules: name -> digest of the code.
        distributions: name -> version of every distribution that is imported; of absent ones "absent".
        weights: name -> digest of the file; of absent ones empty.
    """

    modules: dict[str, str]
    distributions: dict[str, str]
    weights: dict[str, str]

    def digest(self, versions: bool = True) -> str:
        """One digest of all; ``versions`` says whether distributions' versions count."""
        return digest([self.modules, self.distributions if versions else sorted(self.distributions), self.weights])


class Reader:
    """Finds closures; it believes that no file changes while it lives.

    Args:
        own: top-level packages that are read beside vdf_bench, of plug-ins.
    """

    def __init__(self, own: Iterable[str] = ()) -> None:
        self._own = {_OWN, *own}
        self._specs: dict[str, importlib.machinery.ModuleSpec | None] = {}
        self._edges: dict[str, tuple[frozenset[str], frozenset[str]]] = {}

    def closure(self, *roots: str) -> Closure:
        """The closure of the modules ``roots``.

        Raises:
            ModuleNotFoundError: one of them does not exist.
        """
        modules: dict[str, str] = {}
        outside: set[str] = set()
        weights: set[str] = set()
        todo = [each for root in roots for each in _with_parents(root)]
        for root in roots:
            if self._spec(root) is None:
                raise ModuleNotFoundError(root)
        while todo:
            name = todo.pop()
            if name in modules:
                continue
            module = self._read(name)
            modules[name] = module.code
            if not name.startswith(_DESCRIBES_WEIGHTS):
                weights |= module.weights
            inside, out = self._follow(name, module)
            todo += inside - modules.keys()
            outside |= out
        return Closure(
            modules, {"python": f"{sys.version_info[0]}.{sys.version_info[1]}", **_versions(outside)},
            {name: weights_state(name) for name in sorted(weights)},
        )  # fmt: skip

    def _follow(self, name: str, module: Module) -> tuple[frozenset[str], frozenset[str]]:
        """Modules to be read that ``name`` imports, and top-level names of the others."""
        if name not in self._edges:
            inside: set[str] = set()
            outside: set[str] = set()
            for imported in module.imports:
                top = imported.partition(".")[0]
                if top in sys.stdlib_module_names:
                    continue
                if not self._is_read(top):
                    outside.add(top)
                    continue
                # Of ``from a import b``, b is a module or an attribute of a.
                found = imported if self._spec(imported) else imported.rpartition(".")[0]
                inside.update(_with_parents(found) if found else ())
            self._edges[name] = frozenset(inside), frozenset(outside)
        return self._edges[name]

    def _is_read(self, top: str) -> bool:
        return top in self._own or (top not in _owners() and self._spec(top) is not None)

    def _spec(self, name: str) -> importlib.machinery.ModuleSpec | None:
        """Where a module is, found as an import finds it, though nothing is executed."""
        if name not in self._specs:
            parent = name.rpartition(".")[0]
            within = self._spec(parent) if parent else None
            places = within.submodule_search_locations if within else None
            self._specs[name] = None if parent and places is None else _find(name, places)
        return self._specs[name]

    def _read(self, name: str) -> Module:
        spec = self._spec(name)
        if spec is None or not spec.has_location or spec.origin is None:  # a namespace: only what is below it has code
            return Module("", frozenset(), frozenset())
        file = Path(spec.origin)
        stat = file.stat()
        package = name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
        return read_module(file, package, stat.st_size, stat.st_mtime_ns)


def _find(name: str, places: Iterable[str] | None) -> importlib.machinery.ModuleSpec | None:
    for finder in sys.meta_path:
        spec = finder.find_spec(name, None if places is None else list(places))
        if spec is not None:
            return spec
    return None


def _with_parents(name: str) -> Iterator[str]:
    """The module, and the packages around it, which importing it executes."""
    while name:
        yield name
        name = name.rpartition(".")[0]


@cache
def read_module(file: Path, package: str, size: int, changed: int) -> Module:
    """Read a source file; ``size`` and ``changed`` tell one content from another."""
    del size, changed
    content = file.read_bytes()
    if file.suffix != ".py":
        return Module(hashlib.sha256(content).hexdigest(), frozenset(), frozenset())
    tree = ast.parse(content)
    _drop_docstrings(tree)
    code = hashlib.sha256(ast.dump(tree).encode()).hexdigest()
    return Module(code, frozenset(_imports(tree, package)), frozenset(_texts(tree)) & _weights_names())


def _drop_docstrings(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or not body:
            continue
        first = body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            node.body = body[1:]


def _imports(node: ast.AST, package: str) -> Iterator[str]:
    """What is imported below ``node``, wherever, but for type checking alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and _is_type_checking(child.test):
            yield from _imports(ast.Module(child.orelse, []), package)
        elif isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - child.level + 1] if child.level else []
            source = ".".join([*above, *([child.module] if child.module else [])])
            yield from (f"{source}.{alias.name}" if alias.name != "*" else source for alias in child.names)
        else:
            yield from _imports(child, package)


def _texts(node: ast.AST) -> Iterator[str]:
    """String constants below ``node``, but for those of cards, which only describe."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Constant):
            if isinstance(child.value, str):
                yield child.value
        elif not (isinstance(child, ast.Call) and isinstance(child.func, ast.Name) and child.func.id == "Card"):
            yield from _texts(child)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


@cache
def _weights_names() -> frozenset[str]:
    shipped = {path.stem for path in SHIPPED.glob("*.safetensors")}
    return frozenset(shipped | {text for entry in THIRD_PARTY.values() for text in (entry.name, entry.file)})


@cache
def _owners() -> dict[str, list[str]]:
    """Top-level name -> distributions that install it."""
    return {top: sorted(set(owners)) for top, owners in metadata.packages_distributions().items()}


def _versions(tops: Iterable[str]) -> dict[str, str]:
    found = {}
    for top in sorted(tops):
        for owner in _owners().get(top, []):
            found[owner] = metadata.version(owner)
        if top not in _owners():
            found[top] = "absent"
    return found


def packages_of(distribution: str) -> list[str]:
    """Top-level packages that a distribution installs."""
    return [top for top, owners in _owners().items() if distribution in owners]
