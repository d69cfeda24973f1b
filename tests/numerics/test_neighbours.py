"""Nearest neighbours and votes."""

from __future__ import annotations

import numpy as np
import pytest

from assay.numerics import neighbours
from assay.numerics.neighbours import majority, nearest, nearest_on, nearest_others


def test_the_nearest_come_first_by_cosine() -> None:
    reference = np.array([[1.0, 0.0], [0.0, 5.0], [3.0, 3.0]])

    assert nearest(reference, np.array([[10.0, 1.0]]), k=3).tolist() == [[0, 2, 1]]


def test_of_equal_examples_the_first_wins() -> None:
    reference = np.tile(np.random.default_rng(0).standard_normal((1, 33)), (200, 1)).astype(np.float32)

    assert nearest(reference, reference[:3], k=4).tolist() == [[0, 1, 2, 3]] * 3


def test_a_torch_device_finds_the_same_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).standard_normal((60, 8)).astype(np.float32)
    reference, queries = np.concatenate([rows, rows, np.zeros((1, 8), np.float32)]), rows[:7] + 0.1
    monkeypatch.setattr(neighbours, "_CHUNK_CUDA", 300)  # two queries at a time

    found = nearest_on("cpu", reference, queries, k=9)

    np.testing.assert_array_equal(found, nearest(reference, queries, k=9))


def test_euclidean_neighbours_come_in_the_order_of_their_distance() -> None:
    matrix = np.random.default_rng(0).standard_normal((40, 3)) + 1e3
    matrix[7] *= 1e6  # an outlier must not swallow the distances of the others
    distances = np.linalg.norm(matrix[:, None] - matrix, axis=2)
    np.fill_diagonal(distances, np.inf)

    np.testing.assert_array_equal(nearest_others(matrix, 5, "euclidean"), distances.argsort(axis=1)[:, :5])


def test_of_equally_distant_examples_the_first_wins() -> None:
    same = np.tile(np.random.default_rng(0).standard_normal((1, 33)), (200, 1)).astype(np.float32)

    assert nearest_others(same, 3, "euclidean")[[0, 1, 199]].tolist() == [[1, 2, 3], [0, 2, 3], [0, 1, 2]]


def test_no_example_is_its_own_neighbour() -> None:
    near = nearest_others(np.ones((6, 2)), k=50)

    assert near.shape == (6, 5)
    assert not (near == np.arange(6)[:, None]).any()


@pytest.mark.parametrize("chunk", [1, 100, 1000])
def test_the_size_of_chunks_does_not_matter(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = np.random.default_rng(0).standard_normal((50, 8))
    whole, euclidean = nearest_others(matrix, k=7), nearest_others(matrix, 7, "euclidean")

    monkeypatch.setattr(neighbours, "_CHUNK", chunk)

    np.testing.assert_array_equal(nearest_others(matrix, k=7), whole)
    np.testing.assert_array_equal(nearest_others(matrix, 7, "euclidean"), euclidean)
    np.testing.assert_array_equal(nearest(matrix, matrix, k=8)[:, 1:], whole)


def test_a_row_of_zeros_is_similar_to_nothing() -> None:
    assert nearest(np.array([[0.0, 0.0], [-1.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 0.0]]), 3).tolist() == [
        [2, 0, 1]
    ]


def test_no_queries_have_no_neighbours() -> None:
    assert nearest(np.ones((4, 2)), np.ones((0, 2)), k=3).shape == (0, 3)


def test_a_tie_goes_to_the_nearest_of_the_tied() -> None:
    near = np.array([[2, 1, 1, 0, 0], [3, 0, 1, 1, 0], [2, 2, 0, 0, 1]])

    assert majority(near, classes=4).tolist() == [1, 0, 2]
