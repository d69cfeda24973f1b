import numpy as np
import pytest
from autorank import autorank
from pandas import DataFrame
from scipy import stats
from statsmodels.stats.anova import AnovaRM

from assay.analysis.across_tasks.ranks import (
    average_ranks,
    borda,
    cliques,
    critical_difference,
    friedman,
    task_ranks,
    win_rates,
)

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


def test_the_statistic_is_scipys_and_that_of_demsar_but_for_ties(demsar):
    result = friedman(demsar)
    ranks = average_ranks(demsar)
    without_ties = 12 * 14 / (4 * 5) * (np.square(ranks).sum() - 4 * 5**2 / 4)

    assert without_ties == pytest.approx(9.28, abs=0.005)  # Demsar (2006), section 3.2.3
    assert 13 * without_ties / (14 * 3 - without_ties) == pytest.approx(3.69, abs=0.005)  # the same place
    assert result.chi_square == pytest.approx(stats.friedmanchisquare(*demsar).statistic)
    assert result.chi_square > without_ties


def test_the_p_value_is_that_of_an_analysis_of_variance_of_the_ranks(demsar):
    ranks = task_ranks(demsar)
    rows = [(task, model, ranks[model, task]) for model in range(4) for task in range(14)]
    table = AnovaRM(DataFrame(rows, columns=["task", "model", "rank"]), "rank", "task", ["model"]).fit()
    result = friedman(demsar)

    assert result.statistic == pytest.approx(table.anova_table["F Value"].iloc[0])
    assert result.p_value == pytest.approx(table.anova_table["Pr > F"].iloc[0])


@pytest.mark.parametrize(
    ("models", "quantile"),
    list(enumerate((1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164), start=2)),
)
def test_the_quantiles_are_those_of_demsars_table_5(models, quantile):
    tasks = 30

    assert critical_difference(models, tasks) / np.sqrt(models * (models + 1) / (6 * tasks)) == pytest.approx(
        quantile, abs=1e-3
    )


@pytest.mark.filterwarnings("ignore")  # of its own plots and tests of normality
def test_ranks_and_difference_are_those_of_autorank():
    values = np.random.default_rng(0).normal(np.arange(6)[:, None] / 4, 1, size=(6, 20))
    result = autorank(DataFrame(values.T), force_mode="nonparametric", order="descending")

    assert friedman(values).critical_difference == pytest.approx(result.cd, rel=1e-4)
    assert friedman(values).chi_square == pytest.approx(stats.friedmanchisquare(*values).statistic)
    assert sorted(average_ranks(values)) == pytest.approx(sorted(result.rankdf["meanrank"]))


def test_groups_are_the_longest_runs_within_the_difference(demsar):
    ranks = sorted(average_ranks(demsar))

    assert cliques(ranks, critical_difference(4, 14)) == ((0, 3),)  # 3.143 - 1.964 < 1.25: figure 1 (a)
    assert cliques([1.0, 2.0, 3.0, 5.0, 5.5], 2.0) == ((0, 2), (2, 3), (3, 4))
    assert cliques([1.0, 4.0], 2.0) == ()


def test_models_that_are_always_equal_have_no_test():
    assert friedman(np.ones((4, 6))) is None
    assert friedman(np.ones((2, 6))) is None


def test_a_clear_order_on_every_task_has_a_p_value_of_zero():
    result = friedman(np.array([[3.0] * 5, [2.0] * 5, [1.0] * 5]))

    assert (result.statistic, result.p_value) == (np.inf, 0.0)


def test_equal_models_are_rarely_called_different():
    rng = np.random.default_rng(0)
    rejected = [friedman(rng.normal(size=(5, 12))).p_value < 0.05 for _ in range(150)]

    assert np.mean(rejected) < 0.09
