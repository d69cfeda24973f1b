"""Whatever a model does to the process or raises is its own row: no other row changes, and nothing ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.hostile_models import PATH

from assay.core.metric import PLUGIN_PREFIX
from assay.core.result import Status
from assay.environment.state_parts import GUARDS, SETTINGS
from assay.run.evaluator import Evaluator
from assay.run.study import Study

METHODS = ("knn", "logme")


@pytest.fixture
def study(photos, tmp_path):
    def make(*models, **changes):
        given = {"tasks": [str(photos)], "methods": METHODS, "store": tmp_path / "store", "plugins": [PATH]}
        return Study(models=[f"hostile_models:{model}" for model in models], **{**given, **changes})

    return make


def cells_of(comparison, model):
    cells = [cell for cell in comparison.cells if cell.model == f"hostile_models:{model}"]
    return {cell.method: cell for cell in cells}


@pytest.fixture
def good(study, tmp_path):
    """The values of the good model alone."""
    cells = cells_of(study("good", store=tmp_path / "alone").run(), "good")
    return {method: cell.value for method, cell in cells.items()}


def assert_good(comparison, good):
    assert {method: cell.value for method, cell in cells_of(comparison, "good").items()} == good


RAISED = {
    "leaves": "SystemExit: 0",
    "generator": "GeneratorExit: no message",
    "stop": "StopIteration",
    "own": "Own: mine",
    "cancelled": "CancelledError: no message",
    "unreadable": "Unreadable: its message cannot be read",
    "wordless": "WithoutString: its message cannot be read",
    "last_word": "LeavesWithItsText: its message cannot be read",
    "huge": "ValueError: xxx",
    "surrogates": r"ValueError: caf\udce9 \x1b[2J\x00",
    "group": "ExceptionGroup: two layers (KeyError: 'a'; ExceptionGroup: b (OSError: c))",
    "base_group": "BaseExceptionGroup: two (Own: d; SystemExit: 1)",
    "store": "StoreError: mine",
    "recursion": "RecursionError: maximum recursion depth exceeded",
}


@pytest.mark.parametrize("where", ["encode", "open"])
def test_whatever_a_model_raises_is_a_row_of_its_own(study, good, where):
    raising = [f"{name}(where='open')" if where == "open" else name for name in RAISED]

    comparison = study(*raising, "good").run()

    for model, reason in zip(raising, RAISED.values(), strict=True):
        for cell in cells_of(comparison, model).values():
            assert cell.status is Status.FAILED
            assert reason in cell.reason
            assert len(cell.reason) < 700
    assert_good(comparison, good)


@pytest.mark.parametrize("where", ["init", "check", "identity", "modality", "facts"])
def test_a_source_that_raises_before_its_model_is_open_is_a_failed_row(study, good, where):
    broken = [f"{name}(where='{where}')" for name in ("own", "unreadable", "leaves")]

    comparison = study(*broken, "good").run()

    for model, reason in zip(broken, ("Own: mine", "Unreadable: its message", "SystemExit: 0"), strict=True):
        assert {cell.status for cell in cells_of(comparison, model).values()} == {Status.FAILED}
        assert all(cell.reason.startswith(reason) for cell in cells_of(comparison, model).values())
    assert_good(comparison, good)


def test_what_is_raised_when_a_model_is_closed_is_nobody_s_row(study, good):
    models = [f"{name}(where='close')" for name in ("leaves", "own", "generator")]

    comparison = study(*models, "good").run()

    assert {cell.status for cell in comparison.cells} == {Status.OK}
    assert_good(comparison, good)


def test_ctrl_c_ends_the_run_in_a_group_of_errors_too(study):
    with pytest.raises(KeyboardInterrupt):
        study("interrupted").run()


def test_what_a_model_changes_is_undone_before_each_event(study, good):
    def state():
        return [(part, part.read()) for part in (*SETTINGS, *GUARDS)]

    models = ("good", "changes(where='open')", "changes")
    evaluate, before = Evaluator(), None
    for evaluation in study(*models).plan().evaluations:
        for _ in evaluate(evaluation, lambda stage: None):
            before = before or state()
            changed = [part for part, value in before if part.read() != value]
            assert changed == []
    evaluate.close()
    comparison = study(*reversed(models), methods=(*METHODS, "linear_probe")).run()

    assert {method: cells_of(comparison, "good")[method].value for method in good} == good
    assert cells_of(comparison, "good")["linear_probe"].status is Status.OK


def test_closed_streams_are_open_again(study, good, tmp_path, monkeypatch, capfd):
    for model in ("streams", "streams(where='open')"):
        with monkeypatch.context() as patch, (tmp_path / "out").open("w") as closed:  # not that of pytest
            patch.setattr(sys, "stdout", closed)

            comparison = study(model, "good", store=tmp_path / model[-3:]).run()

            with sys.stdout as stdout:
                stdout.write("as before\n")
        os.write(2, b"and here\n")
        shown = capfd.readouterr()
        assert (shown.out, shown.err) == ("as before\n", "and here\n")
        assert_good(comparison, good)


def test_a_child_that_a_model_forks_ends_where_it_would_go_on_with_the_study(study, good):
    comparison = study("forks", "forks(where='open')", "good").run()
    children = sys.modules[f"{PLUGIN_PREFIX}hostile_models"].CHILDREN

    assert children
    assert {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children} == {0}
    assert {method: cell.value for method, cell in cells_of(comparison, "forks").items()} == good
    assert_good(comparison, good)


def test_a_model_that_lets_no_file_grow_fails_alone(study, good):
    comparison = study("limits", "good").run()

    assert cells_of(comparison, "limits")["knn"].status is Status.FAILED
    assert_good(comparison, good)


def test_a_model_that_unloads_modules_fails_alone(study, good):
    before = dict(sys.modules)

    comparison = study("unloads(where='open')", "unloads", "good").run()

    assert {name: sys.modules.get(name) for name in before} == before
    assert_good(comparison, good)


def test_a_model_that_moves_takes_no_relative_path_with_it(study, good, photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    comparison = study("moves(where='open')", "moves", "good", tasks=["photos"], store="here").run()

    assert Path.cwd() == tmp_path
    assert {cell.status for cell in comparison.cells} == {Status.OK}
    assert_good(comparison, good)
    assert np.load(next((tmp_path / "here" / "truths").iterdir())).size


@pytest.mark.framework
def test_isolated_evaluations_are_as_safe(study, good):
    comparison = study("changes", "streams", "forks", "good", engine="isolated(time_limit=120)").run()

    for model in ("streams", "forks", "good"):
        assert {method: cell.value for method, cell in cells_of(comparison, model).items()} == good
