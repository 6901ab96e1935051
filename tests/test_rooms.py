"""The house keeps its order: no import circle of any kind, and rooms import only those below them."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: From the ground up. A room may import those before it; rooms of one line know nothing of each other.
FLOORS = (
    ("core",),
    ("store", "stats", "video"),
    ("assets",),
    ("scenes",),
    ("models",),
    ("capture",),
    ("parsers", "landmarkers", "recognisers"),
    ("training", "judges"),
    ("victims", "defenses", "purifiers", "attackers"),
    ("stages",),
    ("plan",),
    ("execute",),
    ("results",),
    ("report",),
    ("runs",),
    ("validation", "claims", "protection", "bench"),
    ("leaderboard",),
    ("testing",),
    ("api",),
    ("commands",),
)
PLUGINS = ("defenses", "victims", "purifiers", "leaderboard")


def sources():
    """Module name -> file, of the whole package."""
    found = {}
    for top in ("vdf_bench", *PLUGINS):
        for file in (ROOT / top).rglob("*.py"):
            parts = file.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts if top == "vdf_bench" else ("vdf_bench", *parts))
            found[name.removesuffix(".__init__")] = file
    return found


MODULES = sources()


def imports(name):
    """Modules of the package that a module imports anywhere: at its top, in functions, for type checking."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name}: relative import"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {each if each in MODULES else str(node.module) for each in whole}
    return {each for each in found if each in MODULES and each != name} - {"vdf_bench"}


GRAPH = {name: imports(name) for name in MODULES}


def test_no_import_circle():
    try:
        TopologicalSorter(GRAPH).prepare()
    except CycleError as error:
        pytest.fail("import circle: " + " -> ".join(reversed(error.args[1])))


def room(name):
    return name.split(".")[1] if "." in name else ""


def test_rooms_import_only_lower_rooms():
    level = {name: height for height, names in enumerate(FLOORS) for name in names}
    wrong = [
        f"{name} imports {other}"
        for name, others in GRAPH.items()
        for other in others
        if room(name) not in ("", room(other)) and level[room(name)] <= level[room(other)]
    ]
    assert not wrong, "\n".join(sorted(wrong))


def test_every_room_has_its_floor():
    assert {room(name) for name in MODULES} - {""} <= {name for names in FLOORS for name in names}


def test_nothing_but_the_api_stands_at_the_top():
    assert {path.name for path in (ROOT / "vdf_bench").glob("*.*")} <= {"__init__.py", "api.py", "py.typed"}


def test_plugins_do_not_import_each_other():
    """A defense knows no other defense, beyond what its own family and ``common`` share."""
    families = {"defenses", "victims", "purifiers"}
    wrong = [
        f"{name} imports {other}"
        for name, others in GRAPH.items()
        for other in others
        if room(name) in families and room(other) in families - {room(name)}
    ]
    assert not wrong, "\n".join(wrong)
