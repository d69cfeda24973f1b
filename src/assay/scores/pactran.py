"""PACTran: a PAC-Bayesian bound on the error of a linear classifier on the features."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.estimate import Estimate
from assay.core.features import LabelledFeatures
from assay.core.metric import Metric
from assay.numerics.mixture import posteriors
from assay.numerics.principal import principal_components
from assay.numerics.threads import one_thread_in_scipy
from assay.plugins.method import Invariance, Score
from assay.plugins.train_view import TrainView

_PRIORS = ("gaussian", "dirichlet", "gamma")
_SOURCES = ("mixture", "head")
_ENERGY = 0.8  # share of the variance in the principal components under the mixture
_ROUNDS = 10  # of variational updates, as published
_OFFSET = 1e-10  # inside logarithms and added to prior counts, as published
_STEPS = 15000  # of the optimiser; only degenerate features reach this limit
_BLOCK = 4096  # examples updated at a time; bounds the memory


@dataclass(frozen=True, slots=True)
class PACTran(Score):
    """PACTran: minus a PAC-Bayesian bound on the cross-entropy of a linear classifier.

    Under the Gaussian prior, with N examples, width D, K classes, features x about their mean, classifier
    softmax(xW + b) and Σ = lda_factor N:

        bound = min_{W,b} mean cross-entropy + |W|² / 2Σ + (K s2_factor / 2Σ) log(Σ tr H / (K D))

    where tr H = Σ_i (|x_i|² + 1) Σ_k p_ik (1 - p_ik) + K D / Σ is the trace of the Hessian at the minimum.
    Under the Dirichlet and the gamma prior the classifier is P(y) = Σ_z P(y|z) P(z|x), as in LEEP, and the
    bound is variational, after ten rounds. The probabilities P(z|x) are posteriors of a Gaussian mixture on
    the principal components with 80 % of the variance, or those of the source head.

    References:
        PACTran: PAC-Bayesian Metrics for Estimating the Transferability of Pretrained Models to
        Classification Tasks (Ding et al., 2022), https://arxiv.org/abs/2203.05126

    Note:
        Published values are the bound, where lower is better; this is minus that. The reference is
        google-research/pactran_metrics compute_metrics.py. It tries (lda_factor, s2_factor) in (10, 1000),
        (10, 100), (1, 100), (1, 10), (0.1, 10), (0.1, 1); ours is the first. As there, H sums over examples
        where the cross-entropy is their mean, and the intercept counts in its trace.

        The Gaussian bound is taken at the minimum, which is unique. The published code starts at a random W
        and stops after 100 steps, or once a step gains less than one part in a million: short of the minimum
        where few examples or wide features leave the classes separable. Its value after
        ``numpy.random.seed(7)`` is that of published_start=7, up to how rounding spreads; which order
        examples and classes come in matters a little then. Prior counts of classes without examples are left
        out, and K does not count them.

        The components of the mixture are max(min(K, N/5), N/10), as in that code, but at least two.
        The bound under the Gaussian prior favours width: its complexity is an average over the features and
        its risk is that of the examples that were fitted, so that wide noise may be above narrow signal.

    Attributes:
        prior: 'gaussian', 'dirichlet' or 'gamma'.
        lda_factor: λσ² of the Gaussian prior for each example: larger allows larger weights.
        s2_factor: σ² of the Gaussian prior times D: the weight of the complexity.
        alpha: The sum of the prior counts of the Dirichlet and gamma priors.
        source: 'mixture' for posteriors of a Gaussian mixture, 'head' for the source head.
        components: The number of Gaussians of the mixture; None for the rule above.
        seed: Seed of the mixture.
        published_start: Seed of the start of the published optimiser; None for the exact minimum.

    >>> import assay
    >>> labels = np.arange(60) % 2
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> assay.score(noise + 3 * labels[:, None], labels, "pactran") > assay.score(noise, labels, "pactran")
    True
    """

    prior: str = "gaussian"
    lda_factor: float = 10.0
    s2_factor: float = 1000.0
    alpha: float = 1.0
    source: str = "mixture"
    components: int | None = None
    seed: int = 0
    published_start: int | None = None

    invariances: ClassVar[frozenset[Invariance]] = frozenset({Invariance.SHIFT, Invariance.ROTATION})
    favours_width: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.prior not in _PRIORS:
            raise UsageError(f"pactran(prior='{self.prior}') is unknown. Write one of {', '.join(_PRIORS)}.")
        if self.source not in _SOURCES:
            raise UsageError(f"pactran(source='{self.source}') is unknown. Write 'mixture' or 'head'.")
        for name, value in (("lda_factor", self.lda_factor), ("alpha", self.alpha)):
            if not value > 0:
                raise UsageError(f"pactran({name}={value}) is not positive. Write {name}=1.0.")
        if not self.s2_factor >= 0:
            raise UsageError(f"pactran(s2_factor={self.s2_factor}) is negative. Write s2_factor=1000.")
        if self.components is not None and self.components < 1:
            raise UsageError(f"pactran(components={self.components}) has no Gaussian. Write components=10.")
        if self.seed < 0 or (self.published_start or 0) < 0:
            raise UsageError("Seeds of pactran are not negative. Write seed=0.")

    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return minus the bound, from a sample of train, or from the source probabilities."""
        if self.prior == "gaussian":
            return Estimate(-self._gaussian(train.sample()))
        bound = _dirichlet if self.prior == "dirichlet" else _gamma
        if self.source == "head":
            head = train.source_probs()
            return Estimate(-bound(head.probs, _class_positions(head.labels.values), self.alpha))
        sample = train.sample()
        positions = _class_positions(sample.labels.values)
        count, classes = len(positions), int(positions.max()) + 1
        usual = max(min(classes, int(count * 0.2)), int(count * 0.1), 2)
        probs = posteriors(sample.matrix, self.components or usual, _ENERGY, self.seed)
        return Estimate(-bound(probs, positions, self.alpha))

    def _gaussian(self, train: LabelledFeatures) -> float:
        positions = _class_positions(train.labels.values)
        count, width, classes = len(positions), train.features.width, int(positions.max()) + 1
        sigma = self.lda_factor * count
        rows = np.asarray(train.matrix, dtype=np.float64)
        if self.published_start is None:
            rows = principal_components(rows, min(rows.shape))  # no rotation changes the bound
            if not rows.shape[1]:
                raise NotApplicable("All features are constant on train.")
            loss = _Loss(rows, positions, sigma)
            risk, probs = loss.minimum()
        else:
            rows = rows - rows.mean(axis=0)
            loss = _Loss(rows, positions, sigma)
            risk, probs = loss.published(self.published_start)
        spread = (np.square(rows).sum(axis=1) + 1) @ (probs * (1 - probs)).sum(axis=1)
        complexity = np.log((float(spread) * sigma) / (classes * width) + 1 + _OFFSET)
        return float(risk + classes * self.s2_factor / (2 * sigma) * complexity)


