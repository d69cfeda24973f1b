from assay.core.result import Status
from assay.findings.per_task import Cell
from assay.wording.methods import methods_notes


def cell(method: str, *, metric: str = "", is_score: bool = True, spread: float | None = None) -> Cell:
    return Cell("m", "t", method, is_score, Status.OK, 0.5, metric=metric, spread=spread)


def test_notes_say_of_printed_values_alone_what_they_are():
    probe = cell("linear_probe", is_score=False)
    expected, other = cell("ridge_cv", metric="accuracy"), cell("logme")

    assert methods_notes([probe], "accuracy") == ()
    assert methods_notes([cell("sgd", is_score=False, spread=0.1)], "accuracy") == (
        "Means over seeds or draws; ± is the 95 % CI of the mean.",
    )
    assert methods_notes([probe, expected, other], "accuracy") == (
        "ridge_cv estimates accuracy from train alone, on examples drawn like it: a test from other sources "
        "may be harder.",
        "Other scores rank models before any training, each on a scale of its own.",
    )
