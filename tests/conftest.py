"""Shared by all tests."""

from __future__ import annotations

import os
import sys

import pytest

# Steps run with one thread; tests do too, so that workers of a parallel run do not fight over cores.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")


@pytest.fixture
def one_thread():
    """Torch computes with one thread, whatever the environment or another test said."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a package of plug-ins for this test and its subprocesses: ``install(name, source, {entry: class})``."""
    from vdf_bench.core import registry

    def make(name, source, judges):
        home = tmp_path / "site"
        info = home / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (home / f"{name}.py").write_text(source)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        points = "".join(f"{entry} = {name}:{cls}\n" for entry, cls in judges.items())
        (info / "entry_points.txt").write_text(f"[vdf_bench.judges]\n{points}")
        monkeypatch.syspath_prepend(home)
        monkeypatch.setenv("PYTHONPATH", str(home))
        registry._points.cache_clear()

    yield make
    monkeypatch.undo()
    registry._points.cache_clear()


@pytest.fixture
def vdf_bench(monkeypatch, capsys, tmp_path):
    """Runs a command in an empty folder, in this process; returns exit code, output, errors."""
    from vdf_bench.commands import cli

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["vdf-bench", *map(str, words)])
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        return code, out, err

    return call
