"""LEEP and NCE against naive loops and values worked out by hand."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import NotApplicable
from assay.core.features import LabelledSourceProbs
from assay.core.task import LabelKind, Labels
from assay.scores.leep import LEEP
from assay.scores.nce import NCE

NAMES = ("a", "b", "c", "d")

# thuml/LogME LEEP.py and NCE.py at 56551ca (thuml/Transfer-Learning-Library at c4aa59e gives the same), and
# TencentARC/SFDA metrics.py at 3b7edf7, LEEP, with 12 source classes, on published(seed, examples, classes)
PUBLISHED = [
    ((0, 90, 10, 4), -1.0685902215700067, 0.37700062277875745, -0.9479505216686418),
    ((1, 40, 60, 3), -0.5538755418962902, 0.6032159932835484, -0.35937445898489395),
]


def published(seed: int, examples: int, width: int, classes: int) -> LabelledSourceProbs:
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, classes + 1)
    values = np.concatenate(
        [np.arange(classes), rng.choice(classes, examples - classes, p=share / share.sum())]
    )
    rng.standard_normal((examples, width)), rng.standard_normal((classes, width))
    votes = np.exp(2 * rng.standard_normal((examples, 12)) + 2 * np.eye(classes, 12)[values])
    return source(votes / votes.sum(axis=1, keepdims=True), values)


def source(probs: object, values: object) -> LabelledSourceProbs:
    return LabelledSourceProbs(
        np.array(probs, dtype=np.float64), Labels(LabelKind.CLASSIFICATION, np.array(values), NAMES)
    )


@st.composite
def sources(draw: st.DrawFn) -> LabelledSourceProbs:
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    count, width = draw(st.integers(1, 12)), draw(st.integers(1, 6))
    logits = rng.standard_normal((count, width)) * draw(st.sampled_from([0.1, 1.0, 10.0]))
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return source(probs, rng.integers(0, 4, count))


def conditional(train: LabelledSourceProbs) -> np.ndarray:
    """P(label given source class), with loops, from soft votes."""
    table = np.zeros((4, train.probs.shape[1]))
    for label, row in zip(train.labels.values, train.probs, strict=True):
        for z, share in enumerate(row):
            table[label, z] += share
    return table / np.where(table.sum(axis=0) > 0, table.sum(axis=0), 1)


@settings(deadline=None, max_examples=50)
@given(sources())
def test_leep_equals_naive_loops(train: LabelledSourceProbs) -> None:
    table = conditional(train)
    likelihoods = [
        sum(table[label, z] * share for z, share in enumerate(row))
        for label, row in zip(train.labels.values, train.probs, strict=True)
    ]

    assert LEEP()(train) == pytest.approx(np.mean(np.log(likelihoods)), rel=1e-9, abs=1e-12)


@settings(deadline=None, max_examples=50)
@given(sources())
def test_leep_without_the_logarithm_is_the_mean_likelihood(train: LabelledSourceProbs) -> None:
    table = conditional(train)
    likelihoods = [
        sum(table[label, z] * share for z, share in enumerate(row))
        for label, row in zip(train.labels.values, train.probs, strict=True)
    ]

    assert LEEP(log=False)(train) == pytest.approx(np.mean(likelihoods), rel=1e-9)


@settings(deadline=None, max_examples=50)
@given(sources())
def test_nce_equals_naive_loops(train: LabelledSourceProbs) -> None:
    pseudo, labels, count = train.probs.argmax(axis=1), train.labels.values, len(train.labels)
    expected = 0.0
    for z in range(train.probs.shape[1]):
        for y in range(4):
            joint = np.mean((pseudo == z) & (labels == y))
            expected += joint * log(joint / np.mean(pseudo == z)) if joint > 0 else 0.0

    assert count > 0
    assert NCE()(train) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@settings(deadline=None, max_examples=50)
@given(sources())
def test_leep_is_at_least_what_the_likeliest_source_class_alone_gives(train: LabelledSourceProbs) -> None:
    # property 1 of Nguyen et al., 2020, with their soft P(y given z): the other source classes only add
    likeliest = train.probs.argmax(axis=1)
    rows = np.arange(len(likeliest))
    alone = np.log(conditional(train)[train.labels.values, likeliest] * train.probs[rows, likeliest]).mean()

    assert alone - 1e-9 <= LEEP()(train) <= 0.0


@settings(deadline=None, max_examples=50)
@given(sources())
def test_leep_of_a_source_head_that_is_certain_is_nce(train: LabelledSourceProbs) -> None:
    certain = np.eye(train.probs.shape[1])[train.probs.argmax(axis=1)]
    sure = LabelledSourceProbs(certain, train.labels)

    assert LEEP()(sure) == pytest.approx(NCE()(sure), abs=1e-12)


def test_leep_of_a_known_example() -> None:
    # P(a|0) = 0.9/1.1, P(a|1) = 0.1/0.9; each example: 0.9 * 0.9/1.1 + 0.1 * 0.1/0.9, and for b likewise
    train = source([[0.9, 0.1], [0.2, 0.8]], [0, 1])
    first = 0.9 * 0.9 / 1.1 + 0.1 * 0.1 / 0.9
    second = 0.2 * 0.2 / 1.1 + 0.8 * 0.8 / 0.9

    assert LEEP()(train) == pytest.approx((log(first) + log(second)) / 2, rel=1e-12)


def test_nce_of_a_known_example() -> None:
    # source class 0 holds a, a, b; source class 1 holds b: H = 3/4 H(1/3)
    train = source([[1, 0], [1, 0], [1, 0], [0, 1]], [0, 0, 1, 1])

    assert NCE()(train) == pytest.approx((2 * log(2 / 3) + log(1 / 3)) / 4, rel=1e-12)


@pytest.mark.parametrize("score", [LEEP(), NCE()])
def test_a_source_class_that_nothing_has_changes_nothing(score: LEEP | NCE) -> None:
    train = source([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], [0, 1, 1])
    padded = source(np.column_stack([np.zeros(3), train.probs, np.zeros(3)]), [0, 1, 1])

    assert score(padded) == pytest.approx(score(train), rel=1e-12)


def test_rows_without_any_probability_are_skipped_with_the_reason() -> None:
    with pytest.raises(NotApplicable, match="no probabilities"):
        LEEP()(source([[0.0, 0.0], [0.5, 0.5]], [0, 1]))


@pytest.mark.parametrize(("shape", "leep", "without_log", "nce"), PUBLISHED)
def test_published_code_gives_the_same(
    shape: tuple[int, int, int, int], leep: float, without_log: float, nce: float
) -> None:
    train = published(*shape)

    assert LEEP()(train) == pytest.approx(leep, rel=1e-12)
    assert LEEP(log=False)(train) == pytest.approx(without_log, rel=1e-12)
    assert NCE()(train) == pytest.approx(nce, rel=1e-12)


def test_single_precision_costs_nothing_but_its_rounding() -> None:
    train = published(0, 90, 10, 4)
    single = LabelledSourceProbs(train.probs.astype(np.float32), train.labels)

    assert LEEP()(single) == pytest.approx(LEEP()(train), rel=1e-6)
