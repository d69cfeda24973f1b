from dataclasses import replace

from assay.reports.html.tables import Axis, leaderboard


def test_values_outside_stand_at_the_end():
    assert Axis(0, 1).pixel(7) == Axis(0, 1).pixel(1)


def test_equal_values_have_an_axis(comparison):
    first = comparison.tasks[0]
    equal = [replace(standing, value=0.5, interval=None) for standing in first.standings[:2]]

    board = leaderboard(replace(first, standings=tuple(equal)), {})

    assert [row.bar.value for row in board.rows] == [75, 75]
