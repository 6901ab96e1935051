"""The registry finds, suggests and validates, and says who registers what twice."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from vdf_bench.core import registry
from vdf_bench.core.errors import UserError


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


@pytest.fixture
def two_packages(tmp_path):
    """The environment of a process that finds two distributions, each with a defense of the same name."""
    for name, module in (("one-lab", "one"), ("other-lab", "other")):
        folder = tmp_path / f"{module}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[vdf_bench.defenses]\nshield = {module}:Shield\n")
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


@pytest.mark.parametrize("words", [["list"], ["info", "shield"], ["run", "--defense", "shield"]])
def test_a_name_that_two_packages_register_is_refused(words, two_packages, tmp_path):
    command = [sys.executable, "-m", "vdf_bench.commands.cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, env=two_packages, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert "two packages register the defense 'shield'" in done.stderr
    assert "one-lab 1.0 (one:Shield)" in done.stderr and "other-lab 1.0 (other:Shield)" in done.stderr


def test_a_package_that_is_seen_twice_is_one():
    """As where a folder stands twice in the path of Python."""
    code = "from vdf_bench.core import registry; print(registry.names('defenses').count('noise'))"
    twice = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=twice, check=True)
    assert done.stdout.strip() == "1"
