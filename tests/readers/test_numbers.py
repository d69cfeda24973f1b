from __future__ import annotations

import numpy as np
import pytest

from assay.readers.numbers import read_numbers


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1e5", "-2", "+.5"], [1e5, -2, 0.5]),
        (["45%", "-3 %", "100%"], [45, -3, 100]),
        (["12,345", "1,234,567", "0.5"], [12345, 1234567, 0.5]),
        (["12,34,567", "1,000"], [1234567, 1000]),
        (["1.234,5", "1.234", "-7"], [1234.5, 1234, -7]),
        (["0,504", "12,345"], [0.504, 12.345]),
        (["1 234", "1\u00a0234,5", "7"], [1234, 1234.5, 7]),
        (["1'234.5", "1’000"], [1234.5, 1000]),
        (["$12", "$ 1,200.50", "-$3", "($4)", "5"], [12, 1200.5, -3, -4, 5]),
        (["12 €", "1.200,50 €"], [12, 1200.5]),
        (["(12)", "7"], [-12, 7]),
        (["\u22125", "5"], [-5, 5]),
    ],
)
def test_numbers_are_read_by_one_convention(cells: list[str], values: list[float]) -> None:
    numbers = read_numbers(cells)

    assert numbers.are_all
    np.testing.assert_allclose(numbers.values, values)


@pytest.mark.parametrize(
    "cells",
    [
        ["45%", "0.45"],
        ["$5", "5 €"],
        ["1.2.3", "1"],
        ["2024-01-05"],
        ["12:30"],
        ["555 1234"],
        ["1,23,4"],
        ["1,5", "1,234.5"],
        ["1_000"],
        ["(12", "3"],
        ["NA", ""],
    ],
)
def test_other_cells_are_words(cells: list[str]) -> None:
    assert not read_numbers(cells).are_all
