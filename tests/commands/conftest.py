"""Runs commands in this process."""

from __future__ import annotations

import sys

import pytest

from vdf_bench.commands import cli


@pytest.fixture
def vdf_bench(monkeypatch, capsys, tmp_path):
    """Runs a command in an empty folder; returns exit code, output, errors."""
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
