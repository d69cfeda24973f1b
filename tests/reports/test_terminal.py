import io
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from assay.analysis.compare import compare
from assay.findings.comparison import Comparison
from assay.reports.terminal import Terminal
from assay.reports.terminal.details import show
from assay.testing.simulated_study import simulate_study


def _text(comparison: Comparison, width: int, *, show_all: bool = False) -> str:
    file = io.StringIO()
    show(comparison, Console(file=file, width=width, color_system=None), show_all=show_all)
    return file.getvalue()


@pytest.fixture(scope="module")
def many() -> Comparison:
    study = simulate_study(more_models=60)
    return compare(study, ranked_by=None, seed=0)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(comparison, width):
    assert max(cell_len(line) for line in _text(comparison, width).splitlines()) <= width


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_number_is_cut(comparison, width):
    assert not re.search(r"\d…(\s|$)", _text(comparison, width))


def test_without_a_terminal_there_are_no_control_characters(comparison, tmp_path):
    path = tmp_path / "report.txt"
    Terminal().render(comparison, path)

    assert "\x1b" not in path.read_text(encoding="utf-8")


def test_the_answer_stands_first(comparison):
    assert " ".join(_text(comparison, 200).split()).startswith(" ".join(comparison.answers[0].split()))


def test_the_recommended_and_those_that_may_be_best_are_marked(comparison):
    assert re.search(r"→1=\s+resnet50.a1_in1k\s+0\.973\s+0\.9\d\d to 0\.98\d", _text(comparison, 100))


def test_failed_models_tell_their_reason(comparison):
    assert "failed broken-<checkpoint>\n  Cannot load the weights" in _text(comparison, 120)


@pytest.mark.parametrize("width", [100, 200])
def test_a_long_address_is_called_by_what_tells_it_apart(comparison, width):
    lines = _text(comparison, width).splitlines()
    table = [line for line in lines if re.match(r"→?\d+=? ", line.lstrip())]

    assert any(" mobilenetv2_100 " in line for line in table)
    assert not any("street_signs" in line for line in table)


def test_many_models_show_the_best_and_the_recommended(many):
    text = _text(many, 120)

    assert re.search(r"4\d more models; show all with --details", text)
    assert f"→{_rank(many)}" in text


def _rank(comparison: Comparison) -> int:
    findings = comparison.tasks[1]
    return next(standing.rank for standing in findings.standings if standing.model == findings.recommended)


def test_all_models_are_shown_on_request(many):
    text = _text(many, 120, show_all=True)

    assert "more models" not in text
    assert " member_059 " in text


def test_numbers_of_a_column_end_at_the_same_place(comparison):
    lines = [line for line in _text(comparison, 120).splitlines() if re.search(r" to 0\.\d{3}  ", line)]
    ends = {cell_len(line[: re.search(r" to 0\.\d{3}", line).end()]) for line in lines[:7]}

    assert len(ends) == 1


def test_slices_tell_the_weakest_first_with_interval_and_number(comparison):
    text = _text(comparison, 120)
    lines = text[text.index("by season") :].splitlines()

    values = [float(re.search(r"  (\d\.\d{3})  ", line)[1]) for line in lines[2:5]]
    assert values == sorted(values)
    assert any(re.search(r"autumn +\d\.\d{3} +\d\.\d{3} to \d\.\d{3} +40 ", line) for line in lines[2:5])
    assert any(re.search(r"winter</i> +\d\.\d{3} +– +6 ", line) for line in lines[2:5])


def test_a_model_that_failed_alone_is_told_from_the_others(many):
    address = "torch:nets:build(arguments=('net_{}',), checkpoint='weights/{}/model.pth', size=160)"
    cells = [replace(cell, model=address.format(n, n)) for n, cell in enumerate(many.cells[:2])]
    findings = replace(many.tasks[0], missing=(replace(many.tasks[0].missing[0], model=cells[1].model),))
    text = _text(replace(many, cells=(*many.cells, *cells), tasks=(findings,)), 120)

    assert re.search(r"^(failed|skipped) net_1$", text, re.MULTILINE)


def test_every_model_that_may_be_best_over_tasks_is_marked_the_first_too(comparison):
    across = comparison.across[0]
    models = [replace(row, ranks=(1, 2) if rank < 2 else (3, 9)) for rank, row in enumerate(across.models)]
    marked = replace(comparison, across=(replace(across, models=tuple(models)),))
    alone = replace(models[1], ranks=(2, 2)), *models[2:]

    assert len(re.findall("^ *[12]= ", _text(marked, 200).partition("Across")[2], re.MULTILINE)) == 2
    single = replace(marked, across=(replace(across, models=(models[0], *alone)),))
    assert not re.findall("^ *[12]= ", _text(single, 200).partition("Across")[2], re.MULTILINE)


def test_sentences_call_models_and_tasks_by_their_short_names(comparison):
    findings = comparison.tasks[0]
    errors = findings.error_analysis
    correct_by_one = replace(errors.correct_by_one[0], right=("timm:resnet50.a1_in1k",))
    findings = replace(findings, error_analysis=replace(errors, correct_by_one=(correct_by_one,)))
    across = replace(comparison.across[0], remarks=("timm:resnet50.a1_in1k leads by the index.",))
    named = replace(comparison, tasks=(findings, *comparison.tasks[1:]), across=(across,))

    text = _text(named, 200, show_all=True)

    assert "; correct: resnet50.a1_in1k" in text
    assert "\nresnet50.a1_in1k leads by the index." in text


def test_an_unreliable_latency_is_marked(comparison):
    fast = "packaged:efficientnet_lite0"
    rows = [
        replace(row, latency_warning="its runs vary") if row.address == fast else row
        for row in comparison.models
    ]

    text = _text(replace(comparison, models=tuple(rows)), 120)

    assert re.search(r"efficientnet_lite0 .* 9\.40 ms\*", text)
    assert re.search(r"resnet50.* 24\.0 ms  ", text)  # the units stand in a column
    assert "* unreliable: 'assay measure' measures again" in " ".join(text.split())
    assert "unreliable" not in _text(comparison, 120)


def test_every_shown_model_is_in_the_table_of_protocols_and_what_is_left_out_is_told(comparison):
    measured = [cell for cell in comparison.cells if cell.method == comparison.ranked_by]
    more = [replace(cell, method=f"few_shot(k={k})") for cell in measured for k in (1, 2, 4, 8, 16)]
    curve = replace(comparison, cells=(*comparison.cells, *more))

    text = _text(curve, 80)
    table = text[text.index("accuracy by protocol") :].partition("\n\n")[0]

    assert table.splitlines()[0].split()[3] == comparison.ranked_by
    assert len(table.partition("\n± 95 %")[0].splitlines()) == len(comparison.tasks[0].standings) + 2
    assert "3 more protocols in a wider terminal, and in the page" in " ".join(table.split())
    assert "in a wider terminal" not in _text(curve, 300)


def test_the_only_task_of_a_modality_does_not_repeat_the_answer(comparison):
    first = comparison.tasks[0]
    other = next(task for task in comparison.tasks if task.task.modality != first.task.modality)
    alone = replace(comparison, tasks=(first, other))

    assert alone.has_only(first)
    assert "\nRecommended: " not in _text(alone, 200)
    assert not comparison.has_only(next(t for t in comparison.tasks if not comparison.has_only(t)))
