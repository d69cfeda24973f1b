import numpy as np
import pytest

from assay.analysis.ranks import average_ranks, borda, task_ranks, win_rates

HOLES = np.array([[0.9, 0.5, 0.7], [0.8, 0.6, np.nan], [0.7, np.nan, 0.7]])


def test_mean_ranks_are_those_of_demsar(demsar):
    assert average_ranks(demsar) == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)


def test_ranks_skip_holes():
    assert task_ranks(HOLES)[:, 1].tolist()[:2] == [2.0, 1.0]
    assert average_ranks(HOLES) == pytest.approx([(1 + 2 + 1.5) / 3, 1.5, (3 + 1.5) / 2])


def test_wins_count_only_where_models_meet():
    # the first meets both on task 0, the second on task 1, the third on task 2 (a tie)
    assert win_rates(HOLES) == pytest.approx([2.5 / 4, 2 / 3, 0.5 / 3])


def test_borda_gives_nothing_for_a_missing_task():
    assert borda(HOLES).tolist() == [2.5, 2.0, 0.5]


def test_without_holes_mean_rank_win_rate_and_borda_are_one_order():
    values = np.random.default_rng(0).normal(size=(9, 7))
    ranks, wins, points = average_ranks(values), win_rates(values), borda(values)

    assert wins == pytest.approx((9 - ranks) / 8)
    assert points == pytest.approx(7 * (9 - ranks))


def test_a_model_alone_has_no_win_rate():
    assert np.isnan(win_rates(np.array([[0.5, 0.6]]))).all()
