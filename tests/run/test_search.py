"""A study that is searched: which models it runs, what it keeps, what it says of the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.core.errors import UsageError
from assay.core.limits import Limits
from assay.core.result import Status
from assay.reports.json import as_json
from assay.reports.terminal.next_commands import StudyPlace
from assay.reports.terminal.screen import screen_lines
from assay.run.plan import resolve_models, resolve_tasks
from assay.run.search.candidates import choice_of
from assay.run.search.rule import Budget, SearchRule
from assay.run.search.run import unit_of
from assay.run.search.spending import Spending
from assay.run.stored_comparison import compare_store
from assay.run.study import Study
from assay.store.results import open_existing
from assay.wording.search import searched_line

NAMES = ("blind", "colours", "noisy", *(f"noisy(seed={seed})" for seed in range(1, 6)))
METHODS = ("linear_probe", "ridge_cv")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """A folder of 300 small images in 3 classes, which differ in colour, most of the time."""
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("data") / "pictures"
    for position, colour in enumerate(("blue", "green", "red")):
        (folder / colour).mkdir(parents=True)
        for number in range(100):
            pixels = rng.normal(110, 30, size=(8, 8, 3)) + rng.normal(0, 12, size=3)
            pixels[..., 2 - position] += 30
            image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
            image.save(folder / colour / f"{number:03}.png")
    return folder


@pytest.fixture
def study(pictures, tmp_path):
    def make(*names, **changes):
        given = {"tasks": [str(pictures)], "methods": METHODS, "store": tmp_path / "store", **changes}
        return Study(models=[f"zoo:{name}" for name in names or NAMES], **given)

    return make


def test_it_finds_the_best_model_without_training_all(study):
    comparison = study(tolerance="0.5pt").run()

    search = comparison.search
    assert comparison.tasks[0].standings[0].model == "zoo:colours"
    assert "zoo:colours" in search.finished
    assert search.candidates == len(NAMES)
    assert len(search.finished) < len(NAMES)
    assert len(search.finished) + len(search.screened) + len(search.untried) == len(NAMES)
    assert {cell.model for cell in comparison.cells if cell.method == "linear_probe"} >= set(search.finished)


def test_screened_models_have_a_value_on_part_of_train_and_no_row(study):
    comparison = study(tolerance="0.5pt").run()

    for one in comparison.search.screened:
        assert one.examples < comparison.tasks[0].task.train_count
        for value, interval in one.values.values():
            assert interval.low <= value <= interval.high
        assert one.model not in {cell.model for cell in comparison.cells}


def test_speed_is_measured_of_models_that_finish_alone(study, tmp_path):
    search = study(budget="4models").run().search

    models = open_existing(tmp_path / "store").models()
    assert {row.address for row in models if row.latency_seconds is not None} == set(search.finished)
    assert {one.model for one in search.screened} <= {row.address for row in models}
    assert search.screened


def test_the_same_command_runs_nothing_again_and_says_the_same(study, opened):
    first = study(total_budget="1h").run()
    opened.clear()

    again = study(total_budget="1h").run()

    assert opened == []
    assert again.cells == first.cells
    assert again.search.finished == first.search.finished
    assert [one.model for one in again.search.screened] == [one.model for one in first.search.screened]


@pytest.mark.parametrize("after", [1, 3, 6])
def test_a_killed_search_goes_on_with_the_same_decisions(study, tmp_path, opened, after):
    whole = study(total_budget="1h", store=tmp_path / "whole").run()
    steps_of_whole = list(opened)
    opened.clear()

    def stop(stage) -> None:
        if len(opened) > after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study(total_budget="1h").run(stop)
    left = compare_store(open_existing(tmp_path / "store")).search
    resumed = study(total_budget="1h").run()

    assert left.stop == "running"
    assert resumed.search.finished == whole.search.finished
    assert {one.model for one in resumed.search.screened} == {one.model for one in whole.search.screened}
    assert list(dict.fromkeys(opened)) == list(dict.fromkeys(steps_of_whole))


def test_a_store_remembers_how_the_last_search_went(study, tmp_path):
    search = study(max_models=3).run().search

    assert compare_store(open_existing(tmp_path / "store")).search == search
    study("colours", "noisy").run()
    assert compare_store(open_existing(tmp_path / "store")).search is None


def test_a_number_of_models_limits_those_that_are_tried(study, opened):
    search = study(budget="2models", tolerance=0).run().search

    assert len(search.finished) + len(search.screened) == 2
    assert len(search.untried) == len(NAMES) - 2
    assert tuple(one.model for one in search.promising) == search.untried
    assert [list(one.beliefs) for one in search.promising] == [list(search.tasks)] * len(search.untried)
    assert search.stop == "models"


def test_a_budget_too_small_for_one_model_says_what_it_takes(study):
    comparison = study(budget="0.000001s").run()

    assert comparison.search.finished == ()
    assert comparison.search.stop == "budget"
    assert comparison.search.needs > 0
    assert comparison.tasks == ()


def test_a_failing_model_is_a_reason_and_the_search_goes_on(study):
    search = study("broken", "nan", "colours", "noisy", tolerance=0).run().search

    assert set(search.failed) == {"zoo:broken", "zoo:nan"}
    assert "checkpoint='weights.safetensors'" in search.failed["zoo:broken"]
    assert "zoo:colours" in search.finished


def test_if_all_fail_there_is_no_answer_and_a_reason_each(study):
    comparison = study("broken", "nan", budget="1h").run()

    assert comparison.search.finished == ()
    assert set(comparison.search.failed) == {"zoo:broken", "zoo:nan"}
    assert not comparison.decisions


def test_a_task_without_a_value_has_no_expected_regret_and_the_search_is_exported(study, pictures, tmp_path):
    rng, pixels = np.random.default_rng(0), np.arange(192, dtype=np.uint8).reshape(64, 3)
    for number in range(100):  # of one mean colour: features are constant
        folder = tmp_path / "alike" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.permutation(pixels).reshape(8, 8, 3)).save(folder / f"{number}.png")
    tasks = [str(pictures), str(tmp_path / "alike")]

    comparison = study("colours", "noisy", tasks=tasks, methods=("ridge_cv", "logme"), budget="1models").run()

    assert comparison.search.finished == ("zoo:colours",)
    assert list(comparison.search.expected_regret) == [f"folder:{pictures}"]
    assert '"untried": [' in as_json(comparison)


def test_the_control_is_judged_and_does_not_count_as_a_candidate(study, monkeypatch):
    monkeypatch.setattr(
        "assay.run.search.run.random_controls",
        lambda models, modalities: resolve_models(["zoo:noisy(seed=9)"]),
    )

    comparison = study(tolerance="0.5pt").run()

    judged = {cell.model for cell in comparison.cells if cell.method == "linear_probe"}
    assert "zoo:noisy(seed=9)" in judged
    assert "zoo:noisy(seed=9)" not in {*comparison.search.finished, *comparison.search.untried}
    assert comparison.search.candidates == len(NAMES)


def test_several_processes_finish_the_same_models(study, tmp_path):
    alone = study(tolerance=0).run().search
    together = study(tolerance=0, store=tmp_path / "other", engine="isolated(workers=2)").run()

    assert together.tasks[0].standings[0].model == "zoo:colours"
    assert "zoo:colours" in alone.finished
    assert "zoo:colours" in together.search.finished


def test_tasks_of_two_kinds_are_refused(study, pictures, tmp_path):
    table = tmp_path / "texts.csv"
    table.write_text("text,label\n" + "".join(f"text {n},{'ab'[n % 2]}\n" for n in range(40)))

    with pytest.raises(UsageError, match="image and text"):
        study(budget="1h", tasks=[str(pictures), str(table)]).run()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("30m", Budget(1800.0)),
        ("1.5h", Budget(5400.0)),
        ("50models", Budget(None, 50)),
        ("90s", Budget(90.0)),
    ],
)
def test_budgets_are_times_or_numbers_of_models(written, expected):
    assert SearchRule.of(budget=written).budget == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"budget": "soon"},
        {"budget": "0m"},
        {"budget": "2.5models"},
        {"budget": 30},
        {"total_budget": "-1h"},
        {"tolerance": "little"},
        {"tolerance": -1},
        {"tolerance": True},
        {"tolerance": "0.5%"},
        {"tolerance": "1.2.3pt"},
        {"tolerance": "nan"},
        {"max_models": 0},
        {"max_models": "3"},
        {"max_download": "much"},
    ],
)
def test_what_cannot_be_spent_is_refused_with_an_example(wrong):
    (name,) = wrong
    with pytest.raises(UsageError, match=rf"^{name} is .* Write "):
        Study(models=["zoo:colours"], tasks=["./photos"], **wrong)


@pytest.mark.parametrize(
    ("written", "of_accuracy", "of_rmse"),
    [
        ("0.5pt", 0.005, 0.02),
        ("2 points", 0.02, 0.08),
        ("0.005", 0.005, 0.005),
        (0, 0.0, 0.0),
        (1e-3, 1e-3, 1e-3),
    ],
)
def test_a_point_is_a_hundredth_of_the_metric_and_a_number_is_in_its_unit(written, of_accuracy, of_rmse):
    tolerance = SearchRule.of(tolerance=written).tolerance

    assert tolerance.of(1.0, "accuracy") == pytest.approx(of_accuracy)
    assert tolerance.of(4.0, "rmse") == pytest.approx(of_rmse)


def test_a_tolerance_that_every_model_is_within_is_refused(study):
    with pytest.raises(
        UsageError, match=r"^tolerance is 5, but .* less than 1 in accuracy. Write .* is 0.005"
    ):
        study(tolerance=5).run()


def test_the_time_since_the_start_counts_and_some_is_left_for_the_answer():
    seconds = iter((40.0, 98.0))
    rule = SearchRule.of(budget="100s", total_budget="300s")

    spending = Spending(rule, np.zeros(1), start=10.0, clock=lambda: next(seconds))

    assert spending.left(spent=0.0) == pytest.approx(100 - 30 - 3)
    assert spending.left(spent=290.0) == pytest.approx(100 - 88 - 3)


def test_reading_the_tasks_counts_towards_the_budget(study):
    ready = study("colours", budget="1h").plan()

    late = study("colours", budget="1h").run(ready=replace(ready, seconds=3600.0)).search

    assert ready.seconds > 0
    assert (late.finished, late.stop) == ((), "budget")


def test_models_that_a_plain_run_finished_are_finished_at_no_cost(study, tmp_path, opened):
    study("colours", "noisy", methods=("linear_probe",)).run()
    plain = study("colours", "noisy").run()
    opened.clear()

    search = study(max_models=2, tolerance=0).run().search

    assert opened == []
    assert set(search.finished) == {"zoo:colours", "zoo:noisy"}
    assert len(search.untried) == len(NAMES) - 2
    assert compare_store(open_existing(tmp_path / "store")).cells == plain.cells


def test_what_a_plain_run_lacks_for_the_search_is_run_first(study, opened):
    study("noisy", "noisy(seed=1)", methods=("linear_probe",)).run()
    opened.clear()

    search = study(methods=("linear_probe",), budget="1h", tolerance="90pt").run().search

    assert opened == ["noisy", "noisy"]
    assert set(search.finished) == {"zoo:noisy", "zoo:noisy(seed=1)"}


def test_budgets_count_from_each_start_and_totals_count_all_runs(study):
    def tried(**changes):
        search = study(tolerance=0, **changes).run().search
        return len(search.finished) + len(search.screened)

    assert tried(budget="2models") == 2
    assert tried(budget="2models") == 4
    assert tried(max_models=5) == 5
    assert tried(total_budget="5models") == 5


def test_a_curated_zoo_beside_named_models_is_refused():
    with pytest.raises(UsageError, match="leave it out, or name no models"):
        Study(models=["zoo:colours"], tasks=["./photos"], download=True)


def test_limits_that_leave_nothing_say_which_one():
    with pytest.raises(UsageError, match=r"No model is left of 1: 1 have more than 1 parameters \(--max-par"):
        choice_of(["timm:resnet18.a1_in1k"], Limits.of(1), SearchRule())


def test_rows_of_a_search_are_those_of_a_study_of_its_models(study, tmp_path):
    searched = study(tolerance="0.5pt").run()
    names = [model.partition(":")[2] for model in searched.search.finished]

    plain = study(*names, store=tmp_path / "plain").run()

    values = {(cell.model, cell.method): cell.value for cell in searched.cells if cell.status is Status.OK}
    for cell in plain.cells:
        if (cell.model, cell.method) in values:
            assert cell.value == values[cell.model, cell.method]


def test_what_a_search_learns_from_alone_is_no_row(study, tmp_path):
    searched = study("colours", "noisy", methods=("linear_probe",), tolerance=0).run()

    stored = compare_store(open_existing(tmp_path / "store"))
    assert {cell.method for cell in (*searched.cells, *stored.cells)} == {"linear_probe"}
    assert stored.pending is None


@pytest.mark.parametrize("methods", [("own_head",), ("own_head", "sgd")])
def test_a_model_to_which_no_method_of_the_study_applies_did_not_finish(study, methods):
    comparison = study("colours", "noisy", methods=methods, tolerance=0).run()

    assert comparison.search.finished == ()
    assert set(comparison.search.failed) == {"zoo:colours", "zoo:noisy"}
    assert Status.OK not in {cell.status for cell in comparison.cells}


def test_the_screen_says_how_many_were_tried_and_compares_no_lone_model_with_nothing(study):
    comparison = study("colours", "noisy", "noisy(seed=1)", tolerance="90pt").run()

    lines = " ".join(line.strip() for line in screen_lines(comparison, StudyPlace("store")))

    assert len(comparison.search.finished) == 1
    assert "1 of 3 models finished; the best of the others is expected to be at most" in lines.replace(
        "  ", " "
    )
    assert "nothing to compare it with" not in lines
    assert "Searched 3 models in" in lines


def test_without_a_finished_model_the_reason_is_reported(study, pictures, tmp_path):
    table = tmp_path / "texts.csv"
    table.write_text("text,label\n" + "".join(f"text {n},{'ab'[n % 2]}\n" for n in range(40)))

    others = study(budget="1h", tasks=[str(table)]).run().search
    large = study(budget="1h", max_parameters=1, store=tmp_path / "large").run().search
    failed = study("broken", "colours", max_models=1, store=tmp_path / "failed").run().search

    assert f"none is left of those named: {len(NAMES)} do not read what" in searched_line(others)
    assert "are beyond a limit" in searched_line(large)
    assert "finished: broken failed: " in searched_line(failed)
    assert "no more may be tried (--max-models, --budget, --total-budget)" in searched_line(failed)


def test_how_far_a_search_is_is_shown_after_each_step(study):
    shown = []

    search = study("colours", "noisy", "blind", budget="1h", tolerance=0).run(show=shown.append).search

    assert [one.finished for one in shown] == sorted(one.finished for one in shown)
    assert shown[-1].finished <= len(search.finished)
    assert shown[-1].leader == "zoo:colours"
    assert shown[-1].candidates == 3
    assert shown[-1].most_seconds == 3600


def test_how_far_a_search_is_is_shown_with_a_total_budget(study):
    shown = []

    study("colours", total_budget="1h").run(show=shown.append)

    assert shown[-1].most_seconds == 3600


@pytest.mark.parametrize(
    ("metric", "unit"), [("r2", 1.0), ("spearman", 1.0), ("rmse", pytest.approx(0.5, abs=0.1))]
)
def test_half_a_point_is_of_the_metric_whatever_its_chance_level(tmp_path, metric, unit):
    table = tmp_path / "numbers.csv"
    table.write_text("text,score\n" + "".join(f"text {row},{row % 2}.0\n" for row in range(60)))

    (task,) = resolve_tasks([f"table:{table}(label='score', kind='regression', metric='{metric}')"], 0)

    assert unit_of(task) == unit
