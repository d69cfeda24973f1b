"""A few examples of each class: which are drawn, how often, and what a study makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from assay.core.errors import NotApplicable, UnknownName, UsageError
from assay.core.task import LabelKind, Labels
from assay.protocols.few_shot import FewShot
from assay.protocols.knn import KNN
from assay.run.study import Study

CLASSES = tuple("abcd")


def classes(count: int = 200) -> Labels:
    values = np.random.default_rng(0).choice(3, count, p=[0.7, 0.2, 0.1])  # the last has no examples
    return Labels(LabelKind.CLASSIFICATION, values, CLASSES)


@pytest.mark.parametrize("seed", range(3))
def test_each_class_gives_k_examples_or_all_that_it_has(seed: int) -> None:
    labels = classes()

    kept = labels.of(FewShot(k=25).rows(labels, seed))

    assert np.bincount(kept.values).tolist() == [25, 25, min(25, int((labels.values == 2).sum()))]


def test_each_draw_has_other_examples_and_is_the_same_every_time() -> None:
    first, again, other = (FewShot(k=5).rows(classes(), seed) for seed in (0, 0, 1))

    np.testing.assert_array_equal(first, again)
    assert set(first) != set(other)


def test_of_several_classes_each_stands_in_k_examples_at_least() -> None:
    marks = np.random.default_rng(0).random((100, 4)) < [0.5, 0.3, 0.1, 0.0]
    labels = Labels(LabelKind.MULTILABEL, marks, CLASSES)

    rows = FewShot(k=4).rows(labels, 0)

    counts = labels.of(rows).values.sum(axis=0)
    assert (counts[:3] >= 4).all()
    assert len(rows) <= 12  # no example without a class that was wanting


def test_of_words_whole_texts_are_drawn() -> None:
    labels = Labels(LabelKind.CLASSIFICATION, np.arange(60) % 3, CLASSES, np.full(20, 3))

    assert len(FewShot(k=4).rows(labels, 0)) == 4  # each text has all classes
    assert len(FewShot(examples=7).rows(labels, 0)) == 7


def test_so_many_in_all_keep_their_proportions() -> None:
    labels = classes()

    kept = labels.of(FewShot(examples=100).rows(labels, 0))

    wanted = np.bincount(labels.values) / 2
    np.testing.assert_allclose(np.bincount(kept.values), wanted, atol=1.5)


def test_numbers_have_no_classes_but_a_number_of_examples() -> None:
    numbers = Labels(LabelKind.REGRESSION, np.arange(50.0))

    assert len(FewShot(examples=10).rows(numbers, 0)) == 10
    with pytest.raises(NotApplicable, match=r"few_shot\(examples=100\)"):
        FewShot(k=5).rows(numbers, 0)


@pytest.mark.parametrize("settings", [{"k": 0}, {"draws": 0}, {"examples": 0}, {"k": 1, "examples": 1}])
def test_settings_that_leave_nothing_to_learn_from_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="Write"):
        FewShot(**settings)  # type: ignore[arg-type]  # all are numbers


def test_the_protocol_that_learns_must_be_one() -> None:
    with pytest.raises(UnknownName, match="Did you mean: linear_probe"):
        FewShot(protocol="linear_prob")
    for nothing in ("few_shot(k=1)", "own_head"):
        with pytest.raises(UsageError, match="Write another protocol"):
            FewShot(protocol=nothing)


def test_the_settings_of_the_protocol_that_learns_are_part_of_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = FewShot(protocol="knn(k=1)").content()

    monkeypatch.setattr(KNN, "version", KNN.version + 1)

    assert len({before, FewShot(protocol="knn(k=1)").content(), FewShot(protocol="knn(k=3)").content()}) == 3


def test_a_study_repeats_the_draws_and_more_examples_are_better(photos, tmp_path) -> None:
    curve = tuple(f"few_shot(draws=4, k={k}, protocol='nearest_mean')" for k in (1, 15))
    study = Study(
        models=["zoo:colours", "zoo:noisy"], tasks=[str(photos)], methods=curve, store=tmp_path / "store"
    )

    comparison = study.run()

    values = {(cell.model, cell.method): cell for cell in comparison.cells}
    few, many = (values["zoo:colours", method] for method in curve)
    assert few.seeds == many.seeds == 4
    assert few.value is not None
    assert many.value is not None
    assert few.value <= many.value
    best = comparison.tasks[0].standings[0]
    assert best.model == "zoo:colours"
    assert best.interval is not None
    assert best.interval.low <= best.value <= best.interval.high
