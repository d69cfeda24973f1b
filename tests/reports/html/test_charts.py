"""What charts show of findings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assay.analysis.across_tasks.generality import across
from assay.analysis.compare import compare
from assay.findings.comparison import Comparison
from assay.findings.matrix import Matrix
from assay.findings.similarity import Similarity, SimilarityMatrix
from assay.reports.html import Html
from assay.reports.html.names import Names
from assay.testing.simulated_study import simulate_study

pytest.importorskip("altair")

from assay.reports.html.charts import charts_of, cost_chart, profile_chart
from assay.reports.html.curves import curve_charts

RNG = np.random.default_rng(0)
MODELS = tuple(f"timm:net_{number:02}" for number in range(25))


def matrix(tasks: int) -> Matrix:
    skill = np.linspace(0.6, 0.9, len(MODELS))[:, None]
    names = tuple(f"task {number}" for number in range(tasks))
    return Matrix(MODELS, names, np.clip(skill + RNG.normal(0, 0.05, size=(len(MODELS), tasks)), 0, 1))


def test_profiles_are_those_of_the_findings_for_the_first_models():
    findings = across(matrix(12), {f"task {number}": 0.1 for number in range(12)})

    chart = profile_chart(findings, Names({}, {}), "profiles")

    best = findings.models[0]
    of_best = [row for row in chart.rows if row["model"] == best.model]
    assert [row["share"] for row in of_best] == list(best.profile)
    assert [row["index"] for row in of_best] == list(findings.thresholds)
    assert {row["model"] for row in chart.rows} == {model.model for model in findings.models[:20]}
    assert {row["model"] for row in chart.rows if row["highlighted"]} == {best.model}


def test_few_tasks_have_no_profiles():
    findings = across(matrix(4), {f"task {number}": 0.1 for number in range(4)})

    assert profile_chart(findings, Names({}, {}), "profiles") is None


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """Findings whose protocol ran on 1, 5 and 20 examples of each class too, 5 points better each time."""
    findings = compare(simulate_study(), ranked_by=None, seed=0)
    whole = [cell for cell in findings.cells if cell.method == "linear_probe" and cell.value is not None]
    parts = [
        replace(cell, method=f"few_shot(k={size}, protocol='knn')", value=cell.value - lost, spread=0.01)
        for size, lost in ((20, 0.05), (1, 0.15), (5, 0.10))
        for cell in whole
    ]
    return replace(findings, cells=(*findings.cells, *parts))


def test_a_protocol_on_more_and_more_examples_is_a_curve(comparison):
    names = Names.of(comparison)

    (chart,) = curve_charts(comparison, comparison.tasks[0], names, "curve")

    best = comparison.tasks[0].standings[0]
    of_best = [(row["size"], row["value"]) for row in chart.rows if row["model"] == names.label(best.model)]
    assert of_best == [
        (size, pytest.approx(best.value - lost)) for size, lost in ((1, 0.15), (5, 0.1), (20, 0.05))
    ]
    assert "few_shot(protocol='knn') by number of examples of each class" in chart.caption


def test_the_end_of_each_line_is_known(comparison):
    findings = comparison.tasks[0]

    names = Names.of(comparison)

    (chart,) = curve_charts(comparison, findings, names, "curve")

    assert [row["size"] for row in chart.rows if row["last"]] == [20] * len(findings.standings)
    highlighted = {row["model"] for row in chart.rows if row["highlighted"]}
    assert highlighted == {names.label(findings.recommended)}


def test_one_size_is_no_curve_and_neighbours_are_no_sizes(comparison):
    def kept(method: str) -> str:
        return {"linear_probe": "knn(k=3)", "few_shot(k=5, protocol='knn')": "knn(k=5)"}.get(method, method)

    cells = [
        replace(cell, method=kept(cell.method)) for cell in comparison.cells if "k=20" not in cell.method
    ]

    assert (
        curve_charts(replace(comparison, cells=tuple(cells)), comparison.tasks[0], Names.of(comparison), "")
        == []
    )


def test_models_that_never_err_have_no_chart_of_errors_and_the_page_is_written(comparison, tmp_path):
    unknown = SimilarityMatrix(MODELS[:3], ((None,) * 3,) * 3, groups=(), threshold=0.5)
    alike = SimilarityMatrix(MODELS[:3], ((1.0, None, 0.2),) * 3, groups=(), threshold=0.5)
    similarity = Similarity("text", tasks=unknown, fits={}, errors=unknown, features=alike, remarks=())
    findings = replace(comparison, similarities=(similarity,))

    charts = charts_of(findings, Names.of(findings), ())
    Html().render(findings, tmp_path / "report.html")

    assert {anchor for anchor in charts if anchor.startswith("alike")} == {"alike-features-text"}
    assert all(chart.rows for chart in charts.values())
    assert "alike-features-text" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_similarity_matrix_has_one_order_and_blanks_if_undefined(comparison):
    values = ((None, None, None), (None, 1.0, 0.0), (None, 0.0, 1.0))
    errors = SimilarityMatrix(MODELS[:3], values, groups=(), threshold=0.5)
    similarity = Similarity("text", tasks=None, fits={}, errors=errors, features=None, remarks=())
    findings = replace(comparison, similarities=(similarity,))

    chart = charts_of(findings, Names({}, {}), ())["alike-errors-text"]

    for axis in ("model", "task"):
        assert tuple(dict.fromkeys(row[axis] for row in chart.rows)) == MODELS[:3]
    assert [row["text"] for row in chart.rows] == ["–"] * 4 + ["1.00", "0.00", "–", "0.00", "1.00"]
    assert [row["level"] for row in chart.rows][3:6] == [None, 1.0, 0.0]
    assert chart.caption.endswith("Blank: not defined, a model without errors or without correct examples.")
    first, *_ = chart.spec["layer"]
    assert "transform" not in first  # all cells, which give the axes their order
    assert first["encoding"]["x"]["axis"].get("labels", True)


def test_an_empty_front_is_not_called_filled_and_small_charts_name_every_model(comparison):
    findings = comparison.tasks[0]
    costs = {name: dict.fromkeys(MODELS, 1.0) for name in ("latency", "macs")}
    few = replace(findings, costs=costs, standings=findings.standings[:3])

    captions = [
        cost_chart(replace(few, fronts=fronts), Names({}, {}), "").caption
        for fronts in ({"latency": MODELS[:1], "macs": MODELS[:1]}, {"macs": MODELS[:1]}, {})
    ]

    chart = cost_chart(replace(few, fronts={}), Names({}, {}), "")
    assert ["Filled" in caption for caption in captions] == [True, True, False]
    assert "against" not in captions[0].partition("cheaper.")[2]
    assert "No point is filled against latency: unreliable or unknown" in captions[1]
    assert "No point is filled against latency and MACs: unreliable or unknown" in captions[2]
    assert [row["named"] for row in chart.rows] == ["latency, ms; MACs, G"] * 3


def test_a_chart_of_costs_shows_an_unreliable_cost_last(comparison):
    costs = {name: dict.fromkeys(MODELS, 1.0) for name in ("latency", "macs")}
    few = replace(comparison.tasks[0], standings=comparison.tasks[0].standings[:3], costs=costs)

    chart = cost_chart(replace(few, fronts={"macs": MODELS[:1]}), Names({}, {}), "")

    assert chart.rows[0]["named"] == "MACs, G; latency, ms"


def test_names_in_a_table_break_after_a_separator_only():
    address = "timm:vit_base-16/x.y(seed=1)"
    names = Names({address: address.removeprefix("timm:")}, {address: 1})

    link = names.link(address)

    parts = ("vit_base-", "16/x.y", "(seed=", "1)")
    assert link == f'<a class="model" href="#m1">{"<wbr>".join(parts)}</a>'
