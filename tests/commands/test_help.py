"""The help of every command: what each option does, and examples that the command line takes."""

from __future__ import annotations

import shlex

import pytest
import typer.main
from typer.testing import CliRunner

from vdf_bench.commands.cli import app


def commands(command, names=()):
    """Every command that can be called, with its names."""
    if not hasattr(command, "commands"):
        return {names: command}
    return {k: v for name, one in command.commands.items() for k, v in commands(one, (*names, name)).items()}


ROOT = typer.main.get_command(app)
COMMANDS = commands(ROOT)


def examples(command):
    head, *lines = (command.epilog or "").removeprefix("\b\n").split("\n")
    assert head == "Examples:", "the help of a command ends with examples"
    return [line.strip() for line in lines]


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_help_ends_with_two_examples_that_parse(names):
    shown = CliRunner().invoke(app, [*names, "--help"])
    assert shown.exit_code == 0
    found = examples(COMMANDS[names])
    assert [line.strip() for line in shown.output.rstrip().split("\n")][-len(found) :] == found
    assert len(found) == 2
    called = []
    for line in found:
        program, *words = shlex.split(line)
        assert program == "vdf-bench"
        depth = next(k for k in range(1, len(words) + 1) if tuple(words[:k]) in COMMANDS)
        called.append(tuple(words[:depth]))
        # Values are checked where they can be without running: numbers, required options and arguments, names.
        COMMANDS[called[-1]].make_context(line, words[depth:], resilient_parsing=False)
    assert called[0] == names


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_every_option_has_a_help_text(names):
    assert COMMANDS[names].help
    assert [one.name for one in COMMANDS[names].params if not getattr(one, "help", None)] == []
