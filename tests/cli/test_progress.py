"""What a person sees while a study runs."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from assay.cli.progress import read_plan, run_and_show
from assay.run.study import Study


@pytest.fixture
def study(photos, tmp_path):
    return Study(
        models=["zoo:colours", "zoo:noisy"], tasks=[str(photos)], methods=["knn"], store=tmp_path / "store"
    )


def shown(study: Study, *, terminal: bool, width: int = 60) -> str:
    file = io.StringIO()
    run_and_show(study, Console(file=file, width=width, force_terminal=terminal))
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", file.getvalue())


def test_a_terminal_shows_what_is_done_and_what_is_left(study):
    text = shown(study, terminal=True)

    assert "left" in text
    assert "%" in text
    assert "done" not in text  # the bar goes with its end


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(study, width):
    assert max(len(line) for line in re.split(r"[\r\n]", shown(study, terminal=True, width=width))) <= width


def test_without_a_terminal_there_is_a_line_for_each_model(study):
    lines = shown(study, terminal=False, width=200).splitlines()

    assert [line.partition(" on ")[0] for line in lines if line.startswith("[")] == [
        "[1 of 2] colours",
        "[2 of 2] noisy",
    ]


def test_without_a_terminal_each_task_of_a_model_has_its_line(photos, study):
    lines = shown(
        replace(study, tasks=[str(photos), f"folder:{photos}(test=0.3)"]), terminal=False, width=200
    )

    numbers = [line.partition("]")[0] for line in lines.splitlines() if line.startswith("[")]
    assert numbers == [f"[{number} of 4" for number in (1, 2, 3, 4)]


def test_a_study_that_is_done_shows_nothing_to_do(study):
    shown(study, terminal=True)

    assert "1 of" not in shown(study, terminal=False)


def test_a_note_about_the_models_is_no_wider_than_the_terminal(study, monkeypatch):
    note = "Only the 1 packaged or cached model is used, because no model was named; name others, or add some"
    ready = replace(study.plan(), notes=(note,))
    monkeypatch.setattr(Study, "plan", lambda self: ready)
    file = io.StringIO()

    read_plan(study, Console(file=file, width=80))

    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert f"note: {note}" in " ".join(map(str.strip, lines))


@pytest.mark.parametrize("details", [False, True])
def test_models_of_the_zoo_that_are_left_out_are_listed_in_detail_alone(study, monkeypatch, details):
    zoo = ("downloads, 9 MB: zoo:noisy 9 MB", "left out, 5 MB: zoo:headed 5 MB")
    ready = replace(study.plan(), notes=("Only 2 packaged or cached models compared",), zoo=zoo)
    monkeypatch.setattr(Study, "plan", lambda self: ready)
    file = io.StringIO()

    read_plan(study, Console(file=file, width=200), details=details)

    assert ("left out, 5 MB: zoo:headed" in file.getvalue()) is details
    assert "note: Only 2 packaged" in file.getvalue()
    assert "downloads, 9 MB" in file.getvalue()
