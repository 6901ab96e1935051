"""The wheel holds the tree: every module and every data file, once, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[1]
#: Folders of the repository that install as vdf_bench.NAME.
PLUGINS = ("defenses", "victims", "purifiers", "leaderboard")
INSTALLED = {".css", ".jinja", ".js", ".json", ".py", ".safetensors", ".typed"}


def test_the_wheel_holds_the_tree(tmp_path):
    source = tmp_path / "source"
    for top in ("vdf_bench", *PLUGINS):  # a copy, because building leaves files behind, and takes up stale ones
        shutil.copytree(ROOT / top, source / top, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*pip, "--wheel-dir", tmp_path, source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        packed = [name for name in archive.namelist() if ".dist-info/" not in name]
    there = {
        (path.relative_to(ROOT) if top == "vdf_bench" else Path("vdf_bench") / path.relative_to(ROOT)).as_posix()
        for top in ("vdf_bench", *PLUGINS)
        for path in (ROOT / top).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert len(packed) == len(set(packed))
    assert set(packed) <= there
    missing = there - set(packed)
    assert not {name for name in missing if Path(name).suffix in INSTALLED or name.endswith("py.typed")}, missing
