from itertools import permutations

import numpy as np
import pytest

from assay.analysis.shortlists import shortlists


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kinds", [1, 2, 3])
def test_ties_are_averaged_over_every_way_to_break_them(seed, kinds):
    rng = np.random.default_rng(seed)
    scores, truth = rng.integers(kinds, size=6).astype(float), np.round(rng.uniform(size=6), 1)

    orders = [order for order in permutations(range(6)) if (np.diff(scores[list(order)]) <= 0).all()]

    for found in shortlists(scores, truth, (1, 2, 3, 5)):
        bests = [truth[list(order[: found.size])].max() for order in orders]
        assert found.regret == pytest.approx(truth.max() - np.mean(bests))
        assert found.hit == pytest.approx(np.mean([best == truth.max() for best in bests]))


def test_a_random_choice_loses_the_mean():
    truth = np.array([0.9, 0.5, 0.4])

    (found,) = shortlists(np.zeros(3), truth, (1,))

    assert found.regret == pytest.approx(0.3)
    assert found.normalised == pytest.approx(0.3 / 0.4)  # best less median
    assert found.hit == pytest.approx(1 / 3)


def test_a_list_as_long_as_the_zoo_is_left_out():
    assert [one.size for one in shortlists(np.arange(3.0), np.arange(3.0))] == [1]
    assert [one.size for one in shortlists(np.arange(6.0), np.arange(6.0))] == [1, 3, 5]


def test_where_all_are_best_nothing_is_normalised():
    (found,) = shortlists(np.arange(2.0), np.ones(2), (1,))

    assert (found.regret, found.normalised, found.hit) == (0.0, None, 1.0)