class _Loss:
    """Mean cross-entropy plus |W|² / 2Σ of a linear classifier.

    Args:
        rows: Centred features, examples x width.
        positions: The class of each example.
        sigma: Σ.
    """

    def __init__(self, rows: np.ndarray, positions: np.ndarray, sigma: float) -> None:
        self._rows, self._sigma = rows, sigma
        self._hot = np.zeros((len(positions), int(positions.max()) + 1))
        self._hot[np.arange(len(positions)), positions] = 1.0

    def minimum(self) -> tuple[float, np.ndarray]:
        """Return the minimum, and the probabilities at it, examples x classes.

        The optimiser scales each principal component by the curvature of the loss along it.
        """
        classes = self._hot.shape[1]
        uncertain = (1 - 1 / classes) / classes  # p(1 - p) of a classifier without information
        curvature = uncertain * np.square(self._rows).mean(axis=0) + 1 / self._sigma
        scale = np.append(1 / np.sqrt(curvature), 1 / np.sqrt(uncertain))[:, None]
        start = np.zeros((self._rows.shape[1] + 1) * classes)
        options = {"maxiter": _STEPS, "maxfun": 2 * _STEPS, "maxcor": 20, "ftol": 1e-14, "gtol": 1e-12}
        return self._minimised(start, scale, options)

    def published(self, seed: int) -> tuple[float, np.ndarray]:
        """Return the loss and the probabilities where the published optimiser stops."""
        width, classes = self._rows.shape[1], self._hot.shape[1]
        weights = np.random.RandomState(seed).normal(size=(width, classes)) * 0.03
        start = np.concatenate([weights, np.zeros((1, classes))]).ravel()
        return self._minimised(start, np.ones((width + 1, 1)), {"maxiter": 100}, tol=1e-6)

    def _minimised(
        self, start: np.ndarray, scale: np.ndarray, options: dict[str, float], tol: float | None = None
    ) -> tuple[float, np.ndarray]:
        from scipy.optimize import minimize

        settings = {"jac": True, "method": "L-BFGS-B", "options": options, "tol": tol}
        with one_thread_in_scipy():
            result = minimize(self._function(scale), start, **settings)
        return float(result.fun), np.exp(self._log_probs(result.x.reshape(-1, self._hot.shape[1]) * scale))

    def _function(self, scale: np.ndarray) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
        def loss_and_slope(flat: np.ndarray) -> tuple[float, np.ndarray]:
            weights = flat.reshape(-1, self._hot.shape[1]) * scale
            log_probs = self._log_probs(weights)
            count = len(self._hot)
            shrunk = weights[:-1] / self._sigma
            loss = -float((self._hot * log_probs).sum()) / count + float((weights[:-1] * shrunk).sum()) / 2
            error = (np.exp(log_probs) - self._hot) / count
            slope = np.concatenate([self._rows.T @ error + shrunk, error.sum(axis=0, keepdims=True)])
            return loss, (slope * scale).ravel()

        return loss_and_slope

    def _log_probs(self, weights: np.ndarray) -> np.ndarray:
        from scipy.special import log_softmax

        return np.asarray(log_softmax(self._rows @ weights[:-1] + weights[-1], axis=1))


