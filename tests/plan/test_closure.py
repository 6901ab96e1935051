"""Keys follow what is imported: nothing that runs is missing from them, and nothing else is in them."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vdf_bench.plan import closure
from vdf_bench.plan.closure import Reader
from vdf_bench.plan.keys import Keys

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Writes modules of a package that no distribution owns."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(**modules):
        for name, text in modules.items():
            file = (
                tmp_path / "loose" / f"{name.replace('__', '/')}.py"
                if name != "init"
                else tmp_path / "loose/__init__.py"
            )
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        for folder in {file.parent for file in (tmp_path / "loose").rglob("*.py")}:
            (folder / "__init__.py").touch()
        closure.read_module.cache_clear()
        importlib.invalidate_caches()
        return Reader().closure("loose.start")

    return write


def test_lazy_and_indirect_imports_count(package):
    found = package(
        start="def f():\n    from loose import middle\n",
        middle="import loose.end as e\n",
        end="x = 1\n",
        other="y = 1\n",
    )
    assert set(found.modules) == {"loose", "loose.start", "loose.middle", "loose.end"}


def test_imports_for_type_checking_do_not_count(package):
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import loose.only\nelse:\n    import loose.real\n"
    found = package(start=text, only="", real="")
    assert "loose.real" in found.modules
    assert "loose.only" not in found.modules


def test_relative_imports_are_followed(package):
    found = package(start="from .inner import a\n", inner__a="from .. import up\n", up="")
    assert {"loose.inner", "loose.inner.a", "loose.up"} <= set(found.modules)


def test_comments_and_docstrings_do_not_count(package):
    before = package(start='"""Text."""\ndef f():\n    """More."""\n    return 1\n').digest()
    assert package(start='def f():  # said\n    """Other."""\n\n    return 1\n').digest() == before
    assert package(start="def f():\n    return 2\n").digest() != before


def test_other_distributions_count_by_version(package, monkeypatch):
    found = package(start="import numpy\nimport PIL.Image\nimport nowhere_to_be_found\nimport json\n")
    assert found.distributions.keys() == {"python", "numpy", "pillow", "nowhere_to_be_found"}
    assert found.distributions["nowhere_to_be_found"] == "absent"
    monkeypatch.setattr(closure.metadata, "version", lambda name: "0")
    other = package(start="import numpy\nimport PIL.Image\nimport nowhere_to_be_found\nimport json\n")
    assert other.digest() != found.digest()
    assert other.digest(versions=False) == found.digest(versions=False)


def test_weights_count_where_their_name_is_written(package, monkeypatch):
    found = package(start='from vdf_bench.assets.shipped import load_shipped\nload_shipped("landmarker")\n')
    assert found.weights.keys() == {"landmarker"}
    assert not package(start='card = Card(name="landmarker")\n').weights, "a card only describes"
    monkeypatch.setattr(closure, "weights_state", lambda name: "retrained")
    assert package(start='load_shipped("landmarker")\n').weights == {"landmarker": "retrained"}


def test_weights_of_a_users_folder_count(package, monkeypatch, tmp_path):
    monkeypatch.setenv("VDF_BENCH_WEIGHTS", str(tmp_path / "weights"))
    before = package(start='present("syncnet")\n')
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "syncnet_v2.model").write_bytes(b"mine")
    assert package(start='present("syncnet")\n').digest() != before.digest()


#: Rooms that plan, carry out and show; none of them may change what a step computes.
HARNESS = {"plan", "execute", "results", "report", "runs", "commands", "claims", "validation", "leaderboard", "bench"}


@pytest.mark.parametrize(
    "step",
    [
        ("clip", ("clips", "synth")),
        ("decode", ("landmarkers", "builtin")),
        ("protect", ("defenses", "vdf"), ("parsers", "builtin")),
        ("purify", ("purifiers", "h264")),
        ("capture", ("parsers", "ensemble"), ("landmarkers", "builtin")),
        ("harden", ("parsers", "builtin")),
        ("fit", ("victims", "gaussian")),
        ("drive", ("victims", "hashgrid")),
        ("edit", ("victims", "stargan-synth")),
        ("judge", ("judges", "dsr"), ("judges", "field"), ("judges", "sync")),
    ],
    ids=lambda step: step[0],
)
def test_no_step_depends_on_the_harness(step):
    stage, *components = step
    modules = Keys().closure(stage, *components).modules
    assert not {name for name in modules if name.split(".")[1:2] and name.split(".")[1] in HARNESS}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The package as a copy that tests may change."""
    root = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "vdf_bench", root / "vdf_bench", ignore=ignored)
    for top in ("defenses", "victims", "purifiers", "leaderboard"):
        shutil.copytree(ROOT / top, root / "vdf_bench" / top, ignore=ignored)
    return root / "vdf_bench"


