"""Linear probe: a linear classifier or regression on frozen features, with its penalty chosen on val."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import LabelledFeatures
from assay.core.metric import Metric
from assay.core.predictor import Decision, Predictor
from assay.core.protocol import FeatureProtocol, Fitted
from assay.core.task import Kind, Labels
from assay.numerics.linear_predictor import LinearPredictor
from assay.numerics.threads import one_thread_in_scipy

L2_PATH = tuple(10.0 ** (half / 2) for half in range(6, -13, -1))  # 1e3 .. 1e-6, strong to weak
_PATIENCE = 4  # penalties, two decades, without a better metric or a smaller loss on val: the rest overfits
_CHOOSING = 1e-7  # decrease of the loss in one step that ends the search for weights to judge on val
_FINAL = 1e-12  # the same for the weights that predict test
_APPROACH = (
    1e3,
    1e2,
    1e1,
)  # multiples of a weak penalty on the way to it: each step knows the curvature better
_ARRIVED = 1e-4  # largest slope, in units of the curvature, at which a failing line search does not matter
_LEAST_CURVATURE = 1e-4  # of a class that is certain: keeps the scale of its intercept sensible


@dataclass(frozen=True, slots=True)
class LinearProbe(FeatureProtocol):
    """Multinomial logistic regression, or ridge regression, on standardised features.

    Classification minimises mean cross-entropy + l2/2 |W|^2, regression minimises mean squared error / 2 +
    l2/2 |w|^2; neither penalises the intercept. In scikit-learn's words, with N examples: C = 1/(N l2) for
    three classes or more, C = 2/(N l2) for two (it keeps one column of weights where we keep two), and
    alpha = N l2 for Ridge. Features are standardised by the examples that are fitted; constant ones count
    for nothing.

    19 penalties from 1e3 to 1e-6 are tried on train, strong to weak, each from the weights of the one before,
    until four in a row improve neither the metric nor the loss on val. The best by the metric on val wins; of
    equals the one with the smaller loss, then the stronger one. The probe is then fitted again on train and
    val together. There is no randomness. A class without examples is never predicted.

    References:
        Understanding intermediate layers using linear classifier probes (Alain and Bengio, 2016),
        https://arxiv.org/abs/1610.01644
        Learning Transferable Visual Models From Natural Language Supervision (Radford et al., 2021),
        https://arxiv.org/abs/2103.00020, whose probe is L-BFGS with its L2 chosen on val.
        On the Limited Memory BFGS Method for Large Scale Optimization (Liu and Nocedal, 1989),
        https://doi.org/10.1007/BF01589116

    Note:
        The optimiser works on principal components, each scaled by the curvature of the loss along it. That
        changes neither the loss nor its minimum, and there are never more components than examples.

    Attributes:
        l2: The penalty; chosen on val where it is None.
        max_steps: Steps of the optimiser for one penalty, at most.
    """

    l2: float | None = None
    max_steps: int = 1000

    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.CLASSIFICATION, Kind.REGRESSION})
    learns: ClassVar[type[Predictor]] = LinearPredictor

    def __post_init__(self) -> None:
        if self.l2 is not None and not self.l2 > 0:
            raise UsageError(f"linear_probe(l2={self.l2}) is no penalty. Write l2=0.01, or leave l2 out.")
        if self.max_steps < 1:
            raise UsageError(f"linear_probe(max_steps={self.max_steps}) has no step. Write max_steps=1000.")

    def fit(self, train: LabelledFeatures, val: LabelledFeatures, metric: Metric) -> Fitted:
        """Choose the penalty on val, and fit train and val."""
        start = time.perf_counter()
        notes: tuple[str, ...] = ()
        l2 = self.l2
        if l2 is None:
            l2, notes = _chosen(train, val, metric, self.max_steps)
        seconds = time.perf_counter() - start
        both = train.followed_by(val)
        space = _Space.of(both.matrix)
        head: _Head | None = None
        for stronger in _APPROACH:
            head = _fit(space, both.labels, l2 * stronger, head, _Stop(_CHOOSING, self.max_steps))
        head = _fit(space, both.labels, l2, head, _Stop(_FINAL, self.max_steps))
        if not head.converged:
            notes += (f"The optimiser stopped after {self.max_steps} steps, before it converged.",)
        weights = space.scale[:, None] * (space.directions @ head.weights)
        decision = Decision.of(both.labels, are_logits=True)
        predictor = LinearPredictor(space.mean, weights, head.intercept, decision)
        return Fitted(predictor, {"l2": l2}, notes, seconds)


class _Space(NamedTuple):
    """Standardised features of some examples in their principal components: as few as there are examples."""

    mean: np.ndarray  # width
    scale: np.ndarray  # width; 1 / standard deviation, or 0 for a constant feature
    directions: np.ndarray  # width x components
    components: np.ndarray  # examples x components
    variances: np.ndarray  # components

    @classmethod
    def of(cls, matrix: np.ndarray) -> _Space:
        x = np.asarray(matrix, dtype=np.float64)
        mean, deviation = x.mean(axis=0), x.std(axis=0)
        constant = deviation <= np.finfo(np.float32).eps * np.abs(mean)  # features come in single precision
        scale = np.where(constant, 0.0, 1.0 / np.where(constant, 1.0, deviation))
        x = (x - mean) * scale
        wide = x.shape[1] > len(x)
        values, vectors = np.linalg.eigh(x @ x.T if wide else x.T @ x)
        kept = values > max(x.shape) * np.finfo(np.float64).eps * max(values[-1], 1.0)  # rank of a matrix
        values, vectors = values[kept], vectors[:, kept]
        directions = x.T @ (vectors / np.sqrt(values)) if wide else vectors
        return cls(mean, scale, directions, x @ directions, values / len(x))

    def project(self, matrix: np.ndarray) -> np.ndarray:
        """Return other examples in these components."""
        return np.asarray(((matrix - self.mean) * self.scale) @ self.directions)


class _Head(NamedTuple):
    """A linear map from components to outputs: one a class that has examples, or one number."""

    weights: np.ndarray  # components x outputs
    intercept: np.ndarray  # outputs
    converged: bool = True

    def outputs(self, components: np.ndarray) -> np.ndarray:
        """Return logits, or predicted numbers: examples x outputs."""
        return np.asarray(components @ self.weights + self.intercept)


class _Stop(NamedTuple):
    """When the optimiser stops: the relative decrease of the loss in a step, and the number of steps."""

    decrease: float
    max_steps: int


def _chosen(
    train: LabelledFeatures, val: LabelledFeatures, metric: Metric, max_steps: int
) -> tuple[float, tuple[str, ...]]:
    """Return the best penalty on val, and what there is to say about it."""
    if len(val) == 0:
        raise NotApplicable("There is no val to choose the penalty on. Write linear_probe(l2=0.01).")
    space = _Space.of(train.matrix)
    seen = space.project(val.matrix)
    head: _Head | None = None
    tried: list[tuple[float, float]] = []  # metric and minus loss on val, along the path
    for l2 in L2_PATH:
        head = _fit(space, train.labels, l2, head, _Stop(_CHOOSING, max_steps))
        outputs = head.outputs(seen)
        value = Decision.of(train.labels, are_logits=True)(outputs).judged(metric, val.labels)
        tried.append((value, -_loss(train.labels, outputs, val.labels.values)))
        if _past_the_best(tried):
            break
    best = tried.index(max(tried))
    values = [value for value, _ in tried]
    at_an_end = best in {0, len(L2_PATH) - 1} and values.count(values[best]) == 1
    note = f"The best penalty, {L2_PATH[best]:g}, is the first or last of those tried."
    return L2_PATH[best], (note,) if at_an_end else ()


def _past_the_best(tried: list[tuple[float, float]]) -> bool:
    """Return whether neither the metric nor the loss has improved for a while."""
    stale = [len(column) - 1 - column.index(max(column)) for column in zip(*tried, strict=True)]
    return min(stale) >= _PATIENCE


def _fit(space: _Space, labels: Labels, l2: float, start: _Head | None, stop: _Stop) -> _Head:
    """Return the minimum of the penalised loss, exactly for numbers and by L-BFGS for classes."""
    if labels.kind is Kind.CLASSIFICATION:
        present, truth = np.unique(labels.values, return_inverse=True)
        if start is None:
            shares = np.bincount(truth) / len(truth)
            start = _Head(np.zeros((len(space.variances), len(present))), np.log(shares))
        return start if len(present) == 1 else _logistic(space, truth, l2, start, stop)
    mean = labels.values.mean()
    agreement = space.components.T @ (labels.values - mean) / len(labels)
    return _Head((agreement / (space.variances + l2))[:, None], np.array([mean]))


def _logistic(space: _Space, truth: np.ndarray, l2: float, start: _Head, stop: _Stop) -> _Head:
    """Minimise mean cross-entropy + l2/2 |W|^2 from some weights, in coordinates of curvature near 1."""
    probs = _softmax(start.outputs(space.components))[0]
    curvature = max(float((probs * (1 - probs)).mean()), _LEAST_CURVATURE)
    ridge = np.append(np.full(len(space.variances), l2), 0.0)  # the intercept comes last, without a penalty
    unit = 1 / np.sqrt(curvature * np.append(space.variances, 1.0) + ridge)
    x = np.column_stack([space.components, np.ones(len(truth))]) * unit
    penalty = ridge * np.square(unit)
    rows = np.arange(len(truth))
    shape = (len(unit), start.weights.shape[1])

    def loss_and_slope(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(shape)
        logits = x @ weights
        own = logits[rows, truth]
        error, normaliser = _softmax(logits)
        error[rows, truth] -= 1
        error /= len(truth)
        pull = penalty[:, None] * weights
        loss = (normaliser - own).mean() + (pull * weights).sum() / 2
        return float(loss), (x.T @ error + pull).ravel()

    began = np.vstack([start.weights, start.intercept]) / unit[:, None]
    options = {"maxiter": stop.max_steps, "maxfun": 2 * stop.max_steps, "ftol": stop.decrease, "gtol": 1e-9}
    with one_thread_in_scipy():
        found = minimize(loss_and_slope, began.ravel(), jac=True, method="L-BFGS-B", options=options)
    weights = found.x.reshape(shape) * unit[:, None]
    converged = bool(found.success) or (found.status == 2 and float(np.abs(found.jac).max()) < _ARRIVED)
    return _Head(weights[:-1], weights[-1], converged)


def _softmax(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities, and the log of what normalised them; the logits are overwritten."""
    top = logits.max(axis=1, keepdims=True)
    logits -= top
    np.exp(logits, out=logits)
    sums = logits.sum(axis=1, keepdims=True)
    logits /= sums
    return logits, (top + np.log(sums))[:, 0]


def _loss(fitted: Labels, outputs: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean loss; examples of classes that were not fitted are left out: no penalty helps them."""
    if fitted.kind is Kind.REGRESSION:
        return float(np.square(outputs[:, 0] - truth).mean())
    present = np.unique(fitted.values)
    known = np.isin(truth, present)
    if not known.any():
        return 0.0
    own = outputs[known, np.searchsorted(present, truth[known])]
    return float((logsumexp(outputs[known], axis=1) - own).mean())
