from assay.reports.html.axes import Axis, axis_around


def test_values_outside_stand_at_the_end():
    assert Axis(0, 1, 10, 20).place(7) == 20


def test_equal_values_have_an_axis():
    assert axis_around([0.5, 0.5], 0, 100).place(0.5) == 50
