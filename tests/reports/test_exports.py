"""Tables for papers, spreadsheets and model cards, read by what they are made for."""

import csv
import re
from dataclasses import replace

import pytest
from huggingface_hub import ModelCard, parse_eval_result_entries

from assay.findings.deferred import Deferred
from assay.reports.csv import Csv
from assay.reports.eval_results import EvalResults
from assay.reports.json import Json
from assay.reports.latex import Latex
from assay.reports.markdown import Markdown
from assay.reports.model_index import ModelIndex
from assay.reports.parquet import Parquet


def written(report, comparison, tmp_path):
    path = tmp_path / f"out{report.suffix}"
    report.render(comparison, path)
    return path


def test_a_spreadsheet_gets_the_cells_and_runs_nothing(comparison, tmp_path):
    cells = (replace(comparison.cells[0], model="=HYPERLINK('evil')"), *comparison.cells[1:])
    path = written(Csv(), replace(comparison, cells=cells), tmp_path)

    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert len(rows) == len(comparison.cells)
    assert rows[0]["model"] == "'=HYPERLINK('evil')"
    values = [float(row["value"]) for row in rows[1:] if row["value"]]
    assert values == [cell.value for cell in cells[1:] if cell.value is not None]
    assert min(values) < 0  # a negative number is no formula


@pytest.mark.parametrize("report", [Csv(), Parquet(), Latex(), ModelIndex()])
def test_a_table_computes_no_similarity_and_no_agreement(report, comparison, tmp_path):
    def costly():
        raise AssertionError("computed for a table")

    findings = replace(comparison, similarities=Deferred(costly), agreement=Deferred(costly))

    written(report, findings, tmp_path)

    with pytest.raises(AssertionError, match="computed for a table"):
        written(Json(), findings, tmp_path)


def test_results_on_the_hub_are_entries_that_its_client_reads(comparison, tmp_path):
    yaml = pytest.importorskip("yaml")
    first, second, *_ = comparison.tasks
    address = f"hub:mteb/banking77(config='en', limit=900, revision='{'a' * 40}')"
    task = replace(first.task, address=address, test_count=180)
    tasks = (replace(first, task=task), replace(second, task=replace(second.task, address="hub:./mine")))

    text = written(EvalResults(), replace(comparison, tasks=tasks), tmp_path).read_text("utf-8")
    documents = list(yaml.safe_load_all(text))
    entries = [parse_eval_result_entries(document) for document in documents]

    assert len(documents) == len(first.standings) == text.count("\n# ") + 1
    assert {len(of_model) for of_model in entries} == {1}
    assert {of_model[0].value for of_model in entries} == {row.value for row in first.standings}
    assert {(one.dataset_id, one.task_id, one.dataset_revision) for (one,) in entries} == {
        ("mteb/banking77", "en", "a" * 40)
    }
    assert re.search(
        r"accuracy of linear_probe by Assay, 180 test examples, .*; with limit=900$", entries[0][0].notes
    )


def test_markdown_has_a_column_for_each_task_and_marks_the_best(comparison, tmp_path):
    text = written(Markdown(), comparison, tmp_path).read_text("utf-8")
    lines = [line for line in text.splitlines() if line.startswith("|")]

    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines if "accuracy" in line}) == 1
    best = comparison.tasks[0].standings[0]
    name = best.model.partition(":")[2].replace("_", r"\_")
    row = next(line for line in lines if line.startswith(f"| {name}"))
    assert f"**{best.value:.3f}**" in row
    assert " =<br>" in text


def test_markdown_lets_no_name_become_markup(comparison, tmp_path):
    text = written(Markdown(), comparison, tmp_path).read_text("utf-8")

    assert "broken-<" not in text
    assert "tf_efficientnet" not in text


@pytest.mark.parametrize("letter", "&%#_")
def test_latex_escapes_what_it_would_run(comparison, tmp_path, letter):
    text = written(Latex(), comparison, tmp_path).read_text("utf-8")
    body = re.sub(r"^%.*$", "", text, flags=re.MULTILINE)
    names = [line.split(" & ")[0] for line in body.splitlines() if line.endswith(r"\\") and " & " in line]

    assert not any(re.search(rf"(?<!\\){letter}", name) for name in names)


def test_latex_tables_are_whole(comparison, tmp_path):
    text = written(Latex(), comparison, tmp_path).read_text("utf-8")

    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") > text.count(r"\toprule") > 0
    assert text.count("{") == text.count("}")
    for table in text.split(r"\begin{table}")[1:]:
        rows = [line for line in table.splitlines() if line.endswith(r" \\")]
        assert len({len(re.findall(r"(?<!\\)&", row)) for row in rows}) == 1


def test_a_model_card_reads_the_index(comparison, tmp_path):
    text = written(ModelIndex(), comparison, tmp_path).read_text("utf-8")
    entry = text[text.index("- name: packaged:") : text.index("- name: sentence:")]

    card = ModelCard(f"---\nmodel-index:\n{entry}---\nA card.\n")

    results = {result.dataset_name: result for result in card.data.eval_results}
    first = comparison.tasks[0]
    standing = next(row for row in first.standings if row.model == "packaged:efficientnet_lite0")
    assert results[first.task.address].metric_value == pytest.approx(standing.value)
    assert results[first.task.address].metric_name == "accuracy by linear_probe"


def test_readers_of_a_card_see_errors_positive(comparison, tmp_path):
    text = written(ModelIndex(), comparison, tmp_path).read_text("utf-8")
    values = [float(number) for number in re.findall(r"type: rmse\n +value: (\S+)", text)]

    assert values
    assert min(values) > 0


def test_a_spreadsheet_has_the_slices_of_a_task_as_columns(comparison, tmp_path):
    with written(Csv(), comparison, tmp_path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    findings = next(every for every in comparison.tasks if every.slices)
    first = findings.slices[0]
    row = next(
        row
        for row in rows
        if (row["model"], row["task"]) == (first.values[0].model, findings.task.address)
        and row["is_ranking"] == "True"
    )
    name = f"slice_{first.column}={first.name}"
    assert float(row[name]) == first.values[0].value
    assert float(row[f"{name}_low"]) == first.values[0].interval.low
    assert int(row[f"{name}_examples"]) == first.examples
    assert {row[name] for row in rows if row["task"] != findings.task.address} == {""}


def test_a_frame_has_each_model_on_each_slice(comparison):
    frame = comparison.frames()["slices"]

    expected = sum(len(part.values) for findings in comparison.tasks for part in findings.slices)
    assert len(frame) == expected > 0
    assert frame["value"].notna().all()
    assert frame["interval_low"].isna().sum() == expected / 3  # the slice of six examples
