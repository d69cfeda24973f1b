from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.core.errors import UsageError
from assay.metrics.f1 import F1
from assay.tasks.table import Table


@pytest.fixture
def frauds(tmp_path: Path) -> Path:
    rows = [f"payment number {row},{'legit' if row % 4 else 'fraud'}" for row in range(40)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *rows]))
    return tmp_path / "a.csv"


def test_the_second_class_by_name_is_positive_and_named(frauds: Path) -> None:
    task = Table(str(frauds), metric="f1").load("table:a.csv", seed=0)

    assert task.classes == ("fraud", "legit")
    assert task.notes[0] == "f1 judges the class 'legit', the second by name. Write positive='fraud' if not."
    assert F1.measure("f1", task.classes) == "f1 of 'legit'"


def test_the_users_positive_class_is_judged(frauds: Path) -> None:
    task = Table(str(frauds), metric="f1", positive="fraud").load("table:a.csv", seed=0)
    truth = task.test.labels
    all_fraud = np.full(len(truth), task.classes.index("fraud"))

    share = np.mean([task.classes[value] == "fraud" for value in truth.values])
    assert F1()(truth, all_fraud) == pytest.approx(2 * share / (1 + share))
    assert F1.measure("f1", task.classes) == "f1 of 'fraud'"


def test_naming_the_default_changes_no_key(frauds: Path) -> None:
    default, named, other = (
        Table(str(frauds), positive=positive).load("table:a.csv", seed=0)
        for positive in ("", "legit", "fraud")
    )

    assert default.fingerprint == named.fingerprint != other.fingerprint


def test_a_class_that_is_none_lists_the_classes(frauds: Path) -> None:
    with pytest.raises(UsageError, match="No class called 'frauds'. Did you mean: fraud"):
        Table(str(frauds), positive="frauds").load("table:a.csv", seed=0)


def test_more_classes_have_no_positive_one(tmp_path: Path) -> None:
    rows = [f"text {row},{'abc'[row % 3]}" for row in range(30)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *rows]))

    with pytest.raises(UsageError, match="names one class of two; the labels are 3 classes. Leave it out."):
        Table(str(tmp_path / "a.csv"), positive="a").load("table:a.csv", seed=0)
