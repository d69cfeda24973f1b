"""PACTran against published code, a dense minimisation, and variational updates with loops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import digamma, loggamma, logsumexp, softmax

import assay
from assay.core.errors import NotApplicable, UsageError
from assay.numerics.mixture import posteriors
from assay.scores.pactran import PACTran

Shape = tuple[int, int, int, int]


def made(seed: int, examples: int, width: int, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features as after a ReLU, unbalanced classes, and probabilities of 12 source classes."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, classes + 1)
    values = np.concatenate(
        [np.arange(classes), rng.choice(classes, examples - classes, p=share / share.sum())]
    )
    noise = rng.standard_normal((examples, width))
    features = np.maximum(noise + rng.standard_normal((classes, width))[values], 0)
    votes = np.exp(2 * rng.standard_normal((examples, 12)) + 2 * np.eye(classes, 12)[values])
    return features, values, votes / votes.sum(axis=1, keepdims=True)


# google-research/pactran_metrics compute_metrics.py at a5e4997, calculate_pac_gauss after np.random.seed(7);
# the last column is the same function where its optimiser runs to the minimum (ftol=1e-16, gtol=1e-10)
GAUSSIAN = [
    ((0, 90, 10, 4), 10.0, 1000.0, 15.966994482495403, 15.967376830763556),
    ((0, 90, 10, 4), 10.0, 100.0, 1.7932430736835032, 1.7932799881173707),
    ((0, 90, 10, 4), 1.0, 100.0, 12.574993168452329, 12.574491154636243),
    ((0, 90, 10, 4), 0.1, 1.0, 1.6485034235031777, 1.648481630370363),
    ((1, 40, 60, 3), 10.0, 1000.0, 10.759244564969917, 10.743514305510393),
    ((1, 40, 60, 3), 1.0, 10.0, 0.9932581371001815, 0.9925679704675496),
    ((1, 40, 60, 3), 0.1, 10.0, 7.325547844516473, 7.326248803749846),
]

# the same file, calculate_pac_dir and calculate_pac_gamma on the source probabilities
VARIATIONAL = [
    ((0, 90, 10, 4), "dirichlet", 1.0, 0.33755258168213265),
    ((0, 90, 10, 4), "dirichlet", 0.3, 0.3454389123381452),
    ((0, 90, 10, 4), "gamma", 1.0, 1.2837456933587204),
    ((1, 40, 60, 3), "dirichlet", 1.0, 0.2712305339691794),
    ((1, 40, 60, 3), "gamma", 1.0, 1.1871744705496896),
]


@pytest.mark.parametrize(("shape", "lda", "s2", "_stopped", "minimum"), GAUSSIAN)
def test_the_gaussian_bound_is_that_of_published_code_at_the_minimum(
    shape: Shape, lda: float, s2: float, _stopped: float, minimum: float
) -> None:
    features, values, _ = made(*shape)

    value = assay.score(features, values, f"pactran(lda_factor={lda}, s2_factor={s2})")

    assert value == pytest.approx(-minimum, rel=1e-6)


@pytest.mark.parametrize(("shape", "lda", "s2", "stopped", "_minimum"), GAUSSIAN)
def test_the_published_start_gives_what_published_code_gives(
    shape: Shape, lda: float, s2: float, stopped: float, _minimum: float
) -> None:
    features, values, _ = made(*shape)

    value = assay.score(features, values, f"pactran(lda_factor={lda}, s2_factor={s2}, published_start=7)")

    assert value == pytest.approx(-stopped, rel=1e-6)


def test_the_first_of_the_published_grid_is_the_default() -> None:
    assert PACTran() == PACTran(prior="gaussian", lda_factor=10.0, s2_factor=1000.0)


@pytest.mark.parametrize("shape", [(3, 50, 5, 3), (4, 20, 30, 2)])
def test_the_gaussian_bound_is_that_of_a_dense_minimisation(shape: Shape) -> None:
    features, values, _ = made(*shape)
    count, width, classes = shape[1:]
    rows, sigma = features - features.mean(axis=0), 0.5 * count

    def loss(flat: np.ndarray) -> float:
        w, b = flat[:-classes].reshape(width, classes), flat[-classes:]
        logits = rows @ w + b
        entropy = (logsumexp(logits, axis=1) - logits[np.arange(count), values]).mean()
        return float(entropy + np.square(w).sum() / (2 * sigma))

    def slope(flat: np.ndarray) -> np.ndarray:
        w, b = flat[:-classes].reshape(width, classes), flat[-classes:]
        error = (softmax(rows @ w + b, axis=1) - np.eye(classes)[values]) / count
        return np.concatenate([(rows.T @ error + w / sigma).ravel(), error.sum(axis=0)])

    best = minimize(loss, np.zeros((width + 1) * classes), jac=slope, method="BFGS", options={"gtol": 1e-8})
    w, b = best.x[:-classes].reshape(width, classes), best.x[-classes:]
    trace = 0.0
    for row in rows:
        p = softmax(row @ w + b)
        for k in range(classes):
            trace += p[k] * (1 - p[k]) * (1 + sum(x * x for x in row))
    trace += width * classes / sigma
    bound = best.fun + classes * 20.0 / (2 * sigma) * np.log(trace * sigma / (classes * width))

    value = assay.score(features, values, "pactran(lda_factor=0.5, s2_factor=20.0)")

    assert value == pytest.approx(-bound, rel=1e-6)


@pytest.mark.parametrize(("shape", "prior", "alpha", "bound"), VARIATIONAL)
def test_variational_bounds_are_those_of_published_code(
    shape: Shape, prior: str, alpha: float, bound: float
) -> None:
    features, values, probs = made(*shape)

    score = f"pactran(prior='{prior}', source='head', alpha={alpha})"

    assert assay.score(features, values, score, source_probs=probs) == pytest.approx(-bound, rel=1e-9)


def test_the_dirichlet_bound_equals_loops_on_posteriors_of_the_mixture() -> None:
    features, values, _ = made(2, 60, 6, 3)
    s = posteriors(features, 6, 0.8, 0)  # a tenth of the examples, more than there are classes
    prior = np.array([np.mean(values == label) for label in range(3)]) + 1e-10
    q = s.copy()
    for _ in range(10):
        counts = np.array([[prior[y] + q[values == y, z].sum() for z in range(6)] for y in range(3)])
        for row, label in enumerate(values):
            logits = [
                np.log(s[row, z] + 1e-10) + digamma(counts[label, z]) - digamma(counts[:, z].sum())
                for z in range(6)
            ]
            q[row] = np.exp(logits - logsumexp(logits))
    evidence = 0.0
    for z in range(6):
        evidence += loggamma(prior.sum()) - loggamma(prior).sum()
        evidence -= loggamma(counts[:, z].sum()) - loggamma(counts[:, z]).sum()
        for row in range(60):
            evidence -= q[row, z] * (np.log(q[row, z] + 1e-300) - np.log(s[row, z] + 1e-10))

    value = assay.score(features, values, "pactran(prior='dirichlet')")

    assert value == pytest.approx(evidence / (60 * 3), rel=1e-6)


@pytest.mark.parametrize("prior", ["gaussian", "dirichlet", "gamma"])
def test_features_that_tell_the_labels_score_higher(prior: str) -> None:
    features, values, _ = made(0, 90, 10, 4)
    shuffled = np.random.default_rng(0).permutation(values)

    good, bad = (assay.score(features, labels, f"pactran(prior='{prior}')") for labels in (values, shuffled))

    assert good > bad


@pytest.mark.parametrize("prior", ["dirichlet", "gamma"])
def test_neither_order_nor_names_of_classes_matter_to_the_mixture(prior: str) -> None:
    features, values, _ = made(0, 90, 10, 4)
    order = np.random.default_rng(0).permutation(90)
    renamed = np.array([9, 2, 5, 0])[values]

    value = assay.score(features[order], renamed[order], f"pactran(prior='{prior}')")

    assert value == pytest.approx(assay.score(features, values, f"pactran(prior='{prior}')"), rel=1e-9)


def test_wide_noise_may_be_above_narrow_signal() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    signal = rng.standard_normal((120, 24)) + 2 * np.eye(3, 24)[labels]

    assert assay.score(rng.standard_normal((120, 400)), labels, "pactran") > assay.score(
        signal, labels, "pactran"
    )


def test_the_head_is_asked_for_where_it_is_missing() -> None:
    features, values, _ = made(0, 90, 10, 4)

    with pytest.raises(NotApplicable, match="source_probs"):
        assay.score(features, values, "pactran(prior='gamma', source='head')")


@pytest.mark.parametrize("prior", ["gaussian", "dirichlet", "gamma"])
def test_one_class_alone_is_a_reason(prior: str) -> None:
    with pytest.raises(NotApplicable, match="Fewer than two classes"):
        assay.score(np.eye(8), np.zeros(8, dtype=int), f"pactran(prior='{prior}')")


@pytest.mark.parametrize(
    "setting",
    [
        {"prior": "cauchy"}, {"source": "tail"}, {"lda_factor": 0.0}, {"s2_factor": -1.0}, {"alpha": 0.0},
        {"components": 0}, {"seed": -1}, {"published_start": -1},
    ],
)  # fmt: skip
def test_wrong_settings_say_what_to_write(setting: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="Write"):
        PACTran(**setting)  # type: ignore[arg-type]
