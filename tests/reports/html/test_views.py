from assay.findings.facts import ShownExample
from assay.reports.html.views import MOST_EXAMPLE_LETTERS, examples_that_fit


def _pictures(count: int, size: int) -> tuple[ShownExample, ...]:
    return tuple(ShownExample(str(row), "", picture="x" * size) for row in range(count))


def test_few_tasks_show_everything():
    shown = {"a": _pictures(12, 2_000), "b": _pictures(12, 2_000)}

    assert examples_that_fit(shown) == shown


def test_many_tasks_share_the_room_and_skip_evenly():
    kept = examples_that_fit({str(task): _pictures(12, 3_000) for task in range(20)})

    assert sum(len(example.picture) for of in kept.values() for example in of) < MOST_EXAMPLE_LETTERS
    assert [example.name for example in kept["0"]] == ["0", "3", "6", "9"]


def test_a_picture_that_is_too_large_is_left_out():
    assert examples_that_fit({"a": _pictures(1, MOST_EXAMPLE_LETTERS + 1)}) == {"a": ()}
