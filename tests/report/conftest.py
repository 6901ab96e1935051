import importlib.util
from pathlib import Path

import pytest

# Imported by path: the test tree is no package.
_spec = importlib.util.spec_from_file_location("report_fixture", Path(__file__).with_name("fixture.py"))
_fixture = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixture)


@pytest.fixture(scope="session")
def make():
    """The module that draws run folders."""
    return _fixture


@pytest.fixture(scope="session")
def built(tmp_path_factory, make):
    """A run folder with report: six clips, one of an odd name whose triplane cells are void."""
    from vdf_bench import report

    clips = ["synth-a", "synth-b", "synth-c", "synth-d", "synth-e", make.WEIRD]
    folder = make.write_run(tmp_path_factory.mktemp("run"), clips)
    report.build(folder, make.pictures(["synth-a", make.WEIRD], size=32, count=8))
    return folder


@pytest.fixture
def small(tmp_path, make):
    """One clip, one seed, no purifier, no pictures."""
    return make.write_run(tmp_path / "run", ["synth-a", "synth-b"], seeds=1, purifiers=("identity",))
