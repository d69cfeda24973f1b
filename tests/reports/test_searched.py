"""What reports besides the page say of a search."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import replace

import jsonschema
import pytest
from rich.console import Console
from tests.reports.searched import searched
from tests.reports.test_schema import PUBLISHED

from assay.findings.comparison import Comparison
from assay.findings.search import StopReason, UntriedModel
from assay.reports.csv import Csv
from assay.reports.json import as_json
from assay.reports.markdown import Markdown
from assay.reports.terminal.details import show
from assay.wording.names import model_addresses
from assay.wording.screen import watched_line
from assay.wording.search import missed_lines, missed_sentences
from assay.wording.short_names import short_names


@pytest.fixture(scope="module")
def found(comparison) -> Comparison:
    return searched(comparison)


def test_details_say_how_far_the_models_came_and_what_is_expected(found):
    console = Console(file=io.StringIO(), width=110, color_system=None)

    show(found, console, show_all=True)

    lines = [" ".join(line.split()) for line in console.file.getvalue().splitlines()]
    assert "ruled out 2 too far behind the best on 128 to 512 examples of train" in lines
    assert "not tried 32 the budget is not enough for another" in lines
    assert "timm:mobilenetv3_small_100.lamb_in1k ruled out 0.610 0.550 to 0.670 512" in lines
    assert "timm:vit_small_patch0_224.augreg_in21k_ft_in1k 0.940 0.030" in lines


def test_an_exported_table_has_a_row_for_each_model_that_was_left(found, tmp_path):
    Csv().render(found, tmp_path / "out.csv")

    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    left = [row for row in rows if row["status"] not in {"ok", "skipped", "failed"}]
    assert Counter(row["status"] for row in left) == {"not tried": 32, "ruled out": 2, "only tried": 1}
    assert {row["value"] for row in left} == {""}
    assert [row["reason"] for row in left if row["status"] == "only tried"] == ["on 128 examples of train"]
    reasons = {row["model"]: row["reason"] for row in rows if row["status"] == "failed"}
    assert reasons["timm:broken"] == "Out of memory at <batch 1>"


def test_a_model_with_a_result_of_another_run_has_no_second_row(comparison):
    ranked = comparison.tasks[0].standings
    found = searched(comparison, untried=(ranked[5].model,), screened=(), failed={}, promising=())

    rows = [row for row in found.rows() if row["model"] == ranked[5].model and row["is_ranking"]]

    assert [row["status"] for row in rows] == ["ok"]


def test_exported_names_of_models_not_tried_hold_no_path_of_the_machine(comparison, tmp_path):
    found = searched(comparison, untried=("onnx:/home/somebody/secret/net.onnx",), promising=())

    Csv().render(found, tmp_path / "out.csv")

    text = (tmp_path / "out.csv").read_text("utf-8")
    assert "not tried" in text
    assert "somebody" not in text


def test_json_holds_the_search_as_the_schema_says(found):
    report = json.loads(as_json(found))

    jsonschema.validate(report, json.loads(PUBLISHED.read_text("utf-8")))
    assert report["search"]["promising"][0]["beliefs"] == {found.search.tasks[0]: [0.94, 0.03]}
    assert len(report["search"]["untried"]) == 32


def test_markdown_and_a_notebook_say_how_many_models_were_tried(found, comparison, tmp_path):
    Markdown().render(found, tmp_path / "out.md")

    assert "Searched 41 models in 30 min: 4 finished" in (tmp_path / "out.md").read_text("utf-8")
    assert "<p>Searched 41 models: 4 finished, 2 ruled out, 1 only tried" in found._repr_html_()
    assert "Searched" not in comparison._repr_html_()


def test_a_running_search_says_how_far_it_is_and_which_model_leads(comparison, found):
    names = short_names(model_addresses(found))

    running = watched_line(searched(comparison, stop=StopReason.RUNNING), names)
    ended = watched_line(found, names)

    assert running.startswith("searching 41 models for 30 min: 4 finished, 2 ruled out on part of train")
    assert "; leader: resnet50.a1_in1k 0.9" in running
    assert "32 not tried; the budget is not enough for another; leader: resnet50" in ended


def test_a_task_that_was_not_searched_has_no_sentence_on_it(comparison, found):
    searched_task, other = comparison.tasks[:2]

    assert missed_sentences(found.search, searched_task)
    assert missed_sentences(found.search, other) == []


def test_what_holds_for_all_tasks_is_said_once(comparison, found):
    tasks = comparison.tasks[:2]
    search = replace(found.search, bound=None, past_tasks=8, tasks=tuple(one.task.address for one in tasks))

    lines = missed_lines(search, tasks)

    assert lines == [
        f"{tasks[0].task.address}: 4 of 41 models finished; the best of the others is expected to be at "
        "most 0.4 points better.",
        "No bound on what was missed: 8 past data sets; 9 are needed.",
    ]


def test_errors_are_shown_positive_and_beliefs_of_them_too(comparison, tmp_path):
    from assay.reports.html import Html

    errors = next(findings for findings in comparison.tasks if findings.shown_negated)
    task = errors.task.address
    search = replace(
        searched(comparison).search,
        tasks=(task,),
        expected_regret={task: 0.0},
        screened=(),
        curve=((1.0, (-0.9,)), (2.0, (-0.8,))),
        finished=tuple(row.model for row in errors.standings[:2]),
        promising=(UntriedModel("a:b", {task: (-0.7, 0.1)}), UntriedModel("a:c", {task: (-0.95, 0.1)})),
    )

    Html().render(replace(comparison, tasks=(errors,), search=search), tmp_path / "page.html")

    text = (tmp_path / "page.html").read_text("utf-8")
    assert "0.700 ± 0.100" in text
    assert "lower is better. A dot" in text
    assert "left is better. A belief" in text