def _class_positions(labels: np.ndarray) -> np.ndarray:
    present, positions = np.unique(labels, return_inverse=True)
    if len(present) < 2:
        raise NotApplicable("Fewer than two classes have examples in train.")
    return np.asarray(positions)


def _dirichlet(probs: np.ndarray, positions: np.ndarray, alpha: float) -> float:
    """Return the bound under the Dirichlet prior, for each example and class."""
    from scipy.special import digamma, gammaln

    prior = alpha * np.bincount(positions)[:, None] / len(positions) + _OFFSET

    def update(counts: np.ndarray) -> np.ndarray:
        return np.asarray(digamma(counts) - digamma(counts.sum(axis=0)))

    counts, divergence = _variational(probs, positions, prior, update)
    before = (gammaln(prior.sum()) - gammaln(prior).sum()) * probs.shape[1]
    after = (gammaln(counts.sum(axis=0)) - gammaln(counts).sum(axis=0)).sum()
    return float(after - before + divergence) / (len(positions) * len(prior))


def _gamma(probs: np.ndarray, positions: np.ndarray, alpha: float) -> float:
    """Return the bound under the gamma prior, of rate 1, for each example and class."""
    from scipy.special import digamma, gammaln

    prior = alpha * np.bincount(positions)[:, None] / len(positions) + _OFFSET

    counts, divergence = _variational(probs, positions, prior, digamma)
    lengths = np.concatenate([block @ counts.sum(axis=0) for _, block in _blocks(probs)])
    total = float((gammaln(prior) - gammaln(counts)).sum()) + divergence + float((np.log(lengths) - 1).sum())
    return total / (len(positions) * len(prior)) + 1


def _variational(
    probs: np.ndarray, positions: np.ndarray, prior: np.ndarray, update: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, float]:
    """Return the posterior counts, classes x components, and the KL divergence of q(z) from P(z|x)."""
    weights: np.ndarray | None = None  # q(z) is proportional to P(z|x) exp(weights of the label)
    counts = np.repeat(prior, probs.shape[1], axis=1)
    for _ in range(_ROUNDS):
        counts = np.repeat(prior, probs.shape[1], axis=1)
        for rows, block in _blocks(probs):
            assigned = block if weights is None else np.exp(_log_assigned(block, weights[positions[rows]]))
            np.add.at(counts, positions[rows], assigned)
        weights = update(counts)
    assert weights is not None
    divergence = 0.0
    for rows, block in _blocks(probs):
        log_assigned = _log_assigned(block, weights[positions[rows]])
        divergence += float((np.exp(log_assigned) * (log_assigned - np.log(block + _OFFSET))).sum())
    return counts, divergence


def _log_assigned(probs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    from scipy.special import log_softmax

    return np.asarray(log_softmax(np.log(probs + _OFFSET) + weights, axis=1))


def _blocks(matrix: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    for start in range(0, len(matrix), _BLOCK):
        rows = slice(start, start + _BLOCK)
        yield rows, np.asarray(matrix[rows], dtype=np.float64)