def planned(copy):
    """Label -> key of the steps of one plan, as the copied package plans it."""
    environment = {**os.environ, "PYTHONPATH": str(copy.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, HERE / "plan_steps.py", copy], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    keys = json.loads(done.stdout)
    return keys


def changed(copy, file, old, new, keys):
    """Labels of the steps whose keys a change of ``file`` changes."""
    path = copy / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    try:
        now = planned(copy)
    finally:
        path.write_text(text)
    assert now.keys() == keys.keys()
    return {label for label, code in now.items() if code != keys[label]}


def test_changes_reach_what_they_change_and_nothing_else(copy):
    keys = planned(copy)
    assert planned(copy) == keys
    embedder = changed(copy, "models/embedder.py", "return F.normalize(", "return -F.normalize(", keys)
    assert embedder, "the embedder decides on identity"
    assert {label.split(" ")[0] for label in embedder} == {"judge"}
    assert any(label.startswith("judge clone") for label in embedder)
    note = ("from __future__ import annotations", "from __future__ import annotations\n\n# a note")
    assert not changed(copy, "victims/external/instag.py", *note, keys)
    told = ("from __future__ import annotations", "from __future__ import annotations\n\nCHANGED = 1")
    assert changed(copy, "victims/external/instag.py", *told, keys) == {"fit external.instag", "drive external.instag"}
    assert not changed(copy, "report/words.py", *told, keys)
    bisenet = changed(copy, "models/bisenet.py", *told, keys)
    assert {"protect vdf", "capture builtin"} <= {" ".join(label.split(" ")[:2]) for label in bisenet}
    assert not any(label.startswith(("clip", "purify", "fit", "drive")) for label in bisenet)
    encode = changed(copy, "video/encode.py", *told, keys)
    assert any(label.startswith("judge protect") for label in encode), "the bit rate is measured by encoding"
    assert not {"fit gaussian", "capture builtin"} & encode
    hashgrid = changed(copy, "victims/hashgrid/train.py", *told, keys)
    assert hashgrid == {"fit hashgrid", "drive hashgrid"}
    (copy / "defenses" / "newcomer.py").write_text("X = 1\n")
    assert planned(copy) == keys, "a new defense changes no other"


def test_what_runs_is_in_the_key(tmp_path):
    """Every kind of step, each in a process of its own: modules that it executes, against its closure."""
    done = subprocess.run(
        [sys.executable, HERE / "traced_steps.py", tmp_path], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    traced = json.loads((tmp_path / "traced.json").read_text())
    assert {"clip", "decode", "prepare", "protect", "floor", "purify", "harden", "capture", "fit", "drive", "edit",
            "judge", "submitted"} == {step["stage"] for step in traced}  # fmt: skip
    for step in traced:
        missing = set(step["executed"]) - set(step["closure"])
        assert not missing, f"{step['label']} runs {sorted(missing)}, which its key does not hold"
        assert len(step["executed"]) > 3, f"{step['label']} was not traced"
