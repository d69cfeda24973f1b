"""The command line, run as a person runs it."""

from __future__ import annotations

import sys

import pytest

from assay.cli.main import main


@pytest.fixture
def assay(capsys, monkeypatch, tmp_path):
    """Run a command; return its exit code, what it printed, and what it complained of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)  # pytest-xdist sets it in its workers

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["assay", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        shown = capsys.readouterr()
        return int(stop.value.code or 0), shown.out, shown.err

    return run


@pytest.fixture
def complete(assay, monkeypatch):
    """Return what bash shows for a line; ``|`` stands where bash splits words."""

    def run(line: str) -> list[str]:
        words = line.split("|")
        monkeypatch.setenv("_ASSAY_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", "\n".join(words))
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        return assay()[1].splitlines()

    return run
