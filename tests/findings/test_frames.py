from assay.analysis.compare import compare
from assay.testing.simulated_study import simulate_study

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


def test_a_notebook_shows_the_answer_and_every_name_is_text():
    text = COMPARISON._repr_html_()

    assert text.startswith("<p><b>Recommended for images: ")
    assert text.count("<table>") == len(COMPARISON.tasks)
    assert "<checkpoint>" not in text
    assert "<script" not in text
    shown = next(result for result in COMPARISON.tasks if result.shown_negated)
    assert f"{-shown.standings[0].value:.4g}" in text


def test_what_python_prints_is_the_answer_not_every_number():
    lines = repr(COMPARISON).splitlines()

    assert "ranked by" in lines[0]
    assert lines[1:] == list(COMPARISON.headline)
