"""The pull-request workflow: what it may do, and what it lets pass."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / ".github"
if not ROOT.is_dir():
    pytest.skip("the workflow is not part of a distribution", allow_module_level=True)
_spec = importlib.util.spec_from_file_location("leaderboard_changes", ROOT / "leaderboard_changes.py")
changes = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(changes)


@pytest.mark.parametrize(
    "status, path, fine",
    [
        ("A", "leaderboard/incoming/mine/manifest.json", True),
        ("A", "leaderboard/incoming/mine/a/b.mkv", True),
        ("A", "vdf_bench/new.py", None),
        ("M", "leaderboard/incoming/mine/manifest.json", False),
        ("D", "leaderboard/submissions/vdf-bench-v1/vdf-v1.json", False),
        ("M", "leaderboard/submissions/vdf-bench-v1/vdf-v1.json", False),
        ("A", "leaderboard/submissions/vdf-bench-v1/forged-v1.json", False),
        ("A", "leaderboard/incoming/stray.json", False),
        ("A", "leaderboard/incoming/$(id)/manifest.json", False),
        ("A", "leaderboard/incoming/a;b/manifest.json", False),
        ("A", "leaderboard/incoming/-rf/manifest.json", False),
        ("A", "leaderboard/incoming/mine/\u202egnp.md", False),
        ("T", "leaderboard/incoming/mine/manifest.json", False),
    ],
)
def test_requests_add_submissions_and_no_more(status, path, fine):
    found, odd = changes.entries(f"{status}\0{path}\0".encode())
    assert (bool(found), bool(odd)) == {True: (True, False), False: (False, True), None: (False, False)}[fine]


def test_the_workflow_holds_no_secret_and_runs_no_stranger():
    text = (ROOT / "workflows" / "leaderboard.yml").read_text()
    assert "pull_request_target" not in text and "secrets." not in text and "uses:" not in text
    assert "permissions:\n  contents: read\n" in text
    # What a stranger may write reaches no shell line but through the environment, and then as a number or a hash.
    lines = [
        line
        for line in text.splitlines()
        if "${{" in line and not line.lstrip().startswith(("URL:", "BASE:", "NUMBER:", "group:"))
    ]
    assert lines == []
    assert (
        "request/" not in text
        and "pip install --quiet --extra-index-url https://download.pytorch.org/whl/cpu ./base" in text
    )
