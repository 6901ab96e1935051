"""The README's commands are the ones that are run."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def commands():
    return re.findall(r"```sh\n(python3 -m venv .*)\n```", (ROOT / "README.md").read_text())


def test_the_readme_has_its_two_commands():
    main, tests = commands()
    assert main.endswith(".venv/bin/vdf-bench run --defense vdf --victim all")
    assert tests.endswith("pytest -n auto")


def test_ci_runs_the_readmes_test_command():
    assert commands()[1] in (ROOT / ".ci" / "run").read_text().splitlines()
