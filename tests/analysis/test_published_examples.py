"""Figures that others published, or that their packages print, come out of the same numbers here."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from assay.analysis.across_tasks.bradley_terry import bradley_terry
from assay.analysis.across_tasks.generality import across
from assay.analysis.across_tasks.intervals import interquartile_mean
from assay.analysis.across_tasks.ranks import friedman, win_rates
from assay.analysis.across_tasks.significance import wilcoxon
from assay.analysis.pairwise import holm
from assay.analysis.per_task.intervals import RightCounts, intervals
from assay.findings.matrix import Matrix

# R 4, ?friedman.test: RoundingTimes of Hollander and Wolfe (1973), p. 140: 22 players x 3 ways to first base
ROUNDING = """
5.40 5.50 5.55  5.85 5.70 5.75  5.20 5.60 5.50  5.55 5.50 5.40  5.90 5.85 5.70  5.45 5.55 5.60  5.40 5.40 5.35
5.45 5.50 5.35  5.25 5.15 5.00  5.85 5.80 5.70  5.25 5.20 5.10  5.65 5.55 5.45  5.60 5.35 5.45  5.05 5.00 4.95
5.50 5.50 5.40  5.45 5.55 5.50  5.55 5.55 5.35  5.45 5.50 5.55  5.50 5.45 5.25  5.65 5.60 5.40  5.70 5.65 5.55
6.30 6.30 6.25
"""
# R 4, ?wilcox.test: depression of nine patients at two visits, Hollander and Wolfe (1973), p. 29
FIRST = (1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30)
SECOND = (0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29)
# Agresti (2002), "Categorical data analysis", table 10.10: games won by teams of the American League
TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
WON = (
    (0, 7, 9, 7, 7, 9, 11),
    (6, 0, 7, 5, 11, 9, 9),
    (4, 6, 0, 7, 7, 8, 12),
    (6, 8, 6, 0, 6, 7, 10),
    (6, 2, 6, 7, 0, 7, 12),
    (4, 4, 5, 6, 6, 0, 6),
    (2, 4, 1, 3, 1, 7, 0),
)
INDICES = np.array(
    [
        [0.625, 0.897, 0.776, 0.225, 0.3, 0.874, 0.005, 0.821],
        [0.797, 0.468, 0.303, 0.278, 0.255, 0.445, 0.505, 0.553],
        [0.996, 0.793, 0.622, 0.989, 0.215, 0.16, 0.613, 0.044],
    ]
)


def test_friedmans_test_prints_what_r_prints():
    """Friedman chi-squared = 11.143, df = 2, p-value = 0.003805; there less time is better."""
    times = np.array(ROUNDING.split(), dtype=float).reshape(22, 3).T

    assert friedman(-times).chi_square == pytest.approx(11.143, abs=0.0005)


def test_wilcoxons_test_prints_what_r_prints():
    """V = 40, p-value = 0.01953 for one side."""
    result = wilcoxon(np.array([FIRST]) - np.array([SECOND]))[0]

    assert result / 2 == pytest.approx(0.01953, abs=5e-6)


def test_strengths_are_those_of_agrestis_baseball():
    """Agresti (2002), section 10.6.1, the last team at 0. Forty seasons alike, so that no prior is felt."""
    games = [
        [1.0 if team == winner else 0.0 if team == loser else np.nan for team in range(len(TEAMS))]
        for winner, row in enumerate(WON)
        for loser, times in enumerate(row)
        for _ in range(times)
    ]

    strengths = bradley_terry(np.tile(np.array(games).T, (1, 40))).values

    result = dict(zip(TEAMS, strengths - strengths[-1], strict=True))
    published = {"Milwaukee": 1.58, "Detroit": 1.44, "Toronto": 1.29, "New York": 1.25, "Boston": 1.11}
    assert result == pytest.approx({**published, "Cleveland": 0.68, "Baltimore": 0.0}, abs=0.005)


def test_means_profiles_and_wins_are_those_of_rliable():
    """What rliable 1.2.0 gives: aggregate_iqm; create_performance_profile at 0, 0.25, ... 1, which no value
    equals; probability_of_improvement of the first over the second, each task a run.
    """
    tasks = tuple("tuvwxyz!")
    with_one = np.vstack([INDICES, np.ones(8)])  # the best of each task: an index is then the value itself
    result = across(Matrix((*"abc", "one"), tasks, with_one), dict.fromkeys(tasks, 0.0))
    profiles = {
        model.model: [model.profile[position] for position in (0, 5, 10, 15, 20)] for model in result.models
    }

    assert interquartile_mean(INDICES).tolist() == pytest.approx([0.6305, 0.43025, 0.56075])
    assert profiles["a"] == [1.0, 0.75, 0.625, 0.5, 0.0]
    assert profiles["b"] == [1.0, 1.0, 0.375, 0.125, 0.0]
    assert profiles["c"] == [1.0, 0.625, 0.625, 0.375, 0.0]
    assert win_rates(INDICES[:2])[0] == pytest.approx(0.625)


def test_p_values_are_corrected_as_by_statsmodels():
    raw = np.random.default_rng(0).uniform(0, 0.2, size=30) ** 2

    assert holm(raw) == pytest.approx(multipletests(raw, method="holm")[1])


@pytest.mark.parametrize(("right", "count"), [(1, 1), (7, 7), (400, 400), (393, 400), (0, 7), (3, 20)])
def test_the_interval_of_a_share_with_few_errors_is_that_of_statsmodels(right, count):
    draws = np.full((500, 1), right / count)

    [result] = intervals(draws, RightCounts(np.array([right]), count))

    assert (result.low, result.high) == pytest.approx(proportion_confint(right, count, method="beta"))
