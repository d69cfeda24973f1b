"""PED against published code, motion over all rows, and bases that it cannot have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import assay
from assay.actions.score import resolve_score
from assay.core.errors import NotApplicable, UnknownName, UsageError
from assay.core.task import LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.plugins.array_view import ArrayView
from assay.scores.ped import PED, Moved, class_balls, decline

TALL, WIDE = (200, 12, 4), (40, 96, 3)
MOTIONS = {
    0.6: [0.1787960335753233, 0.01918780627801159, 0.17730768877592679],
    2.0: [6.897936041753146, 7.149604218447337, 7.1422696314995],
}


def arrays(count: int, width: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Features that are not negative, as after ReLU; the last class is the largest by far."""
    rng = np.random.default_rng(count + width)
    labels = rng.permutation(np.minimum(np.arange(count) % (2 * classes), classes - 1))
    means = rng.standard_normal((classes, width))
    return np.maximum(rng.standard_normal((count, width)) + means[labels], 0.0), labels


def view_of(features: np.ndarray, labels: np.ndarray, limit: int | None = None) -> ArrayView:
    names = tuple("abcdefgh"[: labels.max() + 1])
    return ArrayView(Labels(LabelKind.CLASSIFICATION, labels, names), features, limit=limit)


def shifts_of(view: ArrayView, settings: PED) -> np.ndarray:
    balls = class_balls(view, settings.scaling, settings.eps)
    return np.asarray(decline(balls, settings) * balls.deviations)


def one_step(features: np.ndarray, labels: np.ndarray, settings: PED) -> np.ndarray:
    """The first motion, class by class, in features of unit variance."""
    deviations = features.std(axis=0)
    scaled = features / deviations
    classes = [scaled[labels == label] for label in range(labels.max() + 1)]
    motion = np.zeros((len(classes), features.shape[1]))
    for number, first in enumerate(classes):
        for second in classes:
            line = first.mean(axis=0) - second.mean(axis=0)
            distance = np.linalg.norm(line)
            reach = np.sqrt(first.var(axis=0).sum()) + np.sqrt(second.var(axis=0).sum())
            overlap = max(settings.nsigma * reach - distance, 0.0)
            if first is not second:
                motion[number] += line / distance * overlap * settings.time_step**2 / 2
    return motion * deviations


@pytest.mark.parametrize("nsigma", MOTIONS)
def test_classes_move_as_in_published_code(nsigma: float) -> None:
    """lixiaotong97/PED metrics.py at e5af6e7, PED_Score with general_X=X: how far rows of each class went."""
    moved = np.abs(shifts_of(view_of(*arrays(*WIDE)), PED(nsigma=nsigma))).sum(axis=1)

    np.testing.assert_allclose(moved, MOTIONS[nsigma], rtol=1e-9)


@pytest.mark.parametrize(("nsigma", "published"), [(0.6, 0.1297099653799288), (2.0, 0.24692487387120382)])
def test_it_equals_published_code_on_logme(nsigma: float, published: float) -> None:
    """The same file, PED_Score(X, y, general_X=X, type='LOGME')."""
    assert assay.score(*arrays(*TALL), PED("logme", nsigma)) == pytest.approx(published, rel=1e-9)


@pytest.mark.parametrize(("nsigma", "published"), [(0.6, 0.8676921816068749), (2.0, 0.9105958086119165)])
def test_it_equals_published_code_on_sfda(nsigma: float, published: float) -> None:
    """The same file, PED_Score(X, y, general_X=X, type='SFDA')."""
    assert assay.score(*arrays(*TALL), PED("sfda", nsigma)) == pytest.approx(published, rel=1e-9)


@pytest.mark.parametrize("shape", [TALL, WIDE, (50, 9, 6)])
def test_the_first_step_is_the_force_between_all_pairs(shape: tuple[int, int, int]) -> None:
    features, labels = arrays(*shape)
    features += 1e-3 * np.random.default_rng(0).standard_normal(features.shape)
    settings = PED(nsigma=2.0, max_steps=1)

    shifts = shifts_of(view_of(features, labels), settings)

    np.testing.assert_allclose(shifts, one_step(features, labels, settings), rtol=1e-9, atol=1e-12)


def test_no_scaling_is_scaling_where_features_have_unit_variance() -> None:
    features, labels = arrays(*TALL)
    scaled = features / features.std(axis=0)

    np.testing.assert_allclose(
        shifts_of(view_of(scaled, labels), PED(nsigma=2.0, scaling="none")),
        shifts_of(view_of(scaled, labels), PED(nsigma=2.0)),
        rtol=1e-9,
    )


