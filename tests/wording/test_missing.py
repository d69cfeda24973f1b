"""Sentences about models without a result."""

from __future__ import annotations

from assay.core.result import Status
from assay.findings.per_task import Cell
from assay.wording.missing import failed_text


def failed(**reasons: str) -> str:
    cells = [
        Cell(model, "photos", "knn", is_score=False, status=Status.FAILED, reason=reason)
        for model, reason in reasons.items()
    ]
    return failed_text(cells, {model: model for model in reasons})


def test_the_models_of_one_reason_are_named_once() -> None:
    text = failed(a="Out of memory.\nTraceback", b="Out of memory.", c="Out of memory.", d="Out of memory.")

    assert text == "4 models failed: a, b, c and 1 more (Out of memory)"


def test_reasons_are_named_with_their_number_of_models_most_frequent_first() -> None:
    text = failed(a="Out of memory.", b="No weights.", c="No weights.", d="No weights.")

    assert text == "4 models failed: No weights (3: b and 2 more); Out of memory (a)"


def test_reasons_that_differ_only_in_what_they_quote_are_one() -> None:
    text = failed(a="No weights for 'a'.", b="No weights for 'b'.", c="Features are NaN.")

    assert text == "3 models failed: No weights for '...' (2: a and 1 more); Features are NaN (c)"


def test_further_reasons_are_counted() -> None:
    text = failed(a="One.", b="Two.", c="Three.", d="Four.", e="Five.")

    assert text == "5 models failed: One (a); Two (b); Three (c); 2 other reasons"
