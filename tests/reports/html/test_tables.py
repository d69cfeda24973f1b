from dataclasses import replace

from assay.reports.html.leaderboard import Axis, leaderboard
from assay.reports.html.page import page


def test_values_outside_stand_at_the_end():
    assert Axis(0, 1).pixel(7) == Axis(0, 1).pixel(1)


def test_equal_values_have_an_axis(comparison):
    first = comparison.tasks[0]
    equal = [replace(standing, value=0.5, interval=None) for standing in first.standings[:2]]

    board = leaderboard(replace(first, standings=tuple(equal)), {})

    assert [row.bar.value for row in board.rows] == [75, 75]


def test_a_page_of_too_many_models_has_the_best_and_says_what_it_leaves_out(comparison, monkeypatch):
    first = comparison.tasks[0]
    last = replace(first, recommended=first.standings[-1].model)
    monkeypatch.setattr("assay.reports.html.leaderboard.MOST_ROWS", 0)
    monkeypatch.setattr("assay.reports.html.leaderboard.FEWEST_ROWS", 4)
    monkeypatch.setattr("assay.reports.html.heat_map.MOST_CELLS", 0)
    monkeypatch.setattr("assay.reports.html.heat_map.FEWEST_ROWS", 3)
    monkeypatch.setattr("assay.reports.html.tables.MOST_METHOD_CELLS", 0)
    monkeypatch.setattr("assay.reports.html.tables.FEWEST_MODELS", 2)

    board = leaderboard(last, {}, most=2)
    text = page(replace(comparison, tasks=(last, *comparison.tasks[1:])))

    models = len(first.standings)
    assert {*first.standings[:2], first.standings[-1]} <= {row.standing for row in board.rows}
    assert board.hidden == models - len(board.rows) > 0
    assert f" of {models} models, best first; the exports have all" in text
    assert f"The best 3 of {models} models by mean rank; the exports have all" in text
    assert " models; the exports have all.</span>" in text


def test_a_page_lists_a_part_of_very_many_reasons_and_says_so(comparison, monkeypatch):
    monkeypatch.setattr("assay.reports.html.page._MOST_MISSING", 1)
    monkeypatch.setattr("assay.reports.html.page._MOST_REASONS", 0)

    text = page(comparison)

    assert "; the first 1 of " in text
    assert " more reason" in text
