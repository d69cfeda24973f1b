import re
from dataclasses import replace
from html import escape, unescape

import pytest

from assay.analysis.compare import compare
from assay.core.errors import UnknownName
from assay.findings.notebook import notebook_html
from assay.testing.simulated_study import simulate_study
from assay.wording.names import model_addresses
from assay.wording.short_names import short_names

COMPARISON = compare(simulate_study(), ranked_by=None, seed=0)


def test_frames_hold_what_was_found():
    result = COMPARISON.frames()

    assert set(result) == {"cells", "standings", "slices", "models", "across", "agreement"}
    assert len(result["cells"]) == len(COMPARISON.cells)
    first = COMPARISON.tasks[0].standings[0]
    row = result["standings"].iloc[0]
    assert (row.model, row.value, row.interval_low) == (first.model, first.value, first.interval.low)
    assert result["models"].set_index("address").facts_parameters.min() > 0
    assert {"weighted_tau", "shortlists_1_regret"} <= set(result["agreement"].columns)


def test_frames_of_polars_hold_the_same():
    pytest.importorskip("polars")
    ours, same = COMPARISON.frames("polars"), COMPARISON.frames()

    assert {name: frame.columns for name, frame in ours.items()} == {
        name: list(frame.columns) for name, frame in same.items()
    }
    assert ours["cells"]["value"].to_list() == [cell.value for cell in COMPARISON.cells]
    assert ours["models"]["facts_parameters"].to_list() == same["models"].facts_parameters.to_list()


def test_another_library_of_frames_is_refused():
    with pytest.raises(UnknownName, match="Known: pandas, polars"):
        COMPARISON.frames("arrow")


def test_a_notebook_shows_the_answer_and_every_name_is_text():
    text = COMPARISON._repr_html_()

    assert text.startswith("<p><b>Recommended for images: ")
    assert text.count("<table>") == len(COMPARISON.tasks)
    assert "://" not in text  # it needs no network
    assert "<checkpoint>" not in text
    assert "<script" not in text
    shown = next(result for result in COMPARISON.tasks if result.shown_negated)
    assert f"{-shown.standings[0].value:.4g}" in text


def test_a_notebook_shows_what_the_table_of_the_page_shows():
    text = COMPARISON._repr_html_()

    findings = COMPARISON.tasks[0]
    second = next(row for row in findings.standings if row.rank > 1 and row.difference is not None)
    assert f"{second.value - findings.standings[0].value:+.3g} ({second.difference.low:.3g} to " in text
    first = COMPARISON.models[0]
    assert f"<td>{first.facts.parameters:,}</td><td>{first.facts.macs:,}</td>" in text
    assert f"<td>{1000 * first.latency_seconds:.3g}</td></tr>" in text
    assert text.count("<i>(recommended)</i>") == sum(row.recommended is not None for row in COMPARISON.tasks)


def test_a_notebook_shows_the_names_that_the_screen_shows():
    text = COMPARISON._repr_html_()

    rows = re.findall(r"<tr><td>[^<]*</td><td>(?:<b>)?([^<]*)", text)
    assert rows
    assert set(map(unescape, (row.strip() for row in rows))) <= set(
        short_names(model_addresses(COMPARISON)).values()
    )
    assert not set(map(unescape, rows)) & {row.address for row in COMPARISON.models}
    captions = re.findall(r"<caption>(.*?): ", text)
    assert captions == [escape(COMPARISON.names[findings.task.address]) for findings in COMPARISON.tasks]


def test_a_notebook_marks_controls():
    worst = COMPARISON.tasks[0].standings[-1].model
    models = {
        row.address: replace(row, facts=replace(row.facts, is_random=row.address == worst))
        for row in COMPARISON.models
    }

    text = notebook_html((), COMPARISON.tasks[:1], models)

    assert f"{escape(worst)} <i>(random weights, a control)</i>" in text
    assert text.count("a control") == 1


def test_what_python_prints_is_the_answer_not_every_number():
    lines = repr(COMPARISON).splitlines()

    assert "ranked by" in lines[0]
    assert lines[1:] == list(COMPARISON.answers)
    assert "timm:" not in lines[1]
