"""The help of each command, as a terminal of 80 columns shows it."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import assay.cli.commands

COMMANDS = sorted(module.name for module in pkgutil.iter_modules(assay.cli.commands.__path__))


@pytest.fixture
def help_of(assay, monkeypatch):
    """Return the help of a command at 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(command: str) -> str:
        code, out, _ = assay(command, "--help")
        assert code == 0
        return out

    return run


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_can_be_read_in_80_columns(help_of, command):
    shown = help_of(command)

    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS)
def test_an_example_is_a_command_and_a_comment_sets_its_explanation_apart(command):
    text = importlib.import_module(f"assay.cli.commands.{command}").EXAMPLES
    examples = [line for line in text.splitlines() if line.startswith("- ")]

    assert any(f"`assay {command}" in example for example in examples)
    assert [line for line in examples if not re.fullmatch(r"- `[^`]+`(  # [^`]+)?", line)] == []


def test_the_default_folder_is_that_of_the_command(help_of):
    assert "submission" not in help_of("save")
    assert "saved" not in help_of("submit")
