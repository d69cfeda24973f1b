import pytest

from assay.analysis.axes import Axis, axis_around


def test_ticks_are_round_and_inside():
    assert Axis(0.71, 0.98, 0, 100).ticks() == pytest.approx([0.75, 0.8, 0.85, 0.9, 0.95])


def test_logarithmic_ticks_span_decades():
    assert Axis(0.002, 0.5, 0, 100, is_logarithmic=True).ticks() == pytest.approx(
        [0.003, 0.01, 0.03, 0.1, 0.3]
    )


def test_many_decades_have_few_ticks():
    assert len(Axis(1e-6, 1e6, 0, 100, is_logarithmic=True).ticks()) <= 5


def test_values_outside_stand_at_the_end():
    assert Axis(0, 1, 10, 20).place(7) == 20


def test_equal_values_have_an_axis():
    assert axis_around([0.5, 0.5], 0, 100).place(0.5) == 50