@pytest.mark.parametrize("base", ["logme", "label_cka", "lfc", "lda_cv"])
@pytest.mark.parametrize("shape", [TALL, WIDE])
def test_moments_move_as_rows_do(base: str, shape: tuple[int, int, int]) -> None:
    features, labels = arrays(*shape)
    shifts = shifts_of(view_of(features, labels), PED(nsigma=2.0))
    few = view_of(features, labels, limit=shape[0] // 2)
    score, rows = resolve_score(base), view_of(features + shifts[labels], labels)

    value = Moved(few, shifts).moments()

    np.testing.assert_allclose(
        value.total.scatter.centred_gram(), rows.moments().total.scatter.centred_gram(), atol=1e-9
    )
    moved = replace(rows, gathered=(value, rows.folds))
    assert float(score.estimate(moved, Accuracy())) == pytest.approx(
        float(score.estimate(rows, Accuracy())), rel=1e-9
    )


def test_a_base_that_needs_fourth_moments_is_skipped_with_the_reason() -> None:
    view = view_of(*arrays(*TALL))

    assert np.isfinite(PED("h_score_regularised").estimate(view, None))
    with pytest.raises(NotApplicable, match="fourth moments"):
        PED("h_score_regularised").estimate(replace(view, limit=100), None)


def test_fourth_moments_of_a_moved_fold_are_not_known_either() -> None:
    moved = Moved(view_of(*arrays(*TALL), limit=100), np.ones((4, 12))).moments()

    with pytest.raises(NotApplicable, match="fourth moments"):
        moved.folds[0].scatter.fourth_moment_about_mean()


def test_radii_of_a_sample_are_noted() -> None:
    view = view_of(*arrays(*TALL))

    assert PED().estimate(view, None).notes == ()
    assert "100 of 200 examples" in PED().estimate(replace(view, limit=100), None).notes[0]
    assert PED(scaling="none").estimate(replace(view, limit=100), None).notes == ()


def test_a_sample_without_a_class_is_skipped_with_the_reason() -> None:
    with pytest.raises(NotApplicable, match="examples of 3 of 4 classes"):
        PED().estimate(view_of(*arrays(*TALL), limit=3), None)


def test_a_value_after_motion_predicts_no_metric() -> None:
    value = PED("lda_cv").estimate(view_of(*arrays(*TALL)), Accuracy())

    assert (value.metric, value.interval) == ("", None)


def test_classes_far_apart_stay_where_they_are() -> None:
    features, labels = arrays(*TALL)
    features += 100.0 * labels[:, None]

    assert not shifts_of(view_of(features, labels), PED()).any()


def test_classes_with_the_same_mean_do_not_push_each_other() -> None:
    features = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])

    assert not shifts_of(view_of(features, np.array([0, 0, 1, 1])), PED()).any()


def test_a_file_of_the_base_decides_as_in_the_base(tmp_path: Path) -> None:
    path = tmp_path / "labels.npz"
    base = f"emms(embeddings={str(path)!r})"
    np.savez(path, clip=np.eye(4))
    before = PED(base).content()
    np.savez(path, clip=np.eye(4)[:, ::-1])

    assert PED(base).content() != before


def test_the_base_may_have_settings() -> None:
    features, labels = arrays(*WIDE)
    moved = features + shifts_of(view_of(features, labels), PED())[labels]

    value = assay.score(features, labels, "ped(base='lin_mse(penalty=1.0)')")

    assert value == pytest.approx(assay.score(moved, labels, "lin_mse(penalty=1.0)"), rel=1e-9)


@pytest.mark.parametrize("base", ["ped", "ped(base='logme')", "leep", "parameters", "kite"])
def test_a_base_that_does_not_read_features_and_labels_stops(base: str) -> None:
    with pytest.raises(UsageError, match="ped"):
        PED(base)


@pytest.mark.parametrize("base", ["logmee", "logme(steps=3)"])
def test_a_base_that_is_unknown_stops(base: str) -> None:
    with pytest.raises(UnknownName):
        PED(base)


@pytest.mark.parametrize(
    "settings",
    [{"nsigma": 0.0}, {"max_steps": 0}, {"time_step": -1.0}, {"exit_ratio": 1.0}, {"scaling": "source"}],
    ids=str,
)
def test_settings_that_move_nothing_stop(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(settings))):
        PED(**settings)
