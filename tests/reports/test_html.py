import dataclasses
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.reports.large import large
from tests.reports.searched import searched

from assay.analysis.compare import compare
from assay.analysis.evidence import Evidence
from assay.core.result import Status
from assay.findings.comparison import Comparison, Pending
from assay.findings.facts import ShownExample
from assay.reports.html import Html
from assay.reports.html.tables import missing_values
from assay.testing.simulated_study import SCORES, simulate_study
from assay.wording.search import contaminated_sentences

BEST = "timm:vit_small_patch14_reg4_dinov2.lvd142m"
EVIL = "<script>alert(1)</script>"
_VOID = {"meta", "br", "wbr"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts = 0
        self.addresses: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script"
        self.addresses += [value for name, value in attrs if name in {"href", "src"}]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def _render(comparison: Comparison, folder: Path) -> str:
    path = folder / "report.html"
    Html().render(comparison, path)
    return path.read_text(encoding="utf-8")


def _read(text: str) -> _Reader:
    reader = _Reader()
    reader.feed(text)
    return reader


def _compare(study: Evidence) -> Comparison:
    return compare(study, ranked_by=None, seed=0)


def _renamed(study: Evidence, old: str, new: str) -> Evidence:
    jobs = [
        dataclasses.replace(result.job, model=result.job.model.replace(old, new)) for result in study.results
    ]
    results = tuple(
        dataclasses.replace(result, job=job) for result, job in zip(study.results, jobs, strict=True)
    )
    models = tuple(dataclasses.replace(row, address=row.address.replace(old, new)) for row in study.models)
    return dataclasses.replace(study, results=results, models=models)


def test_every_element_is_closed(comparison, tmp_path):
    assert _read(_render(comparison, tmp_path)).open == []


def test_the_header_says_what_is_pending(comparison, tmp_path):
    found = dataclasses.replace(comparison, pending=Pending(12, {"timm:slow": ("photos",)}))

    header = _render(found, tmp_path).partition("</header>")[0]

    assert "11 of 12 models finished; pending: slow. Run the study again to finish it." in header
    assert "finished; pending" not in _render(comparison, tmp_path)


def test_nothing_is_loaded_from_elsewhere(comparison, tmp_path):
    text = re.sub(r'id="vega">[^<]*<', "<", _render(comparison, tmp_path))  # packed programs
    reader = _read(text)

    assert all(address.startswith(("#", "data:image/webp;base64,")) for address in reader.addresses)
    assert {address[1:] for address in reader.addresses if address[0] == "#"} <= set(reader.ids)
    assert "url(" not in text
    assert "http" not in text.replace("http-equiv", "")


def test_names_of_models_are_escaped_everywhere(study, tmp_path):
    text = _render(_compare(_renamed(study, "packaged:efficientnet_lite0", EVIL)), tmp_path)

    assert EVIL not in text
    assert "&lt;script&gt;" in text
    assert _read(text).scripts == 4  # those of the page: tables, charts, their numbers, and Vega


def test_names_of_classes_and_reasons_are_escaped(comparison, tmp_path):
    text = _render(comparison, tmp_path)

    assert "<b>bold</b>" not in text
    assert "head.<weight>" not in text


def test_every_finding_is_there(comparison, tmp_path):
    text = _render(comparison, tmp_path)

    assert "1,200" in text  # train examples
    assert "has no value" not in text
    assert "12 test examples are also in train" in text
    assert "lower is better" in text
    assert "Out of memory at batch 1" in text
    assert text.count("<figure") == 8
    assert "h_score needs classes" in text


def test_every_interval_of_the_ranking_is_shown(comparison, tmp_path):
    text = _render(comparison, tmp_path)
    standings = [standing for findings in comparison.tasks for standing in findings.standings]
    across = [model for findings in comparison.across for model in findings.models]

    assert len(re.findall(r"\d\.\d{3} to \d\.\d{3}</td>", text)) == len(standings) + len(across)


def test_holes_of_the_heat_map_tell_why(study, tmp_path):
    kept = [
        result for result in study.results if (result.job.model, result.job.fingerprint) != (BEST, "task-1")
    ]

    text = _render(_compare(dataclasses.replace(study, results=tuple(kept))), tmp_path)

    assert re.search(r'title="not run: linear_probe has not run[^"]*">not run</td>', text)


@pytest.mark.parametrize("keep", ["scores", "one model", "nothing"])
def test_poor_studies_have_a_page(study, tmp_path, keep):
    rules = {
        "scores": lambda result: result.job.method in SCORES,
        "one model": lambda result: result.job.model == "timm:resnet50.a1_in1k",
        "nothing": lambda result: result.reason != "",
    }
    poor = dataclasses.replace(
        study, results=tuple(result for result in study.results if rules[keep](result))
    )

    assert _read(_render(_compare(poor), tmp_path)).open == []


def test_a_page_has_score_agreement_error_analysis_and_model_similarity(comparison, tmp_path):
    text = _render(comparison, tmp_path)
    error_analysis = comparison.tasks[0].error_analysis

    assert f"400 examples; every model correct: {error_analysis.right_in_all}" in text
    assert "most frequent wrong answer" in text  # of the examples that all models miss
    assert "Predictions of <a" in text  # by true class
    assert "err on the same examples" in text


def test_a_page_tells_what_scores_predicted_where_there_are_enough_models(comparison, tmp_path):
    many = compare(simulate_study(more_models=13), ranked_by=None, seed=0)
    text = _render(many, tmp_path)

    assert "How well the scores predicted linear_probe on image tasks" in text
    assert "How well the scores predicted" not in _render(comparison, tmp_path)


def test_hardest_examples_are_pictures_or_texts_and_names_where_none_is_stored(comparison, tmp_path):
    findings = comparison.tasks[0]
    first = findings.error_analysis.hardest[0]
    kept = {findings.task.address: {first.row: ShownExample(EVIL, "a", text=EVIL)}}

    text = _render(dataclasses.replace(comparison, hardest=kept), tmp_path)

    assert (
        f"on {findings.error_analysis.missed_by_all} of 400 test examples (all shown): true class → " in text
    )
    assert EVIL not in text
    assert f"<q>{EVIL.replace('<', '&lt;').replace('>', '&gt;')}</q>" in text
    assert 'class="examples hardest"' not in _render(comparison, tmp_path)


def test_a_cost_has_its_own_front(comparison, tmp_path):
    text = _render(comparison, tmp_path)
    charts = json.loads(re.search(r'id="charts">(.*?)</script>', text)[1])["charts"]
    chart = charts["task-1-cost"]
    names = [dict(zip(chart["columns"], row, strict=True)) for row in chart["rows"]]

    for cost, title in (("latency", "latency, ms"), ("parameters", "parameters, M")):
        on_front = {row["model"] for row in names if title in row["fronts"].split("; ")}
        assert len(on_front) == len(comparison.tasks[0].fronts[cost]) > 1


def test_without_the_packages_of_charts_the_page_says_what_to_install(comparison, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)

    text = _render(comparison, tmp_path)

    assert "pip install 'model-assay[html]'" in text
    assert "<figure" not in text
    assert _read(text).scripts == 1
    assert len(text) < 200_000


def test_tasks_on_which_no_model_beats_guessing_have_a_page(comparison, tmp_path):
    nothing = {"recommended": None, "decision": None, "is_above_chance": False}
    hopeless = tuple(dataclasses.replace(findings, **nothing) for findings in comparison.tasks)

    text = _render(dataclasses.replace(comparison, tasks=hopeless, decisions={}), tmp_path)

    assert _read(text).open == []
    assert "recommended</span>" not in text


def test_many_models_have_a_page(tmp_path):
    text = _render(_compare(simulate_study(more_models=60)), tmp_path)

    assert "timm:member_059" in text.replace("<wbr>", "")
    assert len(text) < 2_000_000


def test_an_answer_with_many_models_that_may_be_best_fits_on_a_screen(tmp_path):
    Html().render(large(50, 1), tmp_path / "report.html")
    answer = (tmp_path / "report.html").read_text(encoding="utf-8").partition("<nav")[0]

    assert answer.count('<span class="word">may be best') == 7
    assert '<span class="tag">smallest' in answer
    assert re.search(r"and \d\d others that may be the best", answer)


def test_slices_stand_on_the_page_of_their_task_as_text(comparison, tmp_path):
    path = tmp_path / "report.html"
    Html().render(comparison, path)
    text = path.read_text(encoding="utf-8")

    assert "accuracy by season" in text
    assert "&lt;i&gt;winter&lt;/i&gt; <small>6</small>" in text


def test_an_unreliable_latency_is_marked_with_the_reason_wherever_it_is_shown(comparison, tmp_path):
    rows = tuple(dataclasses.replace(row, latency_warning=EVIL) for row in comparison.models)

    marked = _render(dataclasses.replace(comparison, models=rows), tmp_path)

    assert EVIL not in marked
    assert "61.0 ms (unreliable)" in marked
    assert marked.count('class="tag" title="&lt;script&gt;') > len(rows)
    assert "unreliable" not in _render(comparison, tmp_path)


@pytest.fixture(scope="module")
def found_by_search(comparison) -> Comparison:
    return searched(comparison)


def test_a_search_has_a_section_that_says_how_far_the_models_came(found_by_search, tmp_path):
    text = _render(found_by_search, tmp_path)
    section = text.partition('<section id="search">')[2].partition("</section>")[0]
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", section))

    assert "finished 4 through the whole study" in words
    assert "ruled out 2 too far behind the best on 128 to 512 examples of train" in words
    assert "only tried 1 on 128 examples of train; the budget is not enough for another" in words
    assert "failed 2 Out of memory at &lt;batch 1&gt;" in words
    assert "left out 1,311 have more than 30,000,000 parameters" in words
    assert "not tried 32 the budget is not enough for another" in words
    assert "32 models not tried" in words
    assert "0.610 (0.550 to 0.670)" in words
    assert "0.940 ± 0.030" in words
    assert "may have been trained on these data: its name contains &#39;satellite&#39;" in words
    assert _read(text).open == []
    assert "Searched 41 models in 30 min: 4 finished" in text.partition("</header>")[0]


def test_the_charts_of_a_search_are_its_progress_and_its_belief(found_by_search, tmp_path):
    text = _render(found_by_search, tmp_path)
    charts = json.loads(re.search(r'id="charts">(.*?)</script>', text)[1])["charts"]

    progress, belief = charts["search-progress-1"], charts["search-belief-1"]
    better = [dict(zip(progress["columns"], row, strict=True))["better"] for row in progress["rows"]]
    assert better == [True, True, False, True, False]  # the last: until the end of the search
    assert progress["rows"][-1][1:3] == [1800.0, 0.93]
    filled = [dict(zip(belief["columns"], row, strict=True))["filled"] for row in belief["rows"]]
    assert filled == [True] + [False] * 14


def test_a_page_without_a_search_has_no_section_of_it(comparison, found_by_search, tmp_path):
    nothing = searched(comparison, screened=(), untried=(), promising=(), contaminated=(), failed={})

    assert 'id="search"' not in _render(comparison, tmp_path)
    text = _render(nothing, tmp_path)
    section = text.partition('<section id="search">')[2].partition("</section>")[0]
    assert "<details>" not in section
    assert "tried on a part of train" not in section
    assert "search-belief" not in text


def test_a_model_trained_on_the_data_is_told_from_the_best_of_the_others(comparison):
    findings = comparison.tasks[0]
    best, second = (row.model for row in findings.standings[:2])

    first = contaminated_sentences(comparison, searched(comparison, contaminated=(best,)).search)
    other = contaminated_sentences(comparison, searched(comparison, contaminated=(second,)).search)

    assert f"of all: {best} with" in first[-1]
    assert f"of the others: {second} with" in first[-1]
    assert "with or without them" in other[-1]
    assert best in other[-1]


def test_a_reason_that_all_methods_of_a_model_share_is_one_row(comparison, tmp_path):
    model, task = BEST, comparison.tasks[0].task.address
    lost = [
        dataclasses.replace(cell, value=None, reason="no weights", status=Status.FAILED)
        for cell in comparison.cells
        if cell.is_score and (cell.model, cell.task) == (model, task)
    ]

    rows = missing_values(dataclasses.replace(comparison, cells=tuple(lost)))

    assert len(lost) == len(SCORES)
    assert [row.methods for row in rows if row.reason == "no weights"] == [SCORES]


def test_a_job_that_a_study_has_left_is_not_called_skipped(study, tmp_path):
    left = dataclasses.replace(study, results=tuple(study.results[::7]))

    text = _render(_compare(left), tmp_path)

    assert '">not run</td>' in text
    assert '<span class="tag not run">not run</span>' in text


def test_classes_of_other_directions_stay_on_their_side_of_the_arrow(comparison, tmp_path):
    text = _render(comparison, tmp_path)

    assert "<bdi>dog</bdi> → <bdi>" in text
    assert "a, code, q, dd, h1, h2, .examples span { unicode-bidi: isolate; }" in text
